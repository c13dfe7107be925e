import type { InventoryPorts, InventorySettings } from "../catalogue/ports.ts";
import { systemTemporaryFiles } from "../files/temporary-files.ts";
import type { ResultRedactor } from "../observability/redact.ts";
import type { Configuration } from "./configuration.ts";
import { wireStore } from "./store-wiring.ts";
import { systemClock, systemRandom } from "./system.ts";

/** What an inventory works with, put together as the configuration says. */
export interface WiredInventory {
  readonly ports: InventoryPorts;
  readonly settings: InventorySettings;
  readonly close: () => void;
}

/** Nothing is opened yet: the first call on the store opens the archive. */
export async function wireInventory(
  configuration: Configuration<"platform" | "store">,
  redactor: ResultRedactor,
  observe: InventoryPorts["observe"],
): Promise<WiredInventory> {
  const { platform, verification } = configuration;
  const scope = { projectId: platform.projectId, instanceId: platform.instanceId };
  const { store, close } = await wireStore({ configuration, scope, purpose: "use", redactor });
  return {
    ports: { store, clock: systemClock, random: systemRandom, observe, files: systemTemporaryFiles },
    settings: { ...verification, scope },
    close,
  };
}
