import type { Observe } from "../archive/events.ts";
import type { ArchivePorts } from "../archive/ports.ts";
import type { ArchiveSettings } from "../archive/settings.ts";
import { createIotdaClient, type IotdaClient } from "../iotda/client.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { StoreSweeper } from "../ports/store-sweeper.ts";
import type { DeadLetterQueue, TaskQueue } from "../ports/task-queue.ts";
import { SqliteQueue } from "../queue/sqlite-queue.ts";
import { createSqsQueue } from "../queue/sqs-queue.ts";
import { FileStore } from "../store/file-store.ts";
import { createS3Store } from "../store/s3/s3-store.ts";
import type {
  ArchiveConfiguration,
  Configuration,
  PlatformConfiguration,
  PlatformCredentials,
  ProxyConfiguration,
  QueueConfiguration,
  StoreConfiguration,
} from "./configuration.ts";
import { ConfigurationError } from "./errors.ts";
import { systemClock, systemRandom } from "./system.ts";

/** The program's parts, put together as the configuration says. */
export interface Archiver {
  readonly ports: ArchivePorts;
  readonly deadLetters: DeadLetterQueue;
  readonly settings: ArchiveSettings;
  /** Ends every connection and closes every file; to be called once nothing is under way. */
  close(): Promise<void>;
}

/** Builds adapters and settings. @throws ConfigurationError for what this version cannot do yet. */
export async function wire(configuration: Configuration, observe: Observe): Promise<Archiver> {
  const platform = wirePlatform(configuration.platform, configuration.proxy);
  const { store, close: closeStore } = wireStore(configuration.store, configuration.archive);
  const queue = await wireQueue(configuration.queue);
  return {
    ports: { platform, store, queue, clock: systemClock, random: systemRandom, observe },
    deadLetters: queue,
    settings: settingsOf(configuration),
    async close() {
      await platform.close();
      queue.close();
      closeStore();
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
export function wirePlatform(platform: PlatformConfiguration, proxy: ProxyConfiguration): IotdaClient {
  return createIotdaClient({
    endpoint: platform.endpoint.origin,
    regionId: platform.region,
    signing: platform.signing,
    projectId: platform.projectId,
    instanceId: platform.instanceId,
    wallMs: () => systemClock.wallMs(),
    credentials: keysOf(platform.credentials),
    proxy: {
      httpProxy: proxy.httpProxy?.reveal(),
      httpsProxy: proxy.httpsProxy?.reveal(),
      noProxy: proxy.noProxy,
    },
  });
}

/** Gives the access keys out where they are used, and nowhere else. */
function keysOf(
  keys: PlatformCredentials,
): () => Promise<{ ak: string; sk: string; securityToken?: string }> {
  if (keys.kind === "secret") {
    throw notInThisVersion(
      "ARCHIVER_CREDENTIALS_SECRET",
      "Set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK instead.",
    );
  }
  const { ak, sk, securityToken } = keys;
  return async () => ({
    ak: ak.reveal(),
    sk: sk.reveal(),
    ...(securityToken === undefined ? {} : { securityToken: securityToken.reveal() }),
  });
}

/** The object store, and how to end its connections. */
export function wireStore(
  place: StoreConfiguration,
  { partSizeBytes, partsInFlight }: ArchiveConfiguration,
): { readonly store: ObjectStore & StoreSweeper; readonly close: () => void } {
  const parts = { clock: systemClock, random: systemRandom };
  switch (place.kind) {
    case "file":
      return { store: new FileStore(place.folder, parts), close: () => undefined };
    case "s3": {
      const { credentials } = place;
      const store = createS3Store(
        { ...place, partSizeBytes, partsInFlight },
        credentials.kind === "huawei" ? { ...parts, huaweiCredentials: keysOf(credentials.keys) } : parts,
      );
      return { store, close: () => store.close() };
    }
  }
}

/** The task queue with its dead letters. */
export async function wireQueue(
  queue: QueueConfiguration,
): Promise<TaskQueue & DeadLetterQueue & { close(): void }> {
  switch (queue.kind) {
    case "sqlite":
      return await SqliteQueue.open(queue.file, {
        visibilityMs: queue.visibilityMs,
        clock: systemClock,
        random: systemRandom,
      });
    case "sqs":
      return createSqsQueue(queue, { clock: systemClock });
  }
}

function notInThisVersion(name: string, fix: string): ConfigurationError {
  return new ConfigurationError([
    { name, problem: "is understood, but this version has no adapter for it yet", fix },
  ]);
}
