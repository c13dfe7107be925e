import { idempotencyKeyOf } from "../domain/export-task.ts";
import type { StoredObject } from "../ports/object-store.ts";
import { type ArchivedRecord, SCHEMA_VERSION } from "../records/schemas.ts";
import type { Attempt, Ending } from "./attempt.ts";
import type { FinishedTask } from "./inspect-task.ts";

/** What is known of a copy when it is about to be recorded. */
export interface ProvenCopy {
  readonly object: StoredObject;
  readonly sha256: string;
  readonly verification: ArchivedRecord["verification"];
  readonly downloadedAtMs: number;
}

/**
 * Step 6, the commit point: `archived.json`, create-once where the store can. Where another runner's record
 * stands it wins, and this attempt's object stays as an orphan for `sweep`.
 */
export async function recordArchived(
  attempt: Attempt,
  state: FinishedTask,
  proven: ProvenCopy,
): Promise<{ readonly standing: ArchivedRecord; readonly won: boolean }> {
  const { run, exportTaskId } = attempt;
  const { scope } = run.settings;
  const { object, sha256 } = proven;
  const record: ArchivedRecord = {
    schemaVersion: SCHEMA_VERSION,
    idempotencyKey: idempotencyKeyOf(scope, exportTaskId, state.revision),
    projectId: scope.projectId,
    instanceId: scope.instanceId ?? null,
    exportTaskId,
    revision: state.revision,
    object: { ...object, sha256 },
    source: { ...state.task.source },
    verification: proven.verification,
    downloadedAt: new Date(proven.downloadedAtMs).toISOString(),
    archivedAt: new Date(run.ports.clock.wallMs()).toISOString(),
    runId: run.runId,
    attempts: attempt.message.attempts ?? 0,
  };
  const { standing, won } = await run.records.writeArchived(record, state.records.archivedNumber + 1, {
    signal: attempt.limit.signal,
  });
  if (won) {
    run.ports.observe({
      kind: "archived",
      exportTaskId,
      idempotencyKey: record.idempotencyKey,
      key: object.key,
      sizeBytes: object.sizeBytes,
      sha256,
      adopted: proven.verification.adopted === true,
    });
  }
  return { standing, won };
}

/**
 * Step 9 without the acknowledgement: writes `deleted.json` and ends uploads still open under the task's
 * folder. Safe to repeat: a run that died in between is finished by the next.
 */
export async function recordDeleted(
  attempt: Attempt,
  archived: ArchivedRecord,
  facts: { readonly outcome: "deleted" | "already-gone"; readonly archivedNow: boolean },
): Promise<Extract<Ending, { kind: "done" }>> {
  const { run, exportTaskId } = attempt;
  const { signal } = attempt.limit;
  const now = new Date(run.ports.clock.wallMs()).toISOString();
  await run.records.writeDeleted(
    exportTaskId,
    archived.revision,
    { deletedAt: now, confirmedAt: now, runId: run.runId, outcome: facts.outcome },
    { signal },
  );
  await run.ports.store.abortUploadsUnder(folderOf(archived), { signal });
  run.ports.observe({ kind: "deleted", exportTaskId, outcome: facts.outcome });
  const deletedNow = facts.outcome === "deleted" ? ({ deletedNow: true } as const) : {};
  if (facts.archivedNow) {
    return { kind: "done", outcome: "archived-deleted", ...deletedNow };
  }
  return facts.outcome === "deleted"
    ? { kind: "done", outcome: "deleted", ...deletedNow }
    : { kind: "done", outcome: "already-done", reason: "already-gone" };
}

/** The task's folder, from the object that is recorded: the list no longer shows the task. */
function folderOf(archived: ArchivedRecord): string {
  const { key } = archived.object;
  return key.slice(0, key.lastIndexOf("/") + 1);
}
