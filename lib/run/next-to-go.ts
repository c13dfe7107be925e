import { type ExportTask, oldestFirst } from "../domain/export-task.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { NextToGo } from "../records/run-report.ts";
import type { ArchivedExports } from "./archived-exports.ts";
import { type FreshList, PLACES_LIMIT, placesHeld } from "./platform-list.ts";

/** From this many used export slots on, every run and command that sees the platform warns. */
export const WARNING_PLACES = 45;

/**
 * The export task that a create beyond the limit destroys: the oldest one. `undefined` while enough slots are free.
 * Throws what the store throws.
 */
export async function nextToGo(
  list: Pick<FreshList, "tasks" | "oddItems">,
  archivedExports: ArchivedExports,
  options: CallOptions,
): Promise<NextToGo | undefined> {
  const oldest = oldestInDanger(list);
  return (
    oldest && {
      exportTaskId: oldest.exportTaskId,
      archived: await isArchived(oldest, archivedExports, options),
    }
  );
}

/** The same task where the store cannot be asked whether it is archived. */
export function oldestInDanger(list: Pick<FreshList, "tasks" | "oddItems">): ExportTask | undefined {
  return placesHeld(list) < WARNING_PLACES ? undefined : oldestFirst(list.tasks)[0];
}

async function isArchived(task: ExportTask, archivedExports: ArchivedExports, options: CallOptions) {
  return task.status === "Success" && (await archivedExports.firstMissing([task], options)) === undefined;
}

/** The warning for a person. */
export function slotsWarning(held: number, { exportTaskId, archived }: NextToGo): string {
  const free = Math.max(0, PLACES_LIMIT - held);
  const when = free === 0 ? "The next export made" : `After ${free} more, an export made`;
  const unknown = "and it is unknown whether that one is archived";
  const what = archived === undefined ? unknown : `which is ${archived ? "" : "not "}archived`;
  return `${held} of ${PLACES_LIMIT} export slots used. ${when} destroys ${exportTaskId}, ${what}.`;
}
