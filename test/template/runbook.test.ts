import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { DEAD_LETTER_REASONS } from "../dead-letter-reasons.ts";

const DEPLOY = new URL("../../deploy/", import.meta.url);

async function headings(): Promise<string[]> {
  const runbook = await readFile(new URL("../../docs/runbook.md", import.meta.url), "utf8");
  return [...runbook.matchAll(/^#{3,4} (.+)$/gm)].map(([, heading = ""]) => heading);
}

test("the runbook has a section for each dead-letter reason", async () => {
  expect(await headings()).toEqual(expect.arrayContaining(DEAD_LETTER_REASONS));
});

test("the runbook has a section for each failure of an archive's identity", async () => {
  const errors = await readFile(new URL("../../lib/identity/errors.ts", import.meta.url), "utf8");
  const codes = [...errors.matchAll(/ArchiverError\(\s*"([a-z-]+)"/g)].map(([, code]) => code);
  expect(codes).toHaveLength(3);
  expect(await headings()).toEqual(expect.arrayContaining(codes));
});

test.each([
  "alarms.yml",
  "archive.yml",
  "discover.yml",
  "export-events.yml",
  "retain.yml",
  "expire.yml",
  "inventory.yml",
  "report.yml",
])("every alarm of %s names its section of the runbook", async (file) => {
  const text = await readFile(new URL(file, DEPLOY), "utf8");
  const alarms = text.match(/AlarmName:/g) ?? [];
  const named = [...text.matchAll(/docs\/runbook\.md, "([a-z-]+)"/g)].map(([, section]) => section);
  expect(alarms.length).toBeGreaterThan(0);
  expect(named).toHaveLength(alarms.length);
  expect(await headings()).toEqual(expect.arrayContaining(named));
});
