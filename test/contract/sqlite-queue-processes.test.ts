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
  test("two consumers settle 400 messages, each exactly once", { timeout: 60_000 }, async () => {
    const { queue, file } = await openQueue(120_000);
    const ids = Array.from({ length: 400 }, (_, index) => `task-${String(index).padStart(3, "0")}`);
    const consumers = [1, 2].map(() => startWorker("queue-consumer.ts", file, "120000", "drain"));
    expect(await Promise.all(consumers.map((consumer) => consumer.nextLine()))).toEqual(["ready", "ready"]);
    await queue.send(
      ids.map((exportTaskId) => ({ exportTaskId })),
      NOW,
    );
    await queue.sendRaw("stop", NOW);
    await queue.sendRaw("stop", NOW);
    const settled = await Promise.all(consumers.map((consumer) => consumer.remainingLines()));
    const settledIds = settled.flat().map((body) => JSON.parse(body).exportTaskId);
    expect(settledIds.toSorted()).toEqual(ids);
    expect(settled.every((lines) => lines.length > 0)).toBe(true);
    expect(await queue.depth({ signal })).toMatchObject({ ready: 0, delayed: 0, inFlight: 0 });
  });

  test("the message of a killed consumer comes back after its visibility", { timeout: 30_000 }, async () => {
    const { queue, file } = await openQueue(120_000);
    const consumer = startWorker("queue-consumer.ts", file, "3000", "hold");
    expect(await consumer.nextLine()).toBe("ready");
    await queue.sendRaw("task-1", NOW);
    expect(await consumer.nextLine()).toBe("task-1");
    await consumer.kill();
    const { nextDueAtMs = 0, inFlight } = await queue.depth({ signal });
    expect(inFlight).toBe(1);
    expect(await queue.receive({ signal })).toBeUndefined();
    await realClock.sleep(Math.max(0, nextDueAtMs - Date.now()) + 10);
    expect(await queue.receive({ signal })).toMatchObject({ body: "task-1", receiveCount: 2 });
  });
});
