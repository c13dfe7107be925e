import { changeOfArchive } from "../identity/marker.ts";
import type { ObjectStore, StoreAbilities } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { SystemFailure } from "./errors.ts";

/** A run, as far as its archive goes. */
export interface RunInArchive {
  readonly abilities: Pick<StoreAbilities, "archiveId">;
  readonly ports: { readonly store: Pick<ObjectStore, "getDocument"> };
}

/**
 * To be asked before a task is deleted or given up, and before a copy is removed: no hold, record or report, in a store that was put in the
 * archive's place while the run was under way, proves nothing.
 *
 * @throws SystemFailure when what the run opened is not there any more. Throws what the store throws, too.
 */
export async function requireOwnArchive(
  { abilities, ports }: RunInArchive,
  options: CallOptions,
): Promise<void> {
  const { archiveId } = abilities;
  const change = archiveId === undefined ? undefined : await changeOfArchive(ports.store, archiveId, options);
  if (change !== undefined) {
    throw new SystemFailure(change);
  }
}
