import { idempotencyKeyOf } from "../domain/export-task.ts";
import type { StoredObject } from "../ports/object-store.ts";
import { type ArchivedRecord, SCHEMA_VERSION } from "../records/schemas.ts";
import { type Copy, recordedInfo } from "./copy.ts";
import type { FinishedTask } from "./look.ts";
import { recordedProofAtMs } from "./proof-age.ts";
import type { Visit } from "./visit.ts";

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
export async function recordArchived(visit: Visit, sight: FinishedTask, proven: ProvenCopy): Promise<Copy> {
  const { run, exportTaskId } = visit;
  const { scope } = run.settings;
  const { object, sha256 } = proven;
  const record: ArchivedRecord = {
    schemaVersion: SCHEMA_VERSION,
    idempotencyKey: idempotencyKeyOf(scope, exportTaskId, sight.revision),
    projectId: scope.projectId,
    instanceId: scope.instanceId ?? null,
    exportTaskId,
    revision: sight.revision,
    object: { ...object, sha256 },
    source: { ...sight.task.source },
    verification: proven.verification,
    downloadedAt: new Date(proven.downloadedAtMs).toISOString(),
    archivedAt: new Date(run.ports.clock.wallMs()).toISOString(),
    runId: run.runId,
    attempts: visit.message.attempts ?? 0,
  };
  const { standing, won } = await run.records.writeArchived(record, sight.records.archivedNumber + 1, {
    signal: visit.limit.signal,
  });
  visit.learned.sizeBytes = standing.object.sizeBytes;
  if (won) {
    run.counts.archived += 1;
    run.archivedBytes += object.sizeBytes;
    run.noteSuccess(exportTaskId);
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
  return {
    kind: "copy",
    record: standing,
    seen: won ? object : recordedInfo(standing),
    provedAtMs: recordedProofAtMs(standing, run.ports.clock),
    archivedNow: won,
  };
}
