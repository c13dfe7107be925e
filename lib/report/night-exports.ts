import { compact } from "../domain/compact.ts";
import { compareTexts } from "../domain/compare-texts.ts";
import { type ExportTask, isoPlatformTime, parsePlatformTime, revisionOf } from "../domain/export-task.ts";
import type { RunReport, TaskEntry } from "../records/run-report.ts";
import type { MadeExport } from "./expected.ts";
import { EXPORT_STANDINGS, type ExportStanding, type NightExport } from "./night.ts";
import type { NightFacts, NightLine } from "./night-facts.ts";

/** An entry of a run report, and when the run ended. */
interface Attempt extends TaskEntry {
  readonly startedAt: string;
  readonly endedAt: string;
}

/** An export of the night, and what findings need to know of it. */
export interface ExportOfNight extends NightExport {
  /** When it was given up, epoch milliseconds. */
  readonly givenUpAtMs?: number;
  /** When the platform finished it; only of listed ones. */
  readonly finishedAtMs?: number;
}

/** Everything known of one revision. */
interface Known {
  readonly exportTaskId: string;
  readonly revision: string | undefined;
  readonly attempts: readonly Attempt[];
  readonly line: NightLine | undefined;
  readonly task: ExportTask | undefined;
}

/** Runs that ended in the night, in the order of their ends. */
export function runsOfNight({
  runs,
  fromMs,
  madeAtMs,
}: Pick<NightFacts, "runs" | "fromMs" | "madeAtMs">): readonly RunReport[] {
  return inOrder(runs).filter(({ endedAt }) => {
    const endedAtMs = Date.parse(endedAt);
    return endedAtMs > fromMs && endedAtMs <= madeAtMs;
  });
}

/** Reports by the end of their runs, whatever the order in which they were read. */
export function inOrder(runs: readonly RunReport[]): readonly RunReport[] {
  const keyOf = ({ endedAt, startedAt, runId }: RunReport) =>
    `${new Date(endedAt).toISOString()} ${new Date(startedAt).toISOString()} ${runId}`;
  const keyed = runs.map((run) => ({ run, key: keyOf(run) }));
  return keyed.sort((a, b) => compareTexts(a.key, b.key)).map(({ run }) => run);
}

/**
 * The exports that the night was about, those first that need a person: what runs worked on, what the records say was
 * archived or deleted in it although its run died before its report, and what is finished on the platform without a copy.
 */
export function exportsOfNight(facts: NightFacts): readonly ExportOfNight[] {
  const rows = known(facts).flatMap((one) => {
    const row = rowOf(one, facts);
    return row === undefined ? [] : [row];
  });
  return rows.sort(
    (a, b) =>
      EXPORT_STANDINGS.indexOf(a.standing) - EXPORT_STANDINGS.indexOf(b.standing) ||
      compareTexts(a.exportTaskId, b.exportTaskId) ||
      compareTexts(a.revision ?? "", b.revision ?? ""),
  );
}

function known(facts: NightFacts): readonly Known[] {
  const { lines, platform, fromMs, madeAtMs } = facts;
  const lineOf = new Map(lines.map((line) => [nameOf(line), line]));
  const taskOf = new Map(
    (platform?.tasks ?? [])
      .filter(({ status }) => status === "Success")
      .map((task) => [nameOf({ exportTaskId: task.exportTaskId, revision: revisionOf(task) }), task]),
  );
  const isInNight = (time: string | undefined) =>
    time !== undefined && Date.parse(time) > fromMs && Date.parse(time) <= madeAtMs;
  const attempts = attemptsByName(runsOfNight(facts));
  const ofNight = lines.filter(({ archivedAt, deletedAt }) => isInNight(archivedAt) || isInNight(deletedAt));
  const names = new Set([...attempts.keys(), ...ofNight.map(nameOf), ...taskOf.keys()]);
  return [...names].map((name) => {
    // An id that a report of a run names may have a slash; a revision has none.
    const slash = name.lastIndexOf("/");
    const exportTaskId = name.slice(0, slash);
    const revision = name.slice(slash + 1);
    const line = lineOf.get(name);
    return {
      exportTaskId,
      revision: revision === "" ? undefined : revision,
      attempts: attempts.get(name) ?? [],
      line,
      task: taskOf.get(name),
    };
  });
}

/** An attempt that did not learn the revision counts for the last one that others learned of the same export. */
function attemptsByName(runs: readonly RunReport[]): ReadonlyMap<string, readonly Attempt[]> {
  const all = runs.flatMap(({ startedAt, endedAt, tasks }) =>
    tasks.map((task) => ({ ...task, startedAt, endedAt })),
  );
  const lastRevision = new Map(
    all.flatMap(({ exportTaskId, revision }) =>
      revision === undefined ? [] : [[exportTaskId, revision] as const],
    ),
  );
  return Map.groupBy(all, ({ exportTaskId, revision = lastRevision.get(exportTaskId) }) =>
    nameOf({ exportTaskId, revision }),
  );
}

function rowOf(one: Known, facts: NightFacts): ExportOfNight | undefined {
  const { exportTaskId, revision, attempts, line, task } = one;
  const { standing, reason, givenUpAtMs } = standingOf(one, facts);
  if (standing === undefined) {
    return undefined;
  }
  // What the platform could not make has a batch task, too.
  const listed = task ?? facts.platform?.tasks.find((other) => other.exportTaskId === exportTaskId);
  return {
    exportTaskId,
    standing,
    attempts: attempts.length,
    ...compact({
      revision,
      reason,
      batchTaskId: line?.batchTaskId ?? batchTaskIdOf(listed),
      rows: line?.exportCount ?? task?.exportCount,
      sizeBytes: line?.sizeBytes ?? attempts.findLast(({ sizeBytes }) => sizeBytes !== undefined)?.sizeBytes,
      createTime: line?.createTime ?? isoPlatformTime(task?.createTime),
      archivedAt: line?.archivedAt,
      deletedAt: line?.deletedAt,
      givenUpAtMs,
      finishedAtMs: parsePlatformTime(task?.endTime),
    }),
  };
}

interface Standing {
  /** `undefined`: nothing happened to it in this night that anybody asks about. */
  readonly standing: ExportStanding | undefined;
  readonly reason?: string | undefined;
  readonly givenUpAtMs?: number | undefined;
}

function standingOf({ exportTaskId, revision, attempts, line, task }: Known, facts: NightFacts): Standing {
  const { platform, fromMs } = facts;
  const name = nameOf({ exportTaskId, revision });
  const last = attempts.findLast(({ outcome }) => outcome !== "already-done");
  const letter = platform?.givenUp.get(name);
  const givenUpAtMs = last?.outcome === "dead-lettered" ? Date.parse(last.endedAt) : undefined;
  const isArchived = line !== undefined || platform?.archived.has(name) === true;
  if (isArchived || attempts.some(({ outcome }) => HAS_COPY.has(outcome))) {
    const isOld =
      line === undefined
        ? attempts.every(({ outcome }) => !ARCHIVES.has(outcome))
        : Date.parse(line.archivedAt) <= fromMs && !attempts.some((attempt) => isArchivedBy(attempt, line));
    const isGone =
      line === undefined ? last !== undefined && DELETES.has(last.outcome) : line.deletedAt !== undefined;
    const standing = isOld
      ? isGone && !isDeletedBefore(line, fromMs)
        ? "deleted"
        : undefined
      : isGone
        ? "archived-deleted"
        : "archived-kept";
    return { standing, reason: isGone ? undefined : last?.reason, givenUpAtMs };
  }
  if (last?.outcome === "dead-lettered") {
    return { standing: "given-up", reason: last.reason, givenUpAtMs };
  }
  if (last?.outcome === "retried") {
    return { standing: "retried", reason: last.reason };
  }
  if (letter !== undefined) {
    return { standing: "given-up", reason: letter.reason, givenUpAtMs: letter.atMs };
  }
  // Without the platform's list only the runs tell what waits.
  const waits = task !== undefined || (platform === undefined && isLeftFinished(last));
  return { standing: waits ? "waiting" : undefined, reason: last?.reason };
}

const HAS_COPY: ReadonlySet<string> = new Set(["archived-deleted", "archived-kept", "deleted"]);
const ARCHIVES: ReadonlySet<string> = new Set(["archived-deleted", "archived-kept"]);
const DELETES: ReadonlySet<string> = new Set(["archived-deleted", "deleted"]);
/** Of these exports it is not known that the platform has finished them. */
const UNFINISHED: ReadonlySet<string> = new Set(["unfinished", "absent", "left-alone", "odd-list"]);

/**
 * A run that was under way when the report before this one was made left nothing that it could count: what the run archived
 * belongs to the night in which it ended.
 */
function isArchivedBy({ outcome, startedAt }: Attempt, { archivedAt }: NightLine): boolean {
  return ARCHIVES.has(outcome) && Date.parse(startedAt) <= Date.parse(archivedAt);
}

function isLeftFinished(last: Attempt | undefined): boolean {
  return last?.outcome === "postponed" && !UNFINISHED.has(last.reason ?? "");
}

function isDeletedBefore(line: NightLine | undefined, fromMs: number): boolean {
  return line?.deletedAt !== undefined && Date.parse(line.deletedAt) <= fromMs;
}

/** Every export of which it is known when it was made, each once. */
export function madeExports({ platform, lines }: NightFacts): readonly MadeExport[] {
  const fromList = (platform?.tasks ?? []).map((task) => ({
    ...task,
    rows: task.status === "Success" ? task.exportCount : undefined,
    createTime: isoPlatformTime(task.createTime),
    batchTaskId: batchTaskIdOf(task),
  }));
  const fromLines = [...lines]
    .sort((a, b) => compareTexts(nameOf(a), nameOf(b)))
    .map((line) => ({ ...line, rows: line.exportCount }));
  // The platform's list comes last: it shows the newest revision.
  const made = [...fromLines, ...fromList].flatMap(
    ({ exportTaskId, createTime, rows, appId, appType, resourceType, batchTaskId }): MadeExport[] =>
      createTime === undefined
        ? []
        : [
            {
              exportTaskId,
              madeAtMs: Date.parse(createTime),
              ...compact({ rows, appId, appType, resourceType, batchTaskId }),
            },
          ],
  );
  return [...new Map(made.map((one) => [one.exportTaskId, one])).values()];
}

/** The batch task that an export was made of, by the filter that the platform echoes (iotda-api §1.4). */
function batchTaskIdOf(task: ExportTask | undefined): string | undefined {
  const condition = task?.resourceCondition;
  if (typeof condition !== "object" || condition === null || !("task_id" in condition)) {
    return undefined;
  }
  const { task_id: id } = condition;
  return typeof id === "string" && id.length <= 1_024 ? id : undefined;
}

/** `{exportTaskId}/{revision}`; nothing after the slash where the revision is not known. */
export function nameOf({
  exportTaskId,
  revision = "",
}: {
  readonly exportTaskId: string;
  readonly revision?: string | undefined;
}): string {
  return `${exportTaskId}/${revision}`;
}
