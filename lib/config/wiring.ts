import type { Observe } from "../archive/events.ts";
import type { ArchivePorts } from "../archive/ports.ts";
import type { ArchiveSettings } from "../archive/settings.ts";
import { createIotdaClient, type IotdaClient } from "../iotda/client.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { DeadLetterQueue, TaskQueue } from "../ports/task-queue.ts";
import { SqliteQueue } from "../queue/sqlite-queue.ts";
import { FileStore } from "../store/file-store.ts";
import type {
  Configuration,
  PlatformConfiguration,
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

/** Builds adapters and settings. @throws ConfigurationError for an adapter that this version does not have. */
export async function wire(configuration: Configuration, observe: Observe): Promise<Archiver> {
  const platform = wirePlatform(configuration.platform, configuration.proxy);
  const store = wireStore(configuration.store);
  const queue = await wireQueue(configuration.queue);
  return {
    ports: { platform, store, queue, clock: systemClock, random: systemRandom, observe },
    deadLetters: queue,
    settings: settingsOf(configuration),
    async close() {
      await platform.close();
      queue.close();
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
  const { credentials } = platform;
  if (credentials.kind === "secret") {
    throw notInThisVersion(
      "ARCHIVER_CREDENTIALS_SECRET",
      "Set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK instead.",
    );
  }
  const { ak, sk, securityToken } = credentials;
  return createIotdaClient({
    endpoint: platform.endpoint.origin,
    regionId: platform.region,
    signing: platform.signing,
    projectId: platform.projectId,
    instanceId: platform.instanceId,
    wallMs: () => systemClock.wallMs(),
    credentials: async () => ({
      ak: ak.reveal(),
      sk: sk.reveal(),
      ...(securityToken === undefined ? {} : { securityToken: securityToken.reveal() }),
    }),
    proxy: {
      httpProxy: proxy.httpProxy?.reveal(),
      httpsProxy: proxy.httpsProxy?.reveal(),
      noProxy: proxy.noProxy,
    },
  });
}

/** The object store. */
export function wireStore(store: StoreConfiguration): ObjectStore {
  switch (store.kind) {
    case "file":
      return new FileStore(store.folder, { clock: systemClock, random: systemRandom });
    case "s3":
      throw notInThisVersion(
        "ARCHIVER_STORE=s3://…",
        "Use a folder: ARCHIVER_STORE=file:///absolute/folder.",
      );
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
      throw notInThisVersion(
        "ARCHIVER_QUEUE with SQS",
        "Use a file: ARCHIVER_QUEUE=sqlite:///absolute/queue.db.",
      );
  }
}

function notInThisVersion(name: string, fix: string): ConfigurationError {
  return new ConfigurationError([
    { name, problem: "is understood, but this version has no adapter for it yet", fix },
  ]);
}
