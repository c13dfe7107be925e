import { describe, expect, test } from "vitest";
import type { FoundExport } from "../catalogue/found-export.ts";
import { csvField, csvLines, listLines, rowsOf } from "./finding-lines.ts";

const FOUND: FoundExport = {
  exportTaskId: "5f2d9c3a1b2c3d4e5f6a7b8c",
  revision: "fe8e44f7",
  batchTaskId: "6a00c3a1b2c3d4e5f6a7b8aa",
  key: "exports/p/default/2026/11/20/5f2d9c3a1b2c3d4e5f6a7b8c/fe8e44f7-0a1b2c.zip",
  sizeBytes: 1_310_720,
  sha256: "0".repeat(64),
  archivedAt: "2026-11-21T01:07:59.000Z",
  deletedAt: "2026-11-21T01:08:00.000Z",
  state: "deleted",
};
const UUIDS: FoundExport = {
  ...FOUND,
  exportTaskId: "5f2d9c3a-1b2c-3d4e-5f6a-7b8c00000000",
  batchTaskId: "6a00c3a1-b2c3-d4e5-f6a7-b8aa00000000",
};
const NOW_MS = Date.parse("2026-11-21T12:00:00Z");
const ANSWER = { more: false, unreadable: [], source: "catalogue", gaps: [] } as const;

function texts(...args: Parameters<typeof rowsOf>): readonly string[] {
  return rowsOf(...args).map((line) => (typeof line === "string" ? line : line.text));
}

describe("a list", () => {
  test("has one line for each export at 120 columns", () => {
    expect(texts([FOUND], 120)).toEqual([
      "archived (UTC)    export task               batch task                    size  state",
      "2026-11-21 01:07  5f2d9c3a1b2c3d4e5f6a7b8c  6a00c3a1b2c3d4e5f6a7b8aa  1.25 MiB  deleted",
    ]);
  });

  test("puts the batch task on a line of its own at 80 columns", () => {
    expect(texts([FOUND], 80)).toEqual([
      "archived (UTC)    export task                   size  state",
      "2026-11-21 01:07  5f2d9c3a1b2c3d4e5f6a7b8c  1.25 MiB  deleted",
      "                  batch task 6a00c3a1b2c3d4e5f6a7b8aa",
    ]);
  });

  test.each([80, 120])("with the longest ids fits into %i columns", (columns) => {
    expect(Math.max(...texts([UUIDS], columns).map((line) => line.length))).toBeLessThanOrEqual(columns);
  });

  test("says how complete it is, and what to do next", () => {
    const found = { ...ANSWER, exports: [FOUND], completeUntil: "2026-11-21T03:00:00.000Z" };
    expect(listLines(found, {}, NOW_MS).slice(-2)).toEqual([
      "Complete up to 2026-11-21 03:00 UTC, the last inventory. Later exports appear when their run has ended.",
      "Next: iotda-archiver restore 5f2d9c3a1b2c3d4e5f6a7b8c --to .",
    ]);
  });

  test("of one batch task offers the latest", () => {
    const filter = { batchTaskId: "6a00c3a1b2c3d4e5f6a7b8aa" };
    expect(listLines({ ...ANSWER, exports: [FOUND, UUIDS] }, filter, NOW_MS).at(-1)).toBe(
      "Next: iotda-archiver restore --batch-task 6a00c3a1b2c3d4e5f6a7b8aa --latest --to .",
    );
  });

  test("that is empty says where else to look", () => {
    const [first, second] = listLines({ ...ANSWER, exports: [] }, { batchTaskId: "b-1" }, NOW_MS);
    expect(first).toBe("No archived export matches.");
    expect(second).toContain("iotda-archiver request b-1");
  });
});

describe("comma-separated values", () => {
  test("have a head and the fields in its order", () => {
    const [head = "", line = ""] = csvLines([FOUND]);
    expect(head).toMatch(/^exportTaskId,revision,batchTaskId,appId,/);
    expect(line).toMatch(/^5f2d9c3a1b2c3d4e5f6a7b8c,fe8e44f7,6a00c3a1b2c3d4e5f6a7b8aa,,/);
    expect(line.split(",")).toHaveLength(head.split(",").length);
  });

  test.each([
    ["a,b", '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@x", "'@x"],
    ['=HYPERLINK("http://x","y")', '"\'=HYPERLINK(""http://x"",""y"")"'],
    ["a\nb", "a\\u000ab"],
    ["\t=1", "'\\u0009=1"],
    [-5, "-5"],
    [undefined, ""],
  ])("write %j as %j", (value, field) => {
    expect(csvField(value)).toBe(field);
  });
});
