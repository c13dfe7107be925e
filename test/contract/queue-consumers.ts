import { expect } from "vitest";
import { NOW, type QueueUnderTest, signal } from "./queue-under-test.ts";
import { startWorker, type WorkerProcess } from "./worker-process.ts";

/** Longer than any test takes: what comes back before did so by mistake. */
export const VISIBILITY_MS = 3_600_000;

/** A queue that processes share; `pass` makes it later for this one. */
interface SharedQueue {
  readonly queue: Pick<QueueUnderTest["queue"], "sendBodies" | "receive" | "depth">;
  /** The file or the folder in which it lies. */
  readonly place: string;
  readonly pass: (ms: number) => void;
}

/** Starts a process that settles messages until one says `stop`, or that keeps its first one in hand. */
export function startConsumer(place: string, mode: "drain" | "hold"): WorkerProcess {
  return startWorker("queue-consumer.ts", place, String(VISIBILITY_MS), mode);
}

/** The message of a consumer that is killed stays hidden for its visibility timeout, and comes back then. */
export async function expectMessageBack({ queue, place, pass }: SharedQueue): Promise<void> {
  const consumer = startConsumer(place, "hold");
  expect(await consumer.nextLine()).toBe("ready");
  await queue.sendBodies(["task-1"], NOW);
  expect(await consumer.nextLine()).toBe("task-1");
  await consumer.kill();
  expect((await queue.depth({ signal })).inFlight).toBe(1);
  expect(await queue.receive({ signal })).toBeUndefined();
  pass(VISIBILITY_MS);
  expect(await queue.receive({ signal })).toMatchObject({ body: "task-1", receiveCount: 2 });
}
