import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { SqliteQueue } from "../../lib/queue/sqlite-queue.ts";
import { realClock, realRandom } from "./clocks.ts";
import { temporaryFolder } from "./temp-folder.ts";
import { startWorker } from "./worker-process.ts";

const { signal } = new AbortController();
const NOW = { signal, delayMs: 0 };

async function openQueue(visibilityMs: number): Promise<{ queue: SqliteQueue; file: string }> {
  const file = join(await temporaryFolder(), "queue.db");
  const queue = await SqliteQueue.open(file, { visibilityMs, clock: realClock, random: realRandom });
  onTestFinished(() => queue.close());
  return { queue, file };
}

describe("the sqlite queue shared by real processes", () => {
  test("two consumers at once settle every message exactly once", async () => {
    const { queue, file } = await openQueue(120_000);
    const consumers = [1, 2].map(() => startWorker("queue-consumer.ts", file, "120000", "drain"));
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
      const batch = Array.from({ length: 400 }, (_, index) => `task-${ids.length + index}`);
      ids.push(...batch);
      await queue.send(
        batch.map((exportTaskId) => ({ exportTaskId })),
        NOW,
      );
      await realClock.sleep(50);
    } while (!areBothAtWork && ids.length < 20_000);
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
    const { queue, file } = await openQueue(120_000);
    const consumer = startWorker("queue-consumer.ts", file, "3000", "hold");
    expect(await consumer.nextLine()).toBe("ready");
    await queue.sendBodies(["task-1"], NOW);
    expect(await consumer.nextLine()).toBe("task-1");
    await consumer.kill();
    const { nextDueAtMs = 0, inFlight } = await queue.depth({ signal });
    expect(inFlight).toBe(1);
    expect(await queue.receive({ signal })).toBeUndefined();
    await realClock.sleep(Math.max(0, nextDueAtMs - Date.now()) + 10);
    expect(await queue.receive({ signal })).toMatchObject({ body: "task-1", receiveCount: 2 });
  });
});
