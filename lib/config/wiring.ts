import type { Observe } from "../archive/events.ts";
import type { ArchivePorts } from "../archive/ports.ts";
import type { ArchiveSettings } from "../archive/settings.ts";
import { createIotdaClient, type IotdaClient } from "../iotda/client.ts";
import type { SecretLearner } from "../observability/redact.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { RetentionStore } from "../ports/retention-store.ts";
import type { StoreSweeper } from "../ports/store-sweeper.ts";
import type { DeadLetterQueue, TaskQueue } from "../ports/task-queue.ts";
import { SqliteQueue } from "../queue/sqlite-queue.ts";
import { FileStore } from "../store/file-store.ts";
import { AccessKeys } from "./access-keys.ts";
import type {
  ArchiveConfiguration,
  Configuration,
  PlatformConfiguration,
  ProxyConfiguration,
  QueueConfiguration,
  StoreConfiguration,
} from "./configuration.ts";
import { settingsOfProxy } from "./proxy-settings.ts";
import { systemClock, systemRandom } from "./system.ts";

/** The program's parts, put together as the configuration says. */
export interface Archiver {
  readonly ports: ArchivePorts;
  readonly settings: ArchiveSettings;
  /** Ends every connection and closes every file; to be called once nothing is under way. */
  close(): Promise<void>;
}

/** Builds adapters and settings. @param redactor learns secrets that are read while the program runs. */
export async function wire(
  configuration: Configuration,
  observe: Observe,
  redactor?: SecretLearner,
): Promise<Archiver> {
  const { proxy, archive } = configuration;
  const keys = new AccessKeys(configuration.platform.credentials, redactor, proxy);
  const platform = wirePlatform(configuration.platform, proxy, keys);
  const { store, close: closeStore } = await wireStore(configuration.store, archive, proxy, keys);
  const queue = await wireQueue(configuration.queue, proxy);
  return {
    ports: { platform, store, queue, clock: systemClock, random: systemRandom, observe },
    settings: settingsOf(configuration),
    async close() {
      await platform.close();
      queue.close();
      closeStore();
      keys.close();
    },
  };
}

function settingsOf({ platform, archive }: Configuration): ArchiveSettings {
  const { delete: deletion, partSizeBytes, partsInFlight: _ofPartWriters, ...rest } = archive;
  return {
    ...rest,
    scope: { projectId: platform.projectId, instanceId: platform.instanceId },
    deletion,
    // "Members' CRC-32 are compared when the file fits in one part" (design §4 step 4).
    membersLimitBytes: partSizeBytes,
  };
}

/** The platform client. */
export function wirePlatform(
  platform: PlatformConfiguration,
  proxy: ProxyConfiguration,
  keys: AccessKeys,
): IotdaClient {
  return createIotdaClient({
    endpoint: platform.endpoint.origin,
    regionId: platform.region,
    signing: platform.signing,
    projectId: platform.projectId,
    instanceId: platform.instanceId,
    wallMs: () => systemClock.wallMs(),
    credentials: (refresh) => keys.get(refresh),
    proxy: settingsOfProxy(proxy),
  });
}

/** An object store, and how to end its connections. */
export interface WiredStore {
  readonly store: ObjectStore & StoreSweeper & RetentionStore;
  readonly close: () => void;
}

/** The object store. @param keys needed where the store takes Huawei's. */
export async function wireStore(
  place: StoreConfiguration,
  { partSizeBytes, partsInFlight }: ArchiveConfiguration,
  proxy: ProxyConfiguration,
  keys: AccessKeys | undefined,
): Promise<WiredStore> {
  const parts = { clock: systemClock, random: systemRandom };
  switch (place.kind) {
    case "file":
      return { store: new FileStore(place.folder, parts), close: () => undefined };
    case "s3": {
      // With it comes the AWS SDK, which takes a good part of a start to load; the same for SQS.
      const { createS3Store } = await import("../store/s3/s3-store.ts");
      const store = createS3Store(
        { ...place, partSizeBytes, partsInFlight },
        {
          ...parts,
          ...(keys === undefined ? {} : { huaweiCredentials: () => keys.get(false) }),
          proxy: settingsOfProxy(proxy),
        },
      );
      return { store, close: () => store.close() };
    }
  }
}

/** The task queue with its dead letters. */
export async function wireQueue(
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
      const { createSqsQueue } = await import("../queue/sqs-queue.ts");
      return createSqsQueue({ ...queue, proxy: settingsOfProxy(proxy) }, { clock: systemClock });
    }
  }
}
