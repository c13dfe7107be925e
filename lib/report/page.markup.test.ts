import { createHash } from "node:crypto";
import { parse, type DefaultTreeAdapterTypes as Tree } from "parse5";
import { describe, expect, test } from "vitest";
import { LANGUAGES } from "./languages.ts";
import type { Night } from "./night.ts";
import { pageOf } from "./page.ts";
import { EVERY_FINDING } from "./testing/every-finding.ts";
import { HOSTILE, hostileScene, SCENE_NAMES, scene } from "./testing/scenes.ts";

interface Parsed {
  readonly errors: readonly string[];
  readonly elements: readonly Tree.Element[];
}

/** The page as a browser reads it. */
function parsed(night: Night, language: (typeof LANGUAGES)[number] = "en", pageFile?: "day"): Parsed {
  const errors: string[] = [];
  const document = parse(pageOf(night, language, pageFile), {
    onParseError: ({ code, startOffset }) => errors.push(`${code} at ${startOffset}`),
    // As in a browser without scripts, where more of the page is markup.
    scriptingEnabled: false,
  });
  return { errors, elements: elementsIn(document) };
}

function elementsIn(node: Tree.Node): readonly Tree.Element[] {
  const children = "childNodes" in node ? node.childNodes : [];
  const below = children.flatMap(elementsIn);
  return "tagName" in node ? [node, ...below] : below;
}

function attribute({ attrs }: Tree.Element, name: string): string | undefined {
  return attrs.find((one) => one.name === name)?.value;
}

/** The text of an element and all that is in it. */
function textIn(node: Tree.Node): string {
  const children = "childNodes" in node ? node.childNodes : [];
  return "value" in node ? node.value : children.map(textIn).join("");
}

/** Elements with the names of their attributes: what a text may not change. */
function shapeOf({ elements }: Parsed): readonly string[] {
  return elements.map(({ tagName, attrs }) => [tagName, ...attrs.map(({ name }) => name)].join(" "));
}

const EVERYTHING: Night = { ...scene("pressure"), findings: EVERY_FINDING, runs: [] };
const PAGES: readonly (readonly [string, Night])[] = [
  ...SCENE_NAMES.map((name) => [name, scene(name)] as const),
  ["everything at once", EVERYTHING],
];

describe.each(LANGUAGES)("in %s", (language) => {
  test.each(PAGES)("%s is markup without a mistake", (_name, night) => {
    expect(parsed(night, language).errors).toEqual([]);
  });

  test.each(PAGES)("%s asks for nothing from anywhere", (_name, night) => {
    const { elements } = parsed(night, language, "day");
    const loading = elements.flatMap((element) =>
      ["src", "srcset", "href", "xlink:href", "data", "action", "poster", "background", "style"].flatMap(
        (name) => {
          const value = attribute(element, name);
          return value === undefined ? [] : [`${element.tagName} ${name}=${value}`];
        },
      ),
    );
    const links =
      /^(?:use href=#m-[a-z]+|link href=data:,|a href=\.\.\/\.\.\/(?:latest|\d{4}\/\d{2}\/\d{2})\.html)$/;
    expect(loading.filter((one) => !links.test(one))).toEqual([]);
    const [style] = elements.filter(({ tagName }) => tagName === "style");
    expect(style === undefined ? "missing" : textIn(style)).not.toMatch(/url\(|@import/);
  });

  test.each(PAGES)("%s has each id once, and every reference leads to one", (_name, night) => {
    const { elements } = parsed(night, language);
    const ids = elements.flatMap((element) => attribute(element, "id") ?? []);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    const named = elements.flatMap((element) => [
      ...(attribute(element, "aria-labelledby")?.split(" ") ?? []),
      ...(element.tagName === "use" ? [attribute(element, "href")?.slice(1) ?? ""] : []),
    ]);
    expect(named.filter((id) => !ids.includes(id))).toEqual([]);
  });
});

test("a browser runs the style and the script that the policy names, and nothing else", () => {
  const { elements } = parsed(EVERYTHING);
  const meta = elements.find((element) => attribute(element, "http-equiv") === "Content-Security-Policy");
  const policy = (meta && attribute(meta, "content")) ?? "";
  const own = elements.filter(({ tagName }) => tagName === "style" || tagName === "script");
  const hashes = own.map(
    (element) => `'sha256-${createHash("sha256").update(textIn(element)).digest("base64")}'`,
  );
  expect(policy).toContain(`style-src ${hashes[0]}; script-src ${hashes[1]};`);
  expect(hashes).toHaveLength(2);
  expect(elements.flatMap(({ attrs }) => attrs.filter(({ name }) => name.startsWith("on")))).toEqual([]);
});

describe("a text from outside stays a text", () => {
  const plain = shapeOf(parsed(hostileScene("x")));

  test.each(HOSTILE.map((text) => [text.slice(0, 40), text]))("%j", (_name, text) => {
    const page = parsed(hostileScene(text));
    expect(page.errors).toEqual([]);
    // The commands differ: an id that is not one is not typed.
    const isCommand = (one: string) => one === "pre" || one === "code";
    expect(shapeOf(page).filter((one) => !isCommand(one))).toEqual(plain.filter((one) => !isCommand(one)));
  });
});

test("headings follow one another, and tables say what their columns are", () => {
  const { elements } = parsed(scene("pressure"));
  const headings = elements.flatMap(({ tagName }) => (/^h\d$/.test(tagName) ? [tagName] : []));
  expect(headings[0]).toBe("h1");
  expect(new Set(headings.slice(1))).toEqual(new Set(["h2"]));
  const cells = elements.filter(({ tagName }) => tagName === "th");
  expect(cells.every((cell) => ["col", "row"].includes(attribute(cell, "scope") ?? ""))).toBe(true);
  const pictures = elements.filter((element) => attribute(element, "role") === "img");
  const titles = pictures.map(({ childNodes: [first] }) => (first === undefined ? "" : textIn(first)));
  expect(titles).toHaveLength(30);
  expect(titles.filter((title) => !title.includes(": "))).toEqual([]);
});
