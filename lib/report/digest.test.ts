import { describe, expect, test } from "vitest";
import { digestOf, urgentDigestOf } from "./digest.ts";
import { LANGUAGES } from "./languages.ts";
import type { Finding, Night } from "./night.ts";
import type { UrgentFinding } from "./tell-urgent.ts";
import { EVERY_FINDING } from "./testing/every-finding.ts";
import { MADE_AT_MS, night } from "./testing/night-scene.ts";
import { HOSTILE, hostileScene, SCENE_NAMES, type SceneName, scene } from "./testing/scenes.ts";

const URL_OF_PAGE = "https://reports.example/2026/11/28.html";
const unprintable = /[^\P{C}\n]|[\p{Zl}\p{Zp}]/u;
const withFindings = (findings: readonly Finding[]): Night => ({ ...night(), verdict: "act", findings });

test.each<[SceneName, string, string]>([
  ["good", "OK · 48 of 48 exports safe", "正常 · 48 个导出任务中 48 个已安全归档"],
  [
    "given-up",
    "LOOK · 1 export given up · 46 of 47 exports safe",
    "需要查看 · 1 个导出任务已放弃 · 47 个导出任务中 46 个已安全归档",
  ],
  [
    "damaged",
    "LOOK · 2 copies damaged · 48 of 48 exports safe",
    "需要查看 · 2 个副本损坏 · 48 个导出任务中 48 个已安全归档",
  ],
  [
    "missing",
    "LOOK · expected exports missing · 44 of 44 exports safe",
    "需要查看 · 缺少预期的导出任务 · 44 个导出任务中 44 个已安全归档",
  ],
  [
    "failing",
    "LOOK · runs fail · 0 of 20 exports safe",
    "需要查看 · 运行失败 · 20 个导出任务中 0 个已安全归档",
  ],
  [
    "pressure",
    "ACT before Sat 28 Nov 09:02 (+08:00) · an export may be lost · 12 of 47 exports safe",
    "请在11月28日（周六）09:02（+08:00）前处理 · 1 个导出任务可能丢失 · 47 个导出任务中 12 个已安全归档",
  ],
  [
    "no-run",
    "NO RUN since Wed 25 Nov 22:27 (+08:00) · 0 of 14 exports safe",
    "自11月25日（周三）22:27（+08:00）起未运行 · 14 个导出任务中 0 个已安全归档",
  ],
  ["first", "OK · 3 of 3 exports safe", "正常 · 3 个导出任务中 3 个已安全归档"],
  ["on-hold", "OK · 12 of 12 exports safe", "正常 · 12 个导出任务中 12 个已安全归档"],
])("the subject of %s is its verdict", (name, en, zh) => {
  expect([digestOf(scene(name), "en").subject, digestOf(scene(name), "zh").subject]).toEqual([en, zh]);
});

test("a digest says what somebody has to type, and how the night went", () => {
  expect(digestOf(scene("given-up"), "en", URL_OF_PAGE).text.split("\n")).toEqual([
    "1 thing needs you:",
    "- Export 5f2d9c3a1b2c3d4e5f6a7b2f was given up Fri 27 Nov 22:27: the platform could not make this export (batch task fleet-2)",
    "  iotda-archiver dead-letters dismiss --reason 'asked for again' 5f2d9c3a1b2c3d4e5f6a7b2f",
    "  iotda-archiver request fleet-2",
    "Watch: 1 dead letter",
    "Archived 46 of 47 (1.39 GiB), deleted 46, kept 0, given up 1",
    "1 of 50 export slots used (none by exports with a copy), if nothing is deleted, full in 0.9 to 1 days",
    "Copies: each read again within 90 days; unread longest: 81 days",
    "project 0c8a6f3e5d7b4a19b2c3d4e5f6a7b8c9, default instance · Fri 27 Nov 07:00 to Sat 28 Nov 07:00 (+08:00)",
    `Page: ${URL_OF_PAGE}`,
    "",
  ]);
});

test.each<[string, Night["keptFor"], string]>([
  ["one reason", { "delete-disabled": 2 }, "kept 2 (deletion is switched off)"],
  [
    "two reasons",
    { "delete-disabled": 1, hold: 1 },
    "kept 2 (1: deletion is switched off, 1: held by an operator)",
  ],
])("exports that were kept for %s are told with it", (_, keptFor, words) => {
  const kept = { ...night(), counts: { ...night().counts, kept: 2 }, keptFor };
  expect(digestOf(kept, "en").text).toContain(words);
});

test.each<[number, number, string]>([
  [0.1, 0.1, "full in less than a day"],
  [0.9, 1, "full in 0.9 to 1 days"],
  [2, 2, "full in about 2 days"],
])("slots that are full in %s to %s days are told so", (least, usual, words) => {
  const places = { ...night().places, held: 46, fullInDays: { least, usual } };
  expect(digestOf({ ...night(), places }, "en").text).toContain(words);
});

test("a good night has nothing to type", () => {
  const { text } = digestOf(scene("good"), "en");
  expect(text).toMatch(/^There is nothing to do\.\n/);
  expect(text).not.toContain("iotda-archiver");
});

test("a loss that may come at any time is named so", () => {
  const near: Finding = {
    kind: "loss-near",
    exportTaskId: "a",
    lossFromMs: MADE_AT_MS,
    held: 50,
    limit: 50,
  };
  const { subject, text } = digestOf(withFindings([near]), "en");
  expect(subject).toMatch(/^ACT NOW · /);
  expect(text).toContain("the platform may destroy it at any time");
});

test("a night without runs that is in danger says both", () => {
  const { subject, text } = digestOf({ ...scene("pressure"), runs: [] }, "en");
  expect(subject).toMatch(/^ACT before/);
  expect(text).toMatch(/^2 things need you:\n- Export .*\n.*\n- No run ended in this night/);
});

describe.each(LANGUAGES)("in %s", (language) => {
  test.each(SCENE_NAMES)("%s has at most 20 lines and a subject on one line", (name) => {
    const { subject, text } = digestOf(scene(name), language, URL_OF_PAGE);
    expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(20);
    expect(subject).not.toContain("\n");
    expect(`${subject}${text}`).not.toMatch(/undefined|NaN|\[object|null/);
  });

  test("whatever is wrong, a digest has at most 20 lines", () => {
    const failure = { code: "platform-unavailable", message: "no answer", hint: "Wait." };
    const all = [...EVERY_FINDING, ...EVERY_FINDING];
    const unknown = { platform: failure, queue: failure };
    const { text } = digestOf({ ...withFindings(all), runs: [], unknown }, language, URL_OF_PAGE);
    expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(20);
  });

  test("each finding is told in words, without what texts are made of", () => {
    for (const finding of EVERY_FINDING) {
      const { subject, text } = digestOf({ ...withFindings([finding]), verdict: "look" }, language);
      expect(`${subject}${text}`).not.toMatch(/undefined|NaN|\[object|null|\$\{/);
    }
  });

  test("texts from outside are shown on one line, bounded, and move nothing", () => {
    for (const text of HOSTILE) {
      const digest = digestOf(hostileScene(text), language);
      expect(digest.subject.length).toBeLessThan(400);
      expect(digest.text.trimEnd().split("\n").length).toBeLessThanOrEqual(20);
      expect(digest.text.length).toBeLessThan(8_000);
      expect(`${digest.subject}${digest.text}`).not.toMatch(unprintable);
      expect(digest.text).not.toMatch(/[\u0590-\u08ff]/);
    }
  });
});

describe("a message that cannot wait", () => {
  const context = { language: "en", timeZone: "UTC", projectId: "project-1", nowMs: MADE_AT_MS } as const;
  const urgent = EVERY_FINDING.filter((one): one is UrgentFinding =>
    ["loss-near", "lost", "damaged", "system-failing"].includes(one.kind),
  );
  const of = (...kinds: readonly string[]) => urgent.filter(({ kind }) => kinds.includes(kind));

  test("says by when, and what to type", () => {
    expect(urgentDigestOf(of("loss-near"), context)).toEqual({
      subject: "ACT before Sat 28 Nov 09:00 (+00:00) · an export may be lost",
      text: [
        "1 thing needs you:",
        "- Export 5f2d9c3a1b2c3d4e5f6a7b8c is not archived, and the platform may destroy it from Sat 28 Nov 09:00 (+00:00) on",
        "  iotda-archiver run",
        "This could not wait for the report of the night.",
        "project project-1, default instance",
        "",
      ].join("\n"),
    });
  });

  test.each([
    [["lost"], "LOOK · 1 export lost"],
    [["damaged"], "LOOK · 1 copy damaged"],
    [["system-failing"], "LOOK · runs fail"],
    [
      ["lost", "damaged", "system-failing", "loss-near"],
      "ACT before Sat 28 Nov 09:00 (+00:00) · an export may be lost · 1 export lost · 2 more",
    ],
  ])("of %j has the subject %s", (kinds, subject) => {
    expect(urgentDigestOf(of(...kinds), context).subject).toBe(subject);
  });

  test("names some of many, and counts all", () => {
    const [damaged] = of("damaged");
    const many = Array.from({ length: 500 }, () => damaged).filter((one) => one !== undefined);
    const { subject, text } = urgentDigestOf(many, { ...context, language: "zh" });
    expect(subject).toBe("需要查看 · 500 个副本损坏");
    expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(20);
    expect(text).toContain("另有 496 项");
  });
});
