import type { ArchiveSettings } from "../archive/settings.ts";
import type { ToldAbilities } from "../identity/store-abilities.ts";
import type { ResultRedactor } from "../observability/redact.ts";
import type { RehearsalPorts } from "../plan/rehearsal.ts";
import type { CallOptions } from "../ports/platform.ts";
import { AccessKeys } from "./access-keys.ts";
import type { Configuration } from "./configuration.ts";
import { wireLookedAtStore } from "./store-wiring.ts";
import { nextTurn, systemClock } from "./system.ts";
import { wirePlatform } from "./wiring.ts";

/** What a plan is made with. None of it can change anything. */
export interface WiredPlan {
  readonly ports: RehearsalPorts;
  readonly settings: ArchiveSettings;
  /** Opens the archive and says what its store can do, without a write. */
  look(options: CallOptions): Promise<ToldAbilities>;
  close(): Promise<void>;
}

/** Nothing is opened yet: the first call on the store opens the archive. */
export async function wirePlan(
  configuration: Configuration<"platform" | "store">,
  redactor: ResultRedactor,
): Promise<WiredPlan> {
  const { platform: place, archive, proxy } = configuration;
  const scope = { projectId: place.projectId, instanceId: place.instanceId };
  const keys = new AccessKeys(place.credentials, redactor, proxy);
  const platform = wirePlatform(place, proxy, keys);
  const { store, close } = await wireLookedAtStore(
    { configuration, scope, keys, redactor },
    { foresees: false },
  );
  return {
    ports: { platform, store, clock: systemClock, nextTurn },
    settings: { ...archive, scope },
    look: (options) => store.look(options),
    async close() {
      await platform.close();
      close();
      keys.close();
    },
  };
}
