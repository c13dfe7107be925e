import { expect, test } from "vitest";
import { lookAtStoreQueue } from "./store-look.ts";
import { NOW, StoreRunners, signal, VISIBILITY_MS } from "./testing/store-runners.ts";

test("a look tells what lies there, and since when a message has been ready", async () => {
  const runners = new StoreRunners(true);
  const { queue, store } = runners.start();
  const look = () =>
    lookAtStoreQueue(store, { visibilityMs: VISIBILITY_MS, nowMs: runners.clock.wallMs() }, { signal });
  expect(await look()).toEqual({
    ...{ isMade: true, isWritable: true, messages: 0, deadLetters: 0, readySinceMs: undefined },
  });
  const sentAtMs = runners.clock.wallMs();
  await queue.send([{ exportTaskId: "a" }], NOW);
  await queue.send([{ exportTaskId: "late" }], { signal, delayMs: 3_600_000 });
  await queue.deadLetter(
    { body: "b", reason: "export-failed", detail: "It failed.", attempts: 1, runId: "run" },
    { signal },
  );
  expect(await look()).toMatchObject({ messages: 2, deadLetters: 1, readySinceMs: undefined });
  runners.clock.advance(VISIBILITY_MS);
  expect(await look()).toMatchObject({ messages: 2, readySinceMs: sentAtMs });
  await queue.receive(NOW);
  const before = runners.documents.size;
  expect(await look()).toMatchObject({ messages: 2, readySinceMs: undefined });
  expect(runners.documents.size).toBe(before);
});
