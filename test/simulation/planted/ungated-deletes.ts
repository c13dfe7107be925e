import type { Effect } from "../../world/effects.ts";

/**
 * Delete requests that were repeated without a list begun in between: every further try has to pass the gate
 * again (design §4 step 8), whatever became of the one before.
 */
export function findUngatedDeletes(effects: readonly Effect[]): readonly string[] {
  const listedSinceDelete = new Map<string, boolean>();
  const violations: string[] = [];
  for (const { site, subject, runner, outcome, atMs } of effects) {
    if (site === "platform.listExportTasks") {
      for (const key of listedSinceDelete.keys()) {
        if (key.startsWith(`${runner}/`)) {
          listedSinceDelete.set(key, true);
        }
      }
    } else if (site === "platform.deleteExportTask" && outcome !== "crash") {
      const key = `${runner}/${subject}`;
      if (listedSinceDelete.get(key) === false) {
        violations.push(`I1: ${runner} asked twice to delete ${subject} on one list (at ${atMs} ms)`);
      }
      listedSinceDelete.set(key, false);
    }
  }
  return violations;
}
