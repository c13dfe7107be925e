import type { ArchivePorts, Observe } from "../archive/events.ts";
import type { ArchiveSettings } from "../archive/settings.ts";
import { IotdaClient } from "../iotda/client.ts";
import type { IotdaClientOptions } from "../iotda/options.ts";
import { Redactor, type ResultRedactor } from "../observability/redact.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { QueueDepth } from "../ports/task-queue.ts";
import type { RequestSettings } from "../requests/settings.ts";
import { AccessKeys } from "./access-keys.ts";
import { type Configuration, type ProxyConfiguration, settingsOfProxy } from "./configuration.ts";
import { isQueueMade, wireQueue } from "./queue-wiring.ts";
import type { PlatformConfiguration } from "./rules.ts";
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
  const { queue, close: closeQueue } = wireQueue(configuration, store, { redactor, observe });
  // One in the store is reached through its archive alone.
  const isInStore = configuration.queue.kind === "store";
  const alone = wireQueue(configuration, isInStore ? store : undefined, { redactor });
  return {
    ports: { platform, store, queue, clock: systemClock, random: systemRandom, observe },
    settings,
    depthAlone: async (options) =>
      (await isQueueMade(configuration.queue)) ? await alone.queue.depth(options) : null,
    async close() {
      await platform.close();
      await closeQueue();
      await alone.close();
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
  return new IotdaClient(clientOptions(platform, proxy, keys));
}

/** What every client of the platform is told. */
export function clientOptions(
  platform: PlatformConfiguration,
  proxy: ProxyConfiguration,
  keys: AccessKeys,
): IotdaClientOptions {
  return {
    ...platform,
    endpoint: platform.endpoint.origin,
    wallMs: () => systemClock.wallMs(),
    credentials: (refresh) => keys.get(refresh),
    proxy: settingsOfProxy(proxy),
  };
}
