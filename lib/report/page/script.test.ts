import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { SCRIPT } from "./script.ts";

const MADE = "2026-11-28T07:00:00Z";
const HOUR_MS = 3_600_000;

/** What the script sees of the page, as far as it looks at it. */
function openPage(isCover: boolean) {
  let nowMs = Date.parse(MADE);
  const ticks: (() => void)[] = [];
  const classes = new Set(isCover ? ["cover"] : ["banner"]);
  const ofRoot = new Set<string>();
  const classList = (names: Set<string>) => ({
    add: (name: string) => void names.add(name),
    contains: (name: string) => names.has(name),
  });
  const old = {
    hidden: true,
    classList: classList(classes),
    dataset: { hours: "{n} hours old", days: "{n} days old" },
  };
  const elements = {
    old,
    age: { textContent: "" },
    page: { inert: false },
    show: { onclick: () => undefined as unknown },
  };
  const document = {
    title: "OK",
    documentElement: { dataset: { made: MADE }, classList: classList(ofRoot) },
    getElementById: (id: keyof typeof elements) => elements[id],
    addEventListener: (_event: string, listener: () => void) => void ticks.push(listener),
  };
  const clock = { parse: Date.parse, now: () => nowMs };
  const setInterval = (tick: () => void) => void ticks.push(tick);
  runInNewContext(SCRIPT, { document, Date: clock, Math, setInterval });
  return {
    elements,
    at(hours: number) {
      nowMs = Date.parse(MADE) + hours * HOUR_MS;
      ticks.at(0)?.();
      return {
        hidden: old.hidden,
        age: elements.age.textContent,
        title: document.title,
        isGrey: ofRoot.has("old"),
      };
    },
  };
}

test.each([
  [-3, { hidden: true, age: "", title: "OK", isGrey: false }],
  [25.9, { hidden: true, age: "", title: "OK", isGrey: false }],
  [26, { hidden: false, age: "26 hours old", title: "26 hours old · OK", isGrey: true }],
  [47.9, { hidden: false, age: "47 hours old", title: "47 hours old · OK", isGrey: true }],
  [72, { hidden: false, age: "3 days old", title: "3 days old · OK", isGrey: true }],
])("after %d hours", (hours, shown) => {
  expect(openPage(true).at(hours)).toEqual(shown);
});

test("what is covered cannot be reached until somebody asks for it, and the age stays", () => {
  const { elements, at } = openPage(true);
  at(30);
  expect(elements.page.inert).toBe(true);
  elements.show.onclick();
  expect(elements.page.inert).toBe(false);
  expect(at(50)).toMatchObject({ hidden: false, age: "2 days old" });
  expect(elements.page.inert).toBe(false);
});

test("the page of a day stays within reach", () => {
  const { elements, at } = openPage(false);
  expect(at(300)).toMatchObject({ hidden: false, age: "12 days old", isGrey: true });
  expect(elements.page.inert).toBe(false);
});

test("it is small", () => {
  expect(Buffer.byteLength(SCRIPT)).toBeLessThan(1_024);
});
