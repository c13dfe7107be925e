import * as v from "valibot";
import { expect, test } from "vitest";
import { dismissalSchema, noteDismissal } from "../../lib/records/dismissals.ts";
import { ID } from "../../lib/records/testing/archived-record.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { sceneOf } from "./records-scene.ts";

const LETTER = {
  id: "7",
  body: ID,
  reason: "export-failed",
  detail: "The platform could not make this export.",
  attempts: 2,
  runId: "run-1",
  deadLetteredAtMs: Date.UTC(2026, 10, 22, 1),
};

test("says who dismissed which letter, when and why, and each note has a key of its own", async () => {
  const { world, store, read } = sceneOf();
  const facts = {
    exportTaskId: ID,
    reason: "asked for again",
    by: "ann",
    dismissedAtMs: Date.UTC(2026, 10, 24),
  };
  const unknown = { ...LETTER, body: "{".repeat(20_000), deadLetteredAtMs: undefined };
  await world.run(() => noteDismissal(store, { ...facts, letter: LETTER, nonceHex: "0a" }, ALWAYS));
  await world.run(() =>
    noteDismissal(store, { ...facts, exportTaskId: undefined, letter: unknown, nonceHex: "0b" }, ALWAYS),
  );
  const key = (nonce: string) => `dead-letters/dismissed/2026/11/24/20261124T000000000Z-${nonce}.json`;
  const { deadLetteredAtMs: _ms, ...letter } = LETTER;
  expect(v.parse(dismissalSchema, read(key("0a")))).toEqual({
    schemaVersion: 1,
    reason: "asked for again",
    by: "ann",
    dismissedAt: "2026-11-24T00:00:00.000Z",
    exportTaskId: ID,
    letter: { ...letter, deadLetteredAt: "2026-11-22T01:00:00.000Z" },
  });
  expect(v.parse(dismissalSchema, read(key("0b"))).letter.body).toHaveLength(16_384);
});
