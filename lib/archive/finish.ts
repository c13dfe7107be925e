import type { ArchivedRecord } from "../records/schemas.ts";
import type { Visit, VisitResult } from "./visit.ts";

/**
 * Step 9 without the acknowledgement: writes `deleted.json` and ends uploads still open under the task's
 * folder. Safe to repeat: a run that died in between is finished by the next.
 */
export async function recordDeleted(
  visit: Visit,
  archived: ArchivedRecord,
  facts: { readonly outcome: "deleted" | "already-gone"; readonly archivedNow: boolean },
): Promise<VisitResult> {
  const { run, exportTaskId } = visit;
  const { signal } = visit.limit;
  const now = new Date(run.ports.clock.wallMs()).toISOString();
  visit.learned.revision = archived.revision;
  visit.learned.sizeBytes = archived.object.sizeBytes;
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
