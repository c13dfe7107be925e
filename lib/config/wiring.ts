import type { ArchivePorts, Observe } from "../archive/events.ts";
import type { ArchiveSettings } from "../archive/settings.ts";
import { ArchiveQueue } from "../identity/archive-queue.ts";
import type { ArchiveStore } from "../identity/archive-store.ts";
import { IotdaClient } from "../iotda/client.ts";
import { Redactor, type ResultRedactor } from "../observability/redact.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { DeadLetterQueue, QueueDepth, TaskQueue } from "../ports/task-queue.ts";
import { isQueueFileThere } from "../queue/sqlite-archive-memory.ts";
import { SqliteQueue } from "../queue/sqlite-queue.ts";
import type { RequestSettings } from "../requests/settings.ts";
import { AccessKeys } from "./access-keys.ts";
import { type Configuration, type ProxyConfiguration, settingsOfProxy } from "./configuration.ts";
import type { PlatformConfiguration, QueueConfiguration } from "./rules.ts";
import { loadSqsQueue } from "./sdk-adapters.ts";
import { type StoreWiring, wireStore } from "./store-wiring.ts";
import { systemClock, systemRandom } from "./system.ts";

/** What all policies are told. */
export type ArchiverSettings = ArchiveSettings & RequestSettings;

/** The program's parts, put together as the configuration says. */
export interface Archiver {
  readonly ports: ArchivePorts;
  readonly settings: ArchiverSettings;
  /**
   * What lies in the queue, whichever archive it belongs to; `null` where no queue was ever made. For people only: nothing
   * may be done on the strength of it.
   */
  depthAlone(options: CallOptions): Promise<QueueDepth | null>;
  /** Ends every connection and closes every file; to be called once nothing is under way. */
  close(): Promise<void>;
}

export interface WiringOptions extends Pick<StoreWiring, "purpose"> {
  /** Learns secrets that are read while the program runs, and keeps them out of records and letters. */
  readonly redactor?: ResultRedactor;
}

/** Builds adapters and settings. Nothing is opened yet: the first call on store or queue opens the archive. */
export async function wire(
  configuration: Configuration,
  observe: Observe,
  { purpose, redactor = new Redactor(configuration.secrets) }: WiringOptions,
): Promise<Archiver> {
  const { proxy } = configuration;
  const { projectId, instanceId } = configuration.platform;
  const settings = { ...configuration.archive, scope: { projectId, instanceId } };
  const keys = new AccessKeys(configuration.platform.credentials, redactor, proxy);
  const platform = wirePlatform(configuration.platform, proxy, keys);
  const { store, close: closeStore } = await wireStore({
    configuration,
    scope: settings.scope,
    keys,
    purpose,
    redactor,
    say: (code, message) => observe({ kind: "warning", code, message }),
  });
  const { queue, close: closeQueue } = wireQueue(configuration, store, redactor);
  const alone = wireQueue(configuration, undefined, redactor);
  return {
    ports: { platform, store, queue, clock: systemClock, random: systemRandom, observe },
    settings,
    depthAlone: async (options) =>
      (await isQueueMade(configuration.queue)) ? await alone.queue.depth(options) : null,
    async close() {
      await platform.close();
      closeQueue();
      alone.close();
      closeStore();
      keys.close();
    },
  };
}

/** The platform client. */
export function wirePlatform(
  platform: PlatformConfiguration,
  proxy: ProxyConfiguration,
  keys: AccessKeys,
): IotdaClient {
  return new IotdaClient({
    ...platform,
    endpoint: platform.endpoint.origin,
    wallMs: () => systemClock.wallMs(),
    credentials: (refresh) => keys.get(refresh),
    proxy: settingsOfProxy(proxy),
  });
}

/** A task queue with its dead letters, and how to end its connections. */
export interface WiredQueue {
  readonly queue: ArchiveQueue;
  readonly close: () => void;
}

/**
 * The task queue.
 *
 * @param archive is opened before anything is asked of the queue; without it, the queue stands alone.
 * @param redactor takes the known secrets out of dead letters.
 */
export function wireQueue(
  { queue: place, proxy }: Configuration<"queue">,
  archive: Pick<ArchiveStore, "archive"> | undefined,
  redactor: Pick<ResultRedactor, "result">,
): WiredQueue {
  let opened: { close(): void } | undefined;
  const queue = new ArchiveQueue({
    visibilityMs: place.visibilityMs,
    redact: (text) => redactor.result(text),
    archive: async (options) => await archive?.archive(options),
    open: async () => {
      const queue = await openQueue(place, proxy);
      opened = queue;
      return queue;
    },
  });
  return { queue, close: () => opened?.close() };
}

/** Opening the file of a queue would make it. */
async function isQueueMade(queue: QueueConfiguration): Promise<boolean> {
  return queue.kind !== "sqlite" || (await isQueueFileThere(queue.file));
}

async function openQueue(
  queue: QueueConfiguration,
  proxy: ProxyConfiguration,
): Promise<TaskQueue & DeadLetterQueue & { close(): void }> {
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
  }
}
