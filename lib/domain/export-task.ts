import { hash } from "node:crypto";

/**
 * One item of `ListExportTasks`, with only what the archiver decides on. A status other than the three
 * documented ones survives as it is and is never acted on (iotda-api §1.5).
 */
export interface ExportTask {
  readonly exportTaskId: string;
  /** `Processing`, `Success`, `Failed`, or something newer than this program. */
  readonly status: string;
  readonly resourceType: string | undefined;
  /** The filter the export was made with, echoed by the platform. */
  readonly resourceCondition: unknown;
  readonly appType: string | undefined;
  readonly appId: string | undefined;
  readonly exportCount: number | undefined;
  /** As the platform wrote it; see {@link parsePlatformTime}. */
  readonly createTime: string | undefined;
  readonly endTime: string | undefined;
  /** The whole item as listed, for the `archived` record. */
  readonly source: Readonly<Record<string, unknown>>;
}

/** Ids as the platform allocates them (iotda-api §1.2). Everything else is refused before it reaches a URL or key. */
export const EXPORT_TASK_ID = /^[A-Za-z0-9_-]{1,36}$/;

/** Whether `text` is an export task id. */
export function isExportTaskId(text: string): boolean {
  return EXPORT_TASK_ID.test(text);
}

const EXTENDED_TIME = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,3}))?Z$/;
const COMPACT_TIME = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/;

/**
 * Reads a platform time: extended ISO with or without milliseconds, or compact `yyyyMMdd'T'HHmmss'Z'`
 * (iotda-api §1.5, "time format trap").
 *
 * @returns epoch milliseconds, or `undefined` for what is neither of the two texts, or names a moment that never was.
 */
export function parsePlatformTime(value: unknown): number | undefined {
  const text = typeof value === "string" ? value : "";
  const match = EXTENDED_TIME.exec(text) ?? COMPACT_TIME.exec(text);
  if (match === null) {
    return undefined;
  }
  const [, year, month, day, hour, minute, second, fraction = ""] = match;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, "0")}Z`;
  const epochMs = Date.parse(iso);
  // Date.parse rolls 30 February over into March, and 24:00 into the next day; such a time is not a time.
  return new Date(epochMs).getUTCDate() === Number(day) ? epochMs : undefined;
}

/** A platform time in the one form that sorts: ISO 8601 with milliseconds, in UTC. `undefined` as {@link parsePlatformTime}. */
export function isoPlatformTime(value: unknown): string | undefined {
  const epochMs = parsePlatformTime(value);
  return epochMs === undefined ? undefined : new Date(epochMs).toISOString();
}

/**
 * The revision of a task's content: the first 8 hex digits of SHA-256 over id, end time and row count
 * (architecture §4). The same id gets a new revision when a same-condition create overwrites its file.
 *
 * An end time in an undocumented format takes part as its own text, so that a changed one still changes
 * the revision.
 */
export function revisionOf(task: Pick<ExportTask, "exportTaskId" | "endTime" | "exportCount">): string {
  const endTime = task.endTime === undefined ? "" : String(parsePlatformTime(task.endTime) ?? task.endTime);
  const exportCount = task.exportCount === undefined ? "" : String(task.exportCount);
  return hash("sha256", `${task.exportTaskId}\n${endTime}\n${exportCount}`).slice(0, 8);
}

/** Whether a document that names a project and instance is of these. `null` stands for the default instance, too. */
export function isSameScope(
  { projectId, instanceId }: { readonly projectId?: string; readonly instanceId?: string | null | undefined },
  scope: PlatformScope,
): boolean {
  return projectId === scope.projectId && (instanceId ?? undefined) === scope.instanceId;
}

/** The project and instance whose exports one deployment archives. */
export interface PlatformScope {
  readonly projectId: string;
  readonly instanceId: string | undefined;
}

/** The key that names one revision's work in records and logs: `iotda:{project}:{instance|default}:{id}:{revision}`. */
export function idempotencyKeyOf(scope: PlatformScope, exportTaskId: string, revision: string): string {
  return `iotda:${scope.projectId}:${scope.instanceId ?? "default"}:${exportTaskId}:${revision}`;
}

/** The platform evicts the oldest first, so that is the order of urgency; undated ones come last. */
export function oldestFirst(tasks: readonly ExportTask[]): readonly ExportTask[] {
  const createdMs = (task: ExportTask) => parsePlatformTime(task.createTime) ?? Number.POSITIVE_INFINITY;
  // The list is newest first; reversing it keeps the platform's own order where times are equal.
  return [...tasks].reverse().sort((a, b) => {
    const [aMs, bMs] = [createdMs(a), createdMs(b)];
    return aMs === bMs ? 0 : aMs - bMs;
  });
}
