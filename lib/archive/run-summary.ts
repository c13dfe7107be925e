import { compact } from "../domain/compact.ts";
import { ArchiverError, describeFailure, type Failure } from "../domain/errors.ts";
import { oldestFirst, type PlatformScope } from "../domain/export-task.ts";
import { isIdentityFailure } from "../identity/errors.ts";
import { requireOwnArchive } from "../identity/marker.ts";
import {
  emptyCounts,
  type NextToGo,
  type PlatformPlaces,
  type RunReport,
  type StopReason,
  type TaskEntry,
  writeRunReport,
} from "../records/run-report.ts";
import { ArchivedExports } from "../run/archived-exports.ts";
import { withTimeLimit } from "../run/deadline.ts";
import { nextToGo, oldestInDanger, slotsWarning } from "../run/next-to-go.ts";
import { type FreshList, freshList, isFresh, PLACES_LIMIT, placesHeld } from "../run/platform-list.ts";
import { type RunStart, runTimes, startRun } from "../run/run-frame.ts";
import type { ArchivePorts } from "./events.ts";
import type { PreflightResult, Run } from "./run.ts";

/**
 * How long looking for the oldest unarchived export may take, and how long storing the report. Each has its own
 * limit: a crash loop is told by reports that are not there, so a slow look must not cost the report.
 */
const STEP_LIMIT_MS = 5_000;

/** How a run ended, and as far as it got. */
export interface RunEnding {
  readonly stopReason: StopReason;
  readonly tasks: readonly TaskEntry[];
  readonly failure?: Failure | undefined;
  /** Missing when the preflight did not pass. */
  readonly ready?: PreflightResult;
  readonly run?: Run;
}

/**
 * Makes the run report and stores it. A report that cannot be stored is still returned, with a warning. A run whose
 * archive is not there any more did not end well, and its report is stored nowhere.
 */
export async function summarize(
  ports: ArchivePorts,
  { projectId, instanceId }: PlatformScope,
  start: RunStart,
  ending: RunEnding,
): Promise<RunReport> {
  const { ready, run } = ending;
  const endsAtMs = Math.max(start.limitAtMs, ports.clock.monotonicMs());
  const partOfRestMs = (part: number) =>
    Math.min(STEP_LIMIT_MS, (endsAtMs - ports.clock.monotonicMs()) * part);
  const leftAlone = ready?.leftAlone.report();
  const platform = await places(ports, ending, partOfRestMs);
  const changed = ready && (await changeOfArchiveAtTheEnd(ports, ready, partOfRestMs(1 / 4)));
  const failure = ending.failure ?? changed;
  const report: RunReport = {
    ...runTimes(start, ports.clock),
    projectId,
    ...compact({ instanceId }),
    stopReason: changed === undefined ? ending.stopReason : "system-failure",
    counts: run?.counts ?? emptyCounts(),
    bytes: run?.archivedBytes ?? 0,
    pacing: ready?.abilities.compareAndSwap === false ? "unshared" : "shared",
    tasks: ending.tasks,
    platform,
    ...compact({ leftAlone, failure }),
  };
  if (changed === undefined) {
    await storeReport(ports, report, start.startedAtMs, partOfRestMs(1 / 2));
  } else {
    warnNotStored(ports, report, changed);
  }
  ports.observe({ kind: "run-ended", report });
  return report;
}

/**
 * Why this run may not say that all is well: what it archived may lie elsewhere. A store that only does not answer
 * just now is told of, and says nothing about the archive.
 */
async function changeOfArchiveAtTheEnd(
  ports: ArchivePorts,
  { abilities }: PreflightResult,
  limitMs: number,
): Promise<Failure | undefined> {
  try {
    await withTimeLimit(ports.clock, limitMs, (signal) =>
      requireOwnArchive({ abilities, ports }, { signal }),
    );
    return undefined;
  } catch (error) {
    const failure = describeFailure(error);
    if (error instanceof ArchiverError && error.scope === "system") {
      return failure;
    }
    warn(
      ports,
      "archive-not-seen-again",
      `the run could not read archive.json again at its end: ${failure.message}`,
    );
    return undefined;
  }
}

async function storeReport(
  ports: ArchivePorts,
  report: RunReport,
  startedAtMs: number,
  limitMs: number,
): Promise<void> {
  try {
    await withTimeLimit(ports.clock, limitMs, (signal) =>
      writeRunReport(ports.store, report, startedAtMs, { signal }),
    );
  } catch (error) {
    warnNotStored(ports, report, describeFailure(error));
  }
}

function warnNotStored(ports: ArchivePorts, { failure }: RunReport, why: Failure): void {
  // Where the run failed for want of its archive, its own failure has said all.
  if (isIdentityFailure(why) && isIdentityFailure(failure)) {
    return;
  }
  warn(ports, "report-not-stored", `the run could not store its report: ${why.message}`);
}

function warn(ports: ArchivePorts, code: string, message: string): void {
  ports.observe({ kind: "warning", code, message });
}

/** The report of a run that failed before it could begin: a configuration that cannot work. */
export function failedRunReport(ports: Pick<ArchivePorts, "clock" | "random">, failure: Failure): RunReport {
  return {
    ...runTimes(startRun(ports), ports.clock),
    stopReason: "system-failure",
    counts: emptyCounts(),
    bytes: 0,
    pacing: "shared",
    tasks: [],
    platform: { limit: PLACES_LIMIT },
    failure,
  };
}

/** The places held, and the export that has waited longest for its archive. */
async function places(
  ports: ArchivePorts,
  { ready, run, stopReason }: RunEnding,
  partOfRestMs: (part: number) => number,
): Promise<PlatformPlaces> {
  if (ready === undefined) {
    return { limit: PLACES_LIMIT };
  }
  const list = run === undefined ? ready.list : await listAtTheEnd(run, stopReason, partOfRestMs(1 / 4));
  const seenAtMs = ports.clock.wallMs() - (ports.clock.monotonicMs() - list.startedAtMs);
  const seenAt = isFresh(list, ports.clock) ? undefined : new Date(seenAtMs).toISOString();
  const held = compact({ held: placesHeld(list), limit: PLACES_LIMIT, seenAt });
  const archivedExports = run?.archivedExports ?? new ArchivedExports({ ...ports, records: ready.records });
  // Those without a time of creation come last.
  const finished = oldestFirst(list.tasks).filter(({ status }) => status === "Success");
  const warnOf = (next: NextToGo) => warn(ports, "slots-nearly-used", slotsWarning(held.held, next));
  try {
    const { oldest, next } = await withTimeLimit(ports.clock, partOfRestMs(1 / 4), async (signal) => ({
      oldest: await archivedExports.firstMissing(finished, { signal }),
      next: await nextToGo(list, archivedExports, { signal }),
    }));
    if (next !== undefined) {
      warnOf(next);
    }
    const { exportTaskId = "", createTime } = oldest ?? {};
    const oldestUnarchived = createTime === undefined ? undefined : { exportTaskId, createTime };
    return { ...held, ...compact({ oldestUnarchived, nextToGo: next }) };
  } catch (error) {
    const { message } = describeFailure(error);
    warn(ports, "oldest-unknown", `the run could not find the oldest unarchived export: ${message}`);
    const inDanger = oldestInDanger(list);
    if (inDanger !== undefined) {
      warnOf({ exportTaskId: inDanger.exportTaskId });
      return { ...held, nextToGo: { exportTaskId: inDanger.exportTaskId } };
    }
  }
  return held;
}

/** A list of the run's own end: other runs work while this one waits. One that fails leaves the last one. */
async function listAtTheEnd(run: Run, stopReason: StopReason, limitMs: number): Promise<FreshList> {
  const { ports, settings, lastSeen } = run;
  if (isFresh(lastSeen, ports.clock) || stopReason === "aborted" || stopReason === "system-failure") {
    return lastSeen;
  }
  try {
    return await withTimeLimit(ports.clock, limitMs, (signal) => freshList(ports, settings, signal));
  } catch (error) {
    const { message } = describeFailure(error);
    warn(
      ports,
      "places-not-seen-again",
      `the run could not read the platform's list again at its end: ${message}`,
    );
    return lastSeen;
  }
}
