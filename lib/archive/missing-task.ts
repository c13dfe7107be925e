import { ArchiverError } from "../domain/errors.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import type { TaskRecords } from "../records/task-records.ts";
import { listedAs } from "../run/platform-list.ts";
import { type Attempt, type AttemptOutcome, type Ending, knowing } from "./attempt.ts";
import type { MissingTask } from "./inspect-task.ts";
import { absenceDelayMs, EMPTY_LIST_PATIENCE_MS, LATER_RUN_MS, TASK_PATIENCE_MS } from "./settings.ts";
import { askForFile } from "./transfer.ts";
import { recordDeleted } from "./write-records.ts";

/**
 * A task that the list does not show: done when its copy is recorded, otherwise watched until its absence
 * is proved or 48 h have passed (architecture §4 step 2).
 */
export async function resolveMissingTask(attempt: Attempt, state: MissingTask): Promise<AttemptOutcome> {
  const archived = satisfyingRecord(attempt, state.records);
  if (archived === undefined) {
    return { ...(await watchUnarchived(attempt, state)), facts: {} };
  }
  if (listedAs(state.list, attempt.exportTaskId) !== "absent") {
    return { ...watchArchived(attempt), facts: {} };
  }
  const facts = { revision: archived.revision, sizeBytes: archived.object.sizeBytes };
  return await knowing(attempt, facts, async () => {
    const deletion = { outcome: "already-gone", archivedNow: false } as const;
    return { ...(await recordDeleted(attempt, archived, deletion)), facts };
  });
}

/** Its copy is safe: retention records that the task is gone once a list proves it. */
function watchArchived(attempt: Attempt): Ending {
  const { absentSinceMs, absentForMs } = absenceOf(attempt);
  return absentForMs >= TASK_PATIENCE_MS
    ? { kind: "done", outcome: "archived-kept", reason: "odd-list" }
    : watched(attempt, "odd-list", LATER_RUN_MS, absentSinceMs);
}

function absenceOf({ run, message }: Attempt) {
  const nowMs = run.ports.clock.wallMs();
  const absentSinceMs = message.absentSinceMs ?? nowMs;
  return { absentSinceMs, absentForMs: nowMs - absentSinceMs };
}

async function watchUnarchived(attempt: Attempt, state: MissingTask): Promise<Ending> {
  const { settings } = attempt.run;
  const { absentSinceMs, absentForMs } = absenceOf(attempt);
  const listIsEmpty = state.list.tasks.length === 0;
  const patienceMs = listIsEmpty ? EMPTY_LIST_PATIENCE_MS : settings.absenceConfirmMs;
  // Of a task that is not archived only a list that was understood to its end may say that it is gone.
  const isUnderstood = state.list.oddItems.length === 0;
  const isWorthAsking =
    isUnderstood && attempt.message.absentSinceMs !== undefined && absentForMs >= patienceMs;
  const answer = isWorthAsking ? await askWhetherFileIsGone(attempt) : "not-asked";
  switch (answer) {
    case "gone":
      return exportLost(attempt, "No list shows the export, and the platform no longer has its file.");
    case "no-slot":
      return { kind: "released", endsRun: true };
    case "not-asked":
    case "unproved":
      if (absentForMs >= TASK_PATIENCE_MS) {
        return exportLost(
          attempt,
          "No list has shown the export for 48 h, but the platform never said that its file is gone.",
        );
      }
      return isUnderstood
        ? watched(attempt, "absent", absenceDelayMs(settings, listIsEmpty), absentSinceMs)
        : watched(attempt, "odd-list", LATER_RUN_MS, absentSinceMs);
  }
}

function watched(
  attempt: Attempt,
  reason: "absent" | "odd-list",
  delayMs: number,
  absentSinceMs: number,
): Ending {
  return { kind: "postponed", reason, delayMs, message: { ...attempt.message, absentSinceMs } };
}

/**
 * The `archived` record that answers this request: of the revision the message names, of anything
 * downloaded since the request, or, when the message names no revision, of any.
 */
function satisfyingRecord(attempt: Attempt, records: TaskRecords): ArchivedRecord | undefined {
  const { revision, requestedAtMs } = attempt.message;
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

async function askWhetherFileIsGone(attempt: Attempt): Promise<"gone" | "unproved" | "no-slot"> {
  try {
    const download = await askForFile(attempt);
    if (download === "no-slot") {
      return "no-slot";
    }
    download.cancel();
    return "unproved";
  } catch (error) {
    attempt.limit.signal.throwIfAborted();
    if (error instanceof ArchiverError && error.code === "platform-task-not-found") {
      return "gone";
    }
    if (error instanceof ArchiverError && error.code === "platform-throttled") {
      throw error;
    }
    return "unproved";
  }
}

function exportLost(attempt: Attempt, detail: string): Ending {
  attempt.run.ports.observe({ kind: "export-lost", exportTaskId: attempt.exportTaskId, detail });
  return { kind: "dead-letter", reason: "source-gone", detail };
}
