import type {
  DeadLetter,
  DeadLetterQueue,
  ReceivedMessage,
  SendOptions,
  TaskQueue,
} from "../../lib/ports/task-queue.ts";

/** Each adapter also sends bodies as other programs do. */
type Queue = TaskQueue &
  DeadLetterQueue & { sendBodies(bodies: readonly string[], options: SendOptions): Promise<void> };

export interface QueueUnderTest {
  readonly queue: Queue;
  /** The same queue, as another runner sees it. */
  readonly other: Queue;
  readonly visibilityMs: number;
  /** Lets time pass for the queue. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

export const signal = new AbortController().signal;
export const NOW = { signal, delayMs: 0 };

export const letter: DeadLetter = {
  body: "task-1",
  reason: "export-failed",
  detail: "The platform says that the export failed.",
  attempts: 3,
  runId: "20261122T010000000Z-0a1b2c3d",
};

export async function mustReceive(queue: TaskQueue): Promise<ReceivedMessage> {
  const received = await queue.receive({ signal });
  if (received === undefined) {
    throw new Error("the queue showed no message");
  }
  return received;
}

export async function receiveIds(queue: TaskQueue, count: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const { parsed } = await mustReceive(queue);
    ids.push(parsed.kind === "task" ? parsed.message.exportTaskId : parsed.problem);
  }
  return ids;
}
