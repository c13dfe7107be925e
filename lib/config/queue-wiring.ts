import type { ArchiveEvent, Observe } from "../archive/events.ts";
import { ArchiveQueue } from "../identity/archive-queue.ts";
import type { ArchiveStore } from "../identity/archive-store.ts";
import type { ResultRedactor } from "../observability/redact.ts";
import type { DeadLetterQueue, TaskQueue } from "../ports/task-queue.ts";
import { isQueueFileThere } from "../queue/sqlite-archive-memory.ts";
import { SqliteQueue } from "../queue/sqlite-queue.ts";
import { StoreQueue } from "../queue/store-queue.ts";
import { type Configuration, type ProxyConfiguration, settingsOfProxy } from "./configuration.ts";
import type { QueueConfiguration } from "./rules.ts";
import { loadSqsQueue } from "./sdk-adapters.ts";
import { systemClock, systemRandom } from "./system.ts";

/** A task queue with its dead letters, and how to end its connections. */
export interface WiredQueue {
  readonly queue: ArchiveQueue;
  /** To be called once nothing is under way. */
  readonly close: () => Promise<void>;
}

export interface QueueWiring {
  /** Takes the known secrets out of dead letters. */
  readonly redactor: Pick<ResultRedactor, "result">;
  /** Hears what a queue in the store leaves alone, and when another runner has the messages. */
  readonly observe?: Observe;
}

type OpenedQueue = TaskQueue & DeadLetterQueue & { close(): void | Promise<void> };

/**
 * The task queue.
 *
 * @param archive is opened before anything is asked of the queue; without it, the queue stands alone. A queue in the store
 *   lies there.
 */
export function wireQueue(
  { queue: place, proxy }: Configuration<"queue">,
  archive: ArchiveStore | undefined,
  { redactor, observe = () => undefined }: QueueWiring,
): WiredQueue {
  let opened: OpenedQueue | undefined;
  const queue = new ArchiveQueue({
    visibilityMs: place.visibilityMs,
    redact: (text) => redactor.result(text),
    archive: async (options) => await archive?.archive(options),
    open: async () => {
      const queue = await openQueue(place, proxy, archive, observe);
      opened = queue;
      return queue;
    },
  });
  return { queue, close: async () => await opened?.close() };
}

/** Opening the file of a queue would make it. */
export async function isQueueMade(queue: QueueConfiguration): Promise<boolean> {
  return queue.kind !== "sqlite" || (await isQueueFileThere(queue.file));
}

async function openQueue(
  queue: QueueConfiguration,
  proxy: ProxyConfiguration,
  archive: ArchiveStore | undefined,
  observe: Observe,
): Promise<OpenedQueue> {
  switch (queue.kind) {
    case "sqlite":
      return await SqliteQueue.open(queue.file, {
        visibilityMs: queue.visibilityMs,
        clock: systemClock,
        random: systemRandom,
      });
    case "sqs": {
      const SqsQueue = await loadSqsQueue();
      return new SqsQueue({ ...queue, proxy: settingsOfProxy(proxy) }, { clock: systemClock });
    }
    case "store": {
      if (archive === undefined) {
        // The configuration was read with the store, which this queue needs.
        throw new TypeError("a queue in the store was opened without the store");
      }
      return new StoreQueue(archive, {
        visibilityMs: queue.visibilityMs,
        clock: systemClock,
        random: systemRandom,
        onOddFile: (key, problem) =>
          observe({ kind: "left-alone", item: { kind: "store-entry", key, problem: `it ${problem}` } }),
        onLeasedToAnother: (untilMs) => observe(leasedToAnother(untilMs)),
      });
    }
  }
}

function leasedToAnother(untilMs: number): ArchiveEvent {
  const until = new Date(untilMs).toISOString();
  const message = `Another run receives from the queue, until ${until} unless it goes on. The store has no conditional writes, so one run at a time may receive.`;
  return { kind: "warning", code: "queue-leased", message };
}
