import { ArchiverError } from "../domain/errors.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import type { TaskRecords } from "../records/task-records.ts";
import { recordDeleted } from "./finish.ts";
import type { AbsentTask } from "./look.ts";
import { sightIn } from "./run.ts";
import { absenceDelayMs, DOUBT_RECHECK_MS, EMPTY_LIST_PATIENCE_MS, TASK_PATIENCE_MS } from "./settings.ts";
import { askForFile } from "./slot.ts";
import type { Visit, VisitResult } from "./visit.ts";

/**
 * A task that the list does not show: done when its copy is recorded, otherwise watched until its absence
 * is proved or 48 h have passed (design §4 step 2).
 */
export async function settleAbsence(visit: Visit, sight: AbsentTask): Promise<VisitResult> {
  const { settings, ports } = visit.run;
  const nowMs = ports.clock.wallMs();
  const absentSinceMs = visit.message.absentSinceMs ?? nowMs;
  const absentForMs = nowMs - absentSinceMs;
  const archived = satisfyingRecord(visit, sight.records);
  if (archived !== undefined) {
    if (sightIn(sight.list, visit.exportTaskId) === "absent") {
      return await recordDeleted(visit, archived, { outcome: "already-gone", archivedNow: false });
    }
    // The copy is safe either way: retention records that the task is gone once a list proves it.
    return absentForMs >= TASK_PATIENCE_MS
      ? { kind: "done", outcome: "archived-kept", reason: "odd-list" }
      : watched(visit, "odd-list", DOUBT_RECHECK_MS, absentSinceMs);
  }
  const listIsEmpty = sight.list.tasks.length === 0;
  const patienceMs = listIsEmpty ? EMPTY_LIST_PATIENCE_MS : settings.absenceConfirmMs;
  // Of a task that is not archived only a list that was understood to its end may say that it is gone.
  const isUnderstood = sight.list.oddItems.length === 0;
  const isWorthAsking =
    isUnderstood && visit.message.absentSinceMs !== undefined && absentForMs >= patienceMs;
  const answer = isWorthAsking ? await askWhetherFileIsGone(visit) : "not-asked";
  switch (answer) {
    case "gone":
      return exportLost(visit, "No list shows the export and the platform no longer has its file.");
    case "no-slot":
      return { kind: "handed-back", endsRun: true };
    case "not-asked":
    case "unproved":
      if (absentForMs >= TASK_PATIENCE_MS) {
        return exportLost(
          visit,
          "No list has shown the export for 48 h; the platform never said that its file is gone.",
        );
      }
      return isUnderstood
        ? watched(visit, "absent", absenceDelayMs(settings, listIsEmpty), absentSinceMs)
        : watched(visit, "odd-list", DOUBT_RECHECK_MS, absentSinceMs);
  }
}

function watched(
  visit: Visit,
  reason: "absent" | "odd-list",
  delayMs: number,
  absentSinceMs: number,
): VisitResult {
  return { kind: "postponed", reason, delayMs, message: { ...visit.message, absentSinceMs } };
}

/**
 * The `archived` record that answers this request: of the revision the message names, of anything
 * downloaded since the request, or, when the message names no revision, of any.
 */
function satisfyingRecord(visit: Visit, records: TaskRecords): ArchivedRecord | undefined {
  const { revision, requestedAtMs } = visit.message;
  let newest: ArchivedRecord | undefined;
  for (const { archived } of records.revisions.values()) {
    if (archived === undefined) {
      continue;
    }
    const downloadedAtMs = Date.parse(archived.downloadedAt);
    const satisfies =
      revision === undefined || archived.revision === revision || downloadedAtMs > requestedAtMs;
    if (satisfies && (newest === undefined || downloadedAtMs > Date.parse(newest.downloadedAt))) {
      newest = archived;
    }
  }
  return newest;
}

async function askWhetherFileIsGone(visit: Visit): Promise<"gone" | "unproved" | "no-slot"> {
  try {
    const download = await askForFile(visit);
    if (download === "no-slot") {
      return "no-slot";
    }
    download.cancel();
    return "unproved";
  } catch (error) {
    visit.limit.signal.throwIfAborted();
    if (error instanceof ArchiverError && error.code === "platform-task-not-found") {
      return "gone";
    }
    if (error instanceof ArchiverError && error.code === "platform-throttled") {
      throw error;
    }
    return "unproved";
  }
}

function exportLost(visit: Visit, detail: string): VisitResult {
  visit.run.ports.observe({ kind: "export-lost", exportTaskId: visit.exportTaskId, detail });
  return { kind: "dead-letter", reason: "source-gone", detail };
}
