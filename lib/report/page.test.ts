import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { digestOf } from "./digest.ts";
import { LANGUAGES, textsIn } from "./languages.ts";
import { SCRIPT } from "./page/script.ts";
import { STYLE } from "./page/style.ts";
import { pageOf } from "./page.ts";
import { EVERY_FINDING } from "./testing/every-finding.ts";
import { SCENE_NAMES, type SceneName, scene } from "./testing/scenes.ts";

/** What stands on a page to be read, tags left out. */
function read(page: string): string {
  return page
    .replace(/<(style|script|noscript|title)\b.*?<\/\1>/gs, " ")
    .replace(/<[^>]*>/g, " ")
    .replaceAll("&#39;", "'")
    .replaceAll("&quot;", '"')
    .replace(/\s+/g, " ");
}

describe("what the platform did not say", () => {
  const failure = { code: "platform-unreachable", message: "the connection failed", hint: "Check it." };
  const { places, ...good } = scene("good");
  const seenAt = "2026-11-27T14:27:00.000Z";
  const unseen = { ...good, places: { ...places, seenAt }, unknown: { platform: failure } };

  test.each(LANGUAGES)("stands in the title of a night that else was good: %s", (language) => {
    const title = /<title>(.*?)<\/title>/.exec(pageOf(unseen, language))?.[1];
    expect(title).toContain(textsIn(language).unknown.platform);
    expect(digestOf(unseen, language).subject).toBe(title);
  });

  test("is not said to be without risk, and slots have the time at which they were seen", () => {
    const page = read(pageOf(unseen, "en"));
    expect(page).toContain(
      "At risk None was on Fri 27 Nov 22:27 (+08:00), when the export slots were last seen.",
    );
    expect(page).toContain("last seen Fri 27 Nov 22:27 (+08:00)");
    expect(digestOf(unseen, "en").text).toMatch(
      /export slots used.*, last seen Fri 27 Nov 22:27 \(\+08:00\)/,
    );
  });
});

/** Answers to what is asked first: what is at risk and by when, what to type, did last night happen, is it of today? */
const ANSWERS: Readonly<Record<SceneName, readonly string[]>> = {
  good: [
    "OK · 48 of 48 exports safe",
    "At risk No export is about to be lost.",
    "The night 2 runs ended; the last one Fri 27 Nov 22:27. 48 of 48 exports safe.",
    "This page Made Sat 28 Nov 07:00 (+08:00), for the night since Fri 27 Nov 07:00.",
  ],
  "given-up": [
    "LOOK · 1 export given up · 46 of 47 exports safe",
    "At risk No export is about to be lost.",
    "Needs you (1)",
    "iotda-archiver dead-letters dismiss --reason 'asked for again' 5f2d9c3a1b2c3d4e5f6a7b2f",
    "iotda-archiver request fleet-2",
    "docs/runbook.md#export-failed",
  ],
  damaged: [
    "LOOK · 2 copies damaged · 48 of 48 exports safe",
    "At risk 2 archived copies are damaged. No export is about to be lost.",
    "Needs you (2)",
    "its bytes are not the recorded ones",
    "iotda-archiver show 5f2d9c3a1b2c3d4e5f6a7e84",
  ],
  missing: [
    "LOOK · expected exports missing · 44 of 44 exports safe",
    "nightly fleet A has 0 of 4 due Sat 28 Nov 06:00",
    "iotda-archiver request fleet-9",
  ],
  failing: [
    "LOOK · runs fail · 0 of 20 exports safe",
    "At risk Nothing before",
    "The night 3 runs ended, with a system failure; the last one Fri 27 Nov 22:32.",
    "Raise the quota of the bucket",
    "iotda-archiver status",
  ],
  pressure: [
    "ACT before Sat 28 Nov 09:02 (+08:00) · an export may be lost · 12 of 47 exports safe",
    "At risk An export may be lost from Sat 28 Nov 09:02 (+08:00) on.",
    "47 of 50 export slots are used",
    "iotda-archiver run",
  ],
  "no-run": [
    "NO RUN since Wed 25 Nov 22:27 (+08:00) · 0 of 14 exports safe",
    "The night No run ended in this night; the last one ended Wed 25 Nov 22:27 (+08:00)",
    "iotda-archiver run",
  ],
  first: ["OK · 3 of 3 exports safe", "Deletion on the platform off (ARCHIVER_DELETE=never)", "1 night"],
  "on-hold": ["OK · 12 of 12 exports safe", "12 kept: held by an operator"],
};

test.each(SCENE_NAMES)("the page of %s answers what is asked first", (name) => {
  const text = read(pageOf(scene(name), "en"));
  expect(ANSWERS[name].filter((answer) => !text.includes(answer))).toEqual([]);
});

test("what needs somebody stands before everything that is only to be known", () => {
  const text = read(pageOf({ ...scene("pressure"), findings: EVERY_FINDING }, "en"));
  const order = [
    "ACT before",
    "At risk",
    "Needs you",
    "Watch",
    "The night in numbers",
    "Exports of the night",
  ];
  const places = order.map((words) => text.indexOf(words));
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(places).not.toContain(-1);
});

test("nothing is said to need somebody after a good night", () => {
  expect(read(pageOf(scene("good"), "en"))).not.toMatch(/Needs you|Watch|iotda-archiver/);
});

describe.each(LANGUAGES)("in %s", (language) => {
  test.each(SCENE_NAMES)("the title of %s is the subject of its message", (name) => {
    const night = scene(name);
    const page = pageOf(night, language);
    expect(page).toContain(`<title>${digestOf(night, language).subject}</title>`);
    expect(page).toContain(`<html lang="${language === "zh" ? "zh-CN" : "en"}"`);
    expect(page).not.toMatch(/undefined|NaN|\[object|\$\{/);
  });

  test("a page has at most 150 KB", () => {
    const night = scene("good");
    const [one] = night.exports;
    const exports = Array.from({ length: 50 }, () => one).filter((row) => row !== undefined);
    const page = pageOf({ ...night, exports, findings: EVERY_FINDING }, language);
    expect(Buffer.byteLength(page)).toBeLessThan(150 * 1_024);
  });
});

test("the same night has the same bytes", () => {
  expect(pageOf(scene("pressure"), "en")).toBe(pageOf(structuredClone(scene("pressure")), "en"));
});

describe("the strip of nights", () => {
  const linksIn = (page: string) => [...page.matchAll(/<a href="([^"]*)"/g)].map(([, href]) => href);

  test("leads to the pages of other nights from where the page lies", () => {
    const [first, ...latest] = linksIn(pageOf(scene("good"), "en", "latest"));
    expect([first, latest.length]).toEqual(["2026/10/30.html", 28]);
    const day = linksIn(pageOf(scene("good"), "en", "day"));
    expect([day[0], day[1], day.length]).toEqual(["../../latest.html", "../../2026/10/30.html", 30]);
  });

  test("leads nowhere where there is no page", () => {
    expect(linksIn(pageOf(scene("first"), "en"))).toEqual([]);
    expect(linksIn(pageOf(scene("good"), "en", "alone"))).toEqual([]);
    const night = scene("good");
    const nights = [{ date: "../../../etc/passwd", verdict: "ok" as const }];
    expect(linksIn(pageOf({ ...night, nights }, "en"))).toEqual([]);
  });
});

test("the policy of the page allows its style and its script alone", () => {
  const page = pageOf(scene("good"), "en");
  const hashOf = (text: string) => `sha256-${createHash("sha256").update(text).digest("base64")}`;
  expect(page).toContain(
    `content="default-src &#39;none&#39;; style-src &#39;${hashOf(STYLE)}&#39;; script-src &#39;${hashOf(SCRIPT)}&#39;; img-src data:; base-uri &#39;none&#39;; form-action &#39;none&#39;"`,
  );
  expect(page).toContain(`<style>${STYLE}</style>`);
  expect(page).toContain(`<script>${SCRIPT}</script>`);
  expect(page.match(/<(?:style|script)\b/g)).toHaveLength(2);
});
