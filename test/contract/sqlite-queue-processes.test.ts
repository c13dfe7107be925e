import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Clock } from "../../lib/ports/clock.ts";
import { SqliteQueue } from "../../lib/queue/sqlite-queue.ts";
import { realClock, realRandom } from "./clocks.ts";
import { expectMessageBack, startConsumer, VISIBILITY_MS } from "./queue-consumers.ts";
import { NOW, signal } from "./queue-under-test.ts";
import { temporaryFolder } from "./temp-folder.ts";

/** A queue for which only its own sleeps take time; `pass` makes it later. */
async function openQueue(): Promise<{ queue: SqliteQueue; file: string; pass: (ms: number) => void }> {
  const file = join(await temporaryFolder(), "queue.db");
  let passedMs = 0;
  let sleptMs = 0;
  const clock: Clock = {
    wallMs: () => realClock.wallMs() + passedMs,
    monotonicMs: () => sleptMs,
    sleep: async (ms, sleepSignal) => {
      await realClock.sleep(ms, sleepSignal);
      sleptMs += ms;
    },
  };
  const queue = await SqliteQueue.open(file, { visibilityMs: VISIBILITY_MS, clock, random: realRandom });
  onTestFinished(() => queue.close());
  const pass = (ms: number) => {
    passedMs += ms;
  };
  return { queue, file, pass };
}

describe("the sqlite queue shared by real processes", () => {
  test("two consumers at once settle every message exactly once", async () => {
    const { queue, file } = await openQueue();
    const consumers = [1, 2].map(() => startConsumer(file, "drain"));
    expect(await Promise.all(consumers.map((consumer) => consumer.nextLine()))).toEqual(["ready", "ready"]);
    // On a busy machine one may drain a batch before the other wakes up: there are more until both are at work.
    const firstLines = Promise.all(consumers.map((consumer) => consumer.nextLine()));
    let areBothAtWork = false;
    const markBothAtWork = () => {
      areBothAtWork = true;
    };
    void firstLines.then(markBothAtWork, markBothAtWork);
    const ids: string[] = [];
    do {
      if ((await queue.depth({ signal })).ready < 400) {
        const batch = Array.from({ length: 400 }, (_, index) => `task-${ids.length + index}`);
        ids.push(...batch);
        await queue.send(
          batch.map((exportTaskId) => ({ exportTaskId })),
          NOW,
        );
      }
      await realClock.sleep(50);
    } while (!areBothAtWork);
    await queue.sendBodies(["stop"], NOW);
    await queue.sendBodies(["stop"], NOW);
    const settled = [
      ...(await firstLines),
      ...(await Promise.all(consumers.map((consumer) => consumer.remainingLines()))).flat(),
    ];
    expect(settled.map((body) => JSON.parse(body).exportTaskId).toSorted()).toEqual(ids.toSorted());
    expect(await queue.depth({ signal })).toMatchObject({ ready: 0, delayed: 0, inFlight: 0 });
  });

  test("the message of a killed consumer comes back after its visibility", async () => {
    const { file: place, ...shared } = await openQueue();
    await expectMessageBack({ ...shared, place });
  });
});
