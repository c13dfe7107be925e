import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Clock } from "../../lib/ports/clock.ts";
import { StoreQueue } from "../../lib/queue/store-queue.ts";
import { FileStore } from "../../lib/store/file-store.ts";
import { patientClock, realClock, realRandom } from "./clocks.ts";
import { expectMessageBack, startConsumer, VISIBILITY_MS } from "./queue-consumers.ts";
import { NOW, signal } from "./queue-under-test.ts";
import { temporaryFolder } from "./temp-folder.ts";

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
    const { folder: place, ...shared } = await openQueue();
    await expectMessageBack({ ...shared, place });
  });
});
