import { homedir } from "node:os";
import type {
  BucketPort,
  DoctorPorts,
  NamedBySetting,
  PlatformPort,
  QueuePort,
  SettingsPort,
  StorePort,
} from "../doctor/ports.ts";
import { ArchiverError } from "../domain/errors.ts";
import { isFile, isProgram, readScheduleFiles } from "../files/schedule-files.ts";
import type { ArchiveStore } from "../identity/archive-store.ts";
import { reachPlatform } from "../iotda/reach.ts";
import { signingAlgorithmFor } from "../iotda/signing.ts";
import { proxyFor } from "../network/proxy-rules.ts";
import type { ResultRedactor } from "../observability/redact.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { lookIntoQueueFile } from "../queue/sqlite-look.ts";
import { lookAtStoreQueue } from "../queue/store-look.ts";
import { parseExpectedExports } from "../report/expected.ts";
import { parseRetentionPolicy } from "../retention/policy.ts";
import { folderFacts } from "../store/folder-facts.ts";
import { AccessKeys } from "./access-keys.ts";
import { settingsOfProxy } from "./configuration.ts";
import { notificationPort } from "./doctor-notification.ts";
import { ConfigurationError } from "./errors.ts";
import { withNotificationSecret } from "./notification-secret.ts";
import { readSettingDocument } from "./setting-document.ts";
import type { ExaminedConfiguration } from "./settings-look.ts";
import { wireLookedAtStore } from "./store-wiring.ts";
import { systemClock, systemRandom } from "./system.ts";
import type { DocumentLocation } from "./value-schemas.ts";
import { wirePlatform } from "./wiring.ts";

/** What an examination works with, put together as the configuration says. */
export interface WiredDoctor {
  readonly ports: DoctorPorts;
  close(): Promise<void>;
}

interface DoctorWiring {
  readonly redactor: ResultRedactor;
  /** Where cron's and systemd's files are looked for; the system's own root but in tests. */
  readonly root?: string;
  /** A function examines its own deployment: timers of its place start the runs there, and alarms of its place watch them. */
  readonly isHosted?: boolean;
}

/** Nothing is opened yet, and nothing behind these ports changes anything. */
export async function wireDoctor(
  configuration: ExaminedConfiguration,
  { redactor, root = "/", isHosted = false }: DoctorWiring,
): Promise<WiredDoctor> {
  const { platform: place, store: storePlace, queue, proxy, archive } = configuration;
  const scope = { projectId: place.projectId, instanceId: place.instanceId };
  const keys = new AccessKeys(place.credentials, redactor, proxy);
  const platform = wirePlatform(place, proxy, keys);
  const wired = await wireLookedAtStore({ configuration, scope, keys, redactor }, { foresees: true });
  const bucket = await wireBucket(configuration, keys);
  const store = storePort(configuration, wired.store, bucket);
  return {
    ports: {
      clock: systemClock,
      scope,
      isOnMachine: !isHosted && (storePlace.kind === "file" || queue.kind !== "sqs"),
      settings: settingsPort(configuration, keys, wired.store, redactor),
      platform: { ...platformPort(configuration), ...boundTo(platform) },
      store,
      queue: queuePort(configuration, archive.taskTimeoutMs, wired.store),
      schedule: {
        files: () => readScheduleFiles(root, root === "/" ? homedir() : undefined),
        isProgram,
        isFile,
      },
      notification: () => notificationPort(configuration, redactor),
    },
    async close() {
      await platform.close();
      bucket?.close();
      wired.close();
      keys.close();
    },
  };
}

type Calls = Pick<PlatformPort, "listExportTasks" | "deleteExportTask">;

function boundTo(platform: Calls): Calls {
  return {
    listExportTasks: (options) => platform.listExportTasks(options),
    deleteExportTask: (id, options) => platform.deleteExportTask(id, options),
  };
}

function settingsPort(
  configuration: ExaminedConfiguration,
  keys: AccessKeys,
  store: ArchiveStore,
  redactor: ResultRedactor,
): SettingsPort {
  const { platform, notification, report, retention, archive } = configuration;
  const document = (name: string, place: DocumentLocation | undefined, parse: (text: string) => unknown) =>
    place === undefined
      ? []
      : [named(name, async (options) => parse(await readSettingDocument(name, place, store, options)))];
  return {
    deletion: archive.deletion,
    secrets: [
      ...(platform.credentials.kind === "secret"
        ? [named("ARCHIVER_CREDENTIALS_SECRET", () => keys.get(false))]
        : []),
      ...(notification.secretId === undefined
        ? []
        : [named("ARCHIVER_NOTIFICATION_SECRET", () => withNotificationSecret(configuration, redactor))]),
    ],
    documents: [
      ...document("ARCHIVER_RETENTION_POLICY", retention?.policy, parseRetentionPolicy),
      ...document("ARCHIVER_EXPECT", report.expect, parseExpectedExports),
    ],
  };
}

/** What is wrong with it is said on one line, by the first problem. */
function named(name: string, read: NamedBySetting["read"]): NamedBySetting {
  return {
    name,
    async read(options) {
      try {
        return await read(options);
      } catch (thrown) {
        throw inOneLine(thrown);
      }
    },
  };
}

function inOneLine(thrown: unknown): unknown {
  if (!(thrown instanceof ArchiverError)) {
    return thrown;
  }
  const { code, scope, retry, hint } = thrown;
  const [first] = thrown instanceof ConfigurationError ? thrown.problems : [];
  return first === undefined
    ? new ArchiverError(code, thrown.message.split(/\n\s*/).join(" "), { scope, retry, hint })
    : new ArchiverError(code, `${first.name} ${first.problem}`, { scope, retry, hint: first.fix });
}

function platformPort({ platform, proxy }: ExaminedConfiguration): Omit<PlatformPort, keyof Calls> {
  const { endpoint, signing, guessedRegion } = platform;
  const proxies = settingsOfProxy(proxy);
  return {
    host: endpoint.host,
    proxyHost: proxyFor(endpoint, proxies)?.host,
    signing,
    signingOfHost: signingAlgorithmFor(endpoint.hostname),
    guessedRegion,
    connect: (options) => reachPlatform(endpoint, proxies, options),
  };
}

interface Closing {
  close(): void;
}

async function wireBucket(
  { store: place, proxy }: ExaminedConfiguration,
  keys: AccessKeys,
): Promise<(BucketPort & Closing) | undefined> {
  if (place.kind === "file") {
    return undefined;
  }
  const { BucketRules } = await import("../store/s3/bucket-rules.ts");
  return new BucketRules(place, {
    clock: systemClock,
    random: systemRandom,
    huaweiCredentials: () => keys.get(false),
    proxy: settingsOfProxy(proxy),
  });
}

const SHARES_PACE = { aws: "always", obs: "never", generic: "when-tried" } as const;

function storePort(
  { store: place }: ExaminedConfiguration,
  store: ArchiveStore,
  bucket: BucketPort | undefined,
): StorePort {
  const isFolder = place.kind === "file";
  return {
    place: isFolder
      ? place.folder
      : `s3://${[place.bucket, place.prefix].filter((part) => part !== "").join("/")}`,
    prefix: isFolder ? "" : place.prefix,
    sharesPace: isFolder ? "always" : SHARES_PACE[place.profile],
    open: (options) => store.archive(options),
    getDocument: (key, options) => store.getDocument(key, options),
    list: (prefix, options) => store.list(prefix, options),
    listUploads: (prefix, options) => store.listUploads(prefix, options),
    folder: isFolder ? () => folderFacts(place.folder) : undefined,
    bucket,
  };
}

function queuePort(
  { queue, proxy }: ExaminedConfiguration,
  taskTimeoutMs: number,
  store: Pick<ObjectStore, "list">,
): QueuePort {
  const { kind, visibilityMs } = queue;
  const look = async (options: CallOptions) => {
    switch (queue.kind) {
      case "sqlite":
        return await lookIntoQueueFile(queue.file, systemClock.wallMs());
      case "store":
        return await lookAtStoreQueue(store, { visibilityMs, nowMs: systemClock.wallMs() }, options);
      case "sqs": {
        const { lookAtSqsQueues } = await import("../queue/sqs-look.ts");
        return await lookAtSqsQueues({ ...queue, proxy: settingsOfProxy(proxy) }, options);
      }
    }
  };
  return { kind, visibilityMs, taskTimeoutMs, look };
}
