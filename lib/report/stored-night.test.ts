import { describe, expect, test } from "vitest";
import { jsonText } from "../records/create-once.ts";
import type { Night } from "./night.ts";
import { parseStoredNight } from "./stored-night.ts";
import { EVERY_FINDING } from "./testing/every-finding.ts";
import { SCENE_NAMES, scene } from "./testing/scenes.ts";

/** What a report stores of a night, read again. */
function readAgain(night: Night, text = jsonText(night)): Night | undefined {
  const { projectId, instanceId, date } = night;
  return parseStoredNight({ text }, { projectId, instanceId }, date);
}

describe("a stored night", () => {
  test.each(SCENE_NAMES)("is read as it was written: %s", (name) => {
    const night = scene(name);
    expect(jsonText(readAgain(night) ?? {})).toBe(jsonText(night));
  });

  test("is read with every kind of finding", () => {
    const night = { ...scene("given-up"), findings: EVERY_FINDING };
    expect(readAgain(night)).toEqual(night);
  });

  const good = scene("given-up");
  const changed = (change: object) => jsonText({ ...good, ...change });
  test.each([
    ["nothing", ""],
    ["a list", "[]"],
    ["deep nesting", "[".repeat(100_000)],
    ["another version", changed({ schemaVersion: 2 })],
    ["another date", changed({ date: "2026-11-27" })],
    ["another project", changed({ projectId: "another" })],
    ["another instance", changed({ instanceId: "another" })],
    ["a time zone of nowhere", changed({ timeZone: "Mars/Olympus" })],
    ["a report of another day", changed({ madeAt: "2099-11-28T07:00:00Z" })],
    ["a time that is none", changed({ madeAt: "2026-11-28T07:00:00+08" })],
    ["an unknown finding", changed({ findings: [{ kind: "on-fire" }] })],
    [
      "a finding of a moment that cannot be",
      changed({ findings: [{ kind: "lost", exportTaskId: "a", atMs: 1e300 }] }),
    ],
    ["a text without end", changed({ endpoint: "W".repeat(100_000) })],
    ["more exports than a night shows", changed({ exports: Array(501).fill(good.exports[0]) })],
    ["a count below zero", changed({ streak: -1 })],
  ])("is not made of %s", (_what, text) => {
    expect(readAgain(good, text)).toBeUndefined();
  });

  test("loses what the program does not know", () => {
    expect(readAgain(good, changed({ extra: "<script>" }))).toEqual(good);
  });
});
