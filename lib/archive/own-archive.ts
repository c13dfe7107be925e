import { changeOfArchive } from "../identity/marker.ts";
import type { CallOptions } from "../ports/platform.ts";
import { SystemFailure } from "./errors.ts";
import type { Run } from "./run.ts";

/**
 * To be asked before a task is deleted or given up: no hold, record or report, in a store that was put in the
 * archive's place while the run was under way, proves nothing.
 *
 * @throws SystemFailure when what the run opened is not there any more. Throws what the store throws, too.
 */
export async function requireOwnArchive(
  { abilities, ports }: Pick<Run, "abilities" | "ports">,
  options: CallOptions,
): Promise<void> {
  const { archiveId } = abilities;
  const change = archiveId === undefined ? undefined : await changeOfArchive(ports.store, archiveId, options);
  if (change !== undefined) {
    throw new SystemFailure(change);
  }
}
