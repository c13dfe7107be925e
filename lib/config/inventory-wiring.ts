import type { InventoryReport } from "../catalogue/inventory.ts";
import type { InventoryPorts, InventorySettings } from "../catalogue/ports.ts";
import { type RepairReport, repairDamage } from "../catalogue/repair.ts";
import { systemTemporaryFiles } from "../files/temporary-files.ts";
import type { ResultRedactor } from "../observability/redact.ts";
import type { CallOptions } from "../ports/platform.ts";
import { AccessKeys } from "./access-keys.ts";
import type { Configuration } from "./configuration.ts";
import { wireQueue } from "./queue-wiring.ts";
import { wireStore } from "./store-wiring.ts";
import { systemClock, systemRandom } from "./system.ts";
import { wirePlatform } from "./wiring.ts";

/** What an inventory works with, put together as the configuration says. */
export interface WiredInventory {
  readonly ports: InventoryPorts;
  readonly settings: InventorySettings;
  /** Lets damaged exports be archived again. Without a queue it does nothing. */
  repair(report: InventoryReport, options: CallOptions): Promise<RepairReport | undefined>;
  close(): Promise<void>;
}

/** Nothing is opened yet: the first call on the store opens the archive. */
export async function wireInventory(
  configuration: Configuration<"platform" | "store"> & Partial<Configuration<"queue">>,
  redactor: ResultRedactor,
  observe: InventoryPorts["observe"],
): Promise<WiredInventory> {
  const { platform: place, queue: queuePlace, verification, archive, proxy } = configuration;
  const scope = { projectId: place.projectId, instanceId: place.instanceId };
  const keys = new AccessKeys(place.credentials, redactor, proxy);
  const platform = wirePlatform(place, proxy, keys);
  const { store, close } = await wireStore({ configuration, scope, keys, purpose: "use", redactor });
  const wired = queuePlace && wireQueue({ ...configuration, queue: queuePlace }, store, { redactor });
  const settings = { scope, downloadIntervalMs: archive.downloadIntervalMs };
  return {
    ports: { store, clock: systemClock, random: systemRandom, observe, files: systemTemporaryFiles },
    settings: { ...verification, scope },
    async repair(report, options) {
      const ports = wired && { platform, store, clock: systemClock, queue: wired.queue };
      return ports && (await repairDamage(ports, settings, report, options));
    },
    async close() {
      await platform.close();
      await wired?.close();
      close();
      keys.close();
    },
  };
}
