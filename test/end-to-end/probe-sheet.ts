import * as v from "valibot";
import { expect } from "vitest";
import type { Ended } from "./command-line.ts";
import { ACCOUNT, type Lab, PROJECT_ID } from "./lab.ts";

export const LIVE = ["probe", "--live", "--yes"] as const;

/** `probe --live --json`, strictly as architecture §15 has it. */
export const sheetSchema = v.strictObject({
  schemaVersion: v.literal(1),
  runId: v.string(),
  startedAt: v.pipe(v.string(), v.isoTimestamp()),
  endedAt: v.pipe(v.string(), v.isoTimestamp()),
  project: v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/)),
  hasInstanceId: v.boolean(),
  signing: v.picklist(["standard", "derived"]),
  region: v.nullable(v.string()),
  requests: v.strictObject({
    lists: v.number(),
    creates: v.number(),
    downloads: v.number(),
    deletes: v.literal(0),
  }),
  answers: v.array(
    v.strictObject({
      id: v.string(),
      sections: v.array(v.string()),
      question: v.string(),
      state: v.picklist(["answered", "failed", "not-asked", "not-askable"]),
      answer: v.string(),
    }),
  ),
  left: v.nullable(
    v.variant("kind", [
      v.strictObject({ kind: v.literal("export"), exportTaskId: v.string() }),
      v.strictObject({ kind: v.literal("perhaps"), batchTaskId: v.string() }),
    ]),
  ),
  isInterrupted: v.boolean(),
});
type Sheet = v.InferOutput<typeof sheetSchema>;

/** Runs the probe; its sheet agrees with the platform's own log, and shows nothing secret. */
export async function probed(
  lab: Lab,
  ...more: readonly string[]
): Promise<Ended & { readonly sheet: Sheet }> {
  const before = (await lab.control.requests()).length;
  const ended = await lab.archiver(...LIVE, ...more, "--json");
  const sheet = v.parse(sheetSchema, JSON.parse(ended.stdout));
  expectNothingSecret(lab, ended);
  const { creates, downloads } = await sentTo(lab, before);
  expect(sheet.requests).toMatchObject({ creates, downloads });
  return { ...ended, sheet };
}

export function expectNothingSecret(lab: Lab, { stdout, stderr }: Ended): void {
  for (const secret of [ACCOUNT.ak, ACCOUNT.sk, PROJECT_ID, new URL(lab.endpoint).host, "Signature"]) {
    expect(`${stdout}${stderr}`).not.toContain(secret);
  }
}

/** What a probe may send, on any platform: at most one create and three downloads, and no delete. */
export async function sentTo(lab: Lab, after = 0) {
  const requests = await lab.control.requests(after);
  const times = (operation: string) => requests.filter((one) => one.operation === operation).length;
  const sent = { creates: times("createExportTask"), downloads: times("showExportTask") };
  expect(times("deleteExportTask")).toBe(0);
  expect(times("unknown")).toBe(0);
  expect(sent.creates).toBeLessThanOrEqual(1);
  expect(sent.downloads).toBeLessThanOrEqual(3);
  return sent;
}

export function answerTo(sheet: Sheet, id: string): string {
  const found = sheet.answers.find((one) => one.id === id);
  return `${found?.state}: ${found?.answer}`;
}
