import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Clock } from "../../lib/ports/clock.ts";
import { StoreQueue } from "../../lib/queue/store-queue.ts";
import { FileStore } from "../../lib/store/file-store.ts";
import { patientClock, realClock, realRandom } from "./clocks.ts";
import { NOW, signal } from "./queue-under-test.ts";
import { temporaryFolder } from "./temp-folder.ts";
import { startWorker } from "./worker-process.ts";

const VISIBILITY_MS = 3_600_000;
const MESSAGES = 60;

/** A queue in a folder; `pass` makes it later. */
async function openQueue() {
  const folder = join(await temporaryFolder(), "store");
  let passedMs = 0;
  const later = (clock: Clock): Clock => ({ ...clock, wallMs: () => realClock.wallMs() + passedMs });
  const store = new FileStore(folder, { clock: later(patientClock), random: realRandom });
  await store.preflight({ signal });
  const queue = new StoreQueue(store, {
    ...{ visibilityMs: VISIBILITY_MS, longPollMs: 20, clock: later(realClock), random: realRandom },
    onOddFile: () => undefined,
    onLeasedToAnother: () => undefined,
  });
  const pass = (ms: number) => {
    passedMs += ms;
  };
  return { queue, folder, pass };
}

function startConsumer(folder: string, mode: "drain" | "hold") {
  return startWorker("queue-consumer.ts", folder, String(VISIBILITY_MS), mode);
}

describe("the queue in a folder shared by real processes", () => {
  test("two consumers at once settle every message exactly once", async () => {
    const { queue, folder } = await openQueue();
    const consumers = [1, 2].map(() => startConsumer(folder, "drain"));
    expect(await Promise.all(consumers.map((consumer) => consumer.nextLine()))).toEqual(["ready", "ready"]);
    const ids = Array.from({ length: MESSAGES }, (_, index) => `task-${index}`);
    await queue.send(
      ids.map((exportTaskId) => ({ exportTaskId })),
      NOW,
    );
    await queue.sendBodies(["stop", "stop"], NOW);
    const settled = (await Promise.all(consumers.map((consumer) => consumer.remainingLines()))).flat();
    expect(settled.map((body) => JSON.parse(body).exportTaskId).toSorted()).toEqual(ids.toSorted());
    expect(await queue.depth({ signal })).toMatchObject({ ready: 0, delayed: 0, inFlight: 0 });
  });

  test("the message of a killed consumer comes back after its visibility", async () => {
    const { queue, folder, pass } = await openQueue();
    const consumer = startConsumer(folder, "hold");
    expect(await consumer.nextLine()).toBe("ready");
    await queue.sendBodies(["task-1"], NOW);
    expect(await consumer.nextLine()).toBe("task-1");
    await consumer.kill();
    expect((await queue.depth({ signal })).inFlight).toBe(1);
    expect(await queue.receive({ signal })).toBeUndefined();
    pass(VISIBILITY_MS);
    expect(await queue.receive({ signal })).toMatchObject({ body: "task-1", receiveCount: 2 });
  });
});
