import type { ArchivedRecord } from "../records/schemas.ts";
import type { Attempt, AttemptOutcome } from "./attempt.ts";

/**
 * Step 9 without the acknowledgement: writes `deleted.json` and ends uploads still open under the task's
 * folder. Safe to repeat: a run that died in between is finished by the next.
 */
export async function recordDeleted(
  attempt: Attempt,
  archived: ArchivedRecord,
  facts: { readonly outcome: "deleted" | "already-gone"; readonly archivedNow: boolean },
): Promise<AttemptOutcome> {
  const { run, exportTaskId } = attempt;
  const { signal } = attempt.limit;
  const now = new Date(run.ports.clock.wallMs()).toISOString();
  attempt.learned.revision = archived.revision;
  attempt.learned.sizeBytes = archived.object.sizeBytes;
  await run.records.writeDeleted(
    exportTaskId,
    archived.revision,
    { deletedAt: now, confirmedAt: now, runId: run.runId, outcome: facts.outcome },
    { signal },
  );
  await run.ports.store.abortUploadsUnder(folderOf(archived), { signal });
  if (facts.outcome === "deleted") {
    run.counts.deleted += 1;
    run.noteSuccess(exportTaskId);
  }
  run.ports.observe({ kind: "deleted", exportTaskId, outcome: facts.outcome });
  if (facts.archivedNow) {
    return { kind: "done", outcome: "archived-deleted" };
  }
  return facts.outcome === "deleted"
    ? { kind: "done", outcome: "deleted" }
    : { kind: "done", outcome: "already-done", reason: "already-gone" };
}

/** The task's folder, from the object that is recorded: the list no longer shows the task. */
function folderOf(archived: ArchivedRecord): string {
  const { key } = archived.object;
  return key.slice(0, key.lastIndexOf("/") + 1);
}
