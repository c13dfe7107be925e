import type { PlatformScope } from "../domain/export-task.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { ObjectStore, StoreAbilities } from "../ports/object-store.ts";
import type { RetentionStore } from "../ports/retention-store.ts";
import type { StoreSweeper } from "../ports/store-sweeper.ts";
import type { TemporaryFiles } from "../ports/temporary-files.ts";
import type { Damage } from "./damage.ts";
import type { VerificationSettings } from "./reading-plan.ts";

/** Told while an inventory goes on. */
export type InventoryEvent =
  | {
      readonly kind: "progress";
      readonly step: "catalogue" | "objects" | "records" | "months" | "copies";
      readonly done: number;
    }
  | { readonly kind: "damage"; readonly damage: Damage }
  | { readonly kind: "warning"; readonly code: string; readonly message: string };

/** Everything an inventory reaches the world through. */
export interface InventoryPorts {
  readonly store: ObjectStore & StoreSweeper & Pick<RetentionStore, "readVersion">;
  readonly clock: Clock;
  readonly random: Random;
  readonly observe: (event: InventoryEvent) => void;
  /** Where drills restore a copy; without it no drill is made. */
  readonly files?: TemporaryFiles | undefined;
}

export interface InventorySettings extends VerificationSettings {
  readonly scope: PlatformScope;
}

/** What reading all records needs. */
export interface RecordsRun {
  readonly ports: Pick<InventoryPorts, "observe"> & { readonly store: ObjectStore };
  readonly scope: PlatformScope;
  readonly abilities: Pick<StoreAbilities, "createOnce">;
  readonly signal: AbortSignal;
  /** For how long new work may be begun; `Infinity` without a limit. */
  msLeft(): number;
}

/** What the steps of one inventory share. */
export interface InventoryRun extends RecordsRun {
  readonly ports: InventoryPorts;
  readonly abilities: StoreAbilities;
}
