import { type ExportTask, type PlatformScope, parsePlatformTime } from "./export-task.ts";

/** Keys of the two state documents (architecture §6.3). */
export const PACING_STATE_KEY = "state/pacing.json";
export const DISCOVERED_STATE_KEY = "state/discovered.json";

/** Who this archive is. Written once; what lies below a prefix without it is not an archive. */
export const ARCHIVE_MARKER_KEY = "archive.json";

/** What the store was found able to do, and when. Safe to delete: it is tried out again. */
export const STORE_STATE_KEY = "state/store.json";

/** A record's number has at most four digits; a file that claims more is none of ours. */
export const MAX_RECORD_NUMBER = 9_999;

/** The records a revision can have, without number and suffix. */
export type RecordName = "archived" | "deleted" | "dead-letter" | "retained" | "expired";

/** `2026/11/22` for a moment, in UTC. */
export function utcDayPath(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10).replaceAll("-", "/");
}

function scopePath(scope: PlatformScope): string {
  return `${scope.projectId}/${scope.instanceId ?? "default"}`;
}

/** The folder of everything archived for a task: `exports/{project}/{instance}/{yyyy}/{MM}/{dd}/{id}/`. */
export function exportFolder(
  scope: PlatformScope,
  task: Pick<ExportTask, "exportTaskId" | "createTime">,
): string {
  const createdMs = parsePlatformTime(task.createTime);
  const day = createdMs === undefined ? "undated" : utcDayPath(createdMs);
  return `exports/${scopePath(scope)}/${day}/${task.exportTaskId}/`;
}

/** The key of one attempt's object. The nonce keeps two attempts from ever writing one key (promise I2). */
export function exportObjectKey(folder: string, revision: string, nonceHex6: string): string {
  return `${folder}${revision}-${nonceHex6}.zip`;
}

/** Whether a listed key is an object of this revision in this folder; compared exactly, not by prefix alone. */
export function isObjectOfRevision(key: string, folder: string, revision: string): boolean {
  if (!key.startsWith(folder)) {
    return false;
  }
  const match = /^([0-9a-f]{8})-[0-9a-f]{6}\.zip$/.exec(key.slice(folder.length));
  return match?.[1] === revision;
}

/**
 * Whether a document tells people what happened, in words that others may have written. The program decides on nothing
 * in it but ids, numbers and times.
 */
export function isForPeople(key: string): boolean {
  return /^(?:runs|dead-letters|holds)\/|\/dead-letter(?:-\d+)?\.json$/.test(key);
}

/** The folder of every export of a project and instance. */
export function exportsRoot(scope: PlatformScope): string {
  return `exports/${scopePath(scope)}/`;
}

/** Task and revision of an archived object's key below {@link exportsRoot}, or `undefined` when it is none. */
export function parseExportObjectKey(
  key: string,
  scope: PlatformScope,
): { exportTaskId: string; revision: string } | undefined {
  const root = exportsRoot(scope);
  if (!key.startsWith(root)) {
    return undefined;
  }
  const match =
    /^(?:\d{4}\/\d{2}\/\d{2}|undated)\/([A-Za-z0-9_-]{1,36})\/([0-9a-f]{8})-[0-9a-f]{6}\.zip$/.exec(
      key.slice(root.length),
    );
  const [, exportTaskId, revision] = match ?? [];
  return exportTaskId === undefined || revision === undefined ? undefined : { exportTaskId, revision };
}

/** The folder of the records of every task of a project and instance. */
export function recordsRoot(scope: PlatformScope): string {
  return `records/${scopePath(scope)}/`;
}

/** The folder of all records of a task, over all its revisions. */
export function taskRecordsFolder(scope: PlatformScope, exportTaskId: string): string {
  return `${recordsRoot(scope)}${exportTaskId}/`;
}

/** The key of a revision's record; the first has no number, the second ends in `-2`. */
export function recordKey(
  scope: PlatformScope,
  exportTaskId: string,
  revision: string,
  name: RecordName,
  number: number,
): string {
  const suffix = number === 1 ? "" : `-${number}`;
  return `${taskRecordsFolder(scope, exportTaskId)}${revision}/${name}${suffix}.json`;
}

/** The parts of a record's key below {@link taskRecordsFolder}, or `undefined` when it is none. */
export function parseRecordKey(
  key: string,
  folder: string,
): { revision: string; name: RecordName; number: number } | undefined {
  if (!key.startsWith(folder)) {
    return undefined;
  }
  const match =
    /^([0-9a-f]{8})\/(archived|deleted|dead-letter|retained|expired)(?:-([2-9]|[1-9]\d{1,3}))?\.json$/.exec(
      key.slice(folder.length),
    );
  if (match === null) {
    return undefined;
  }
  const [, revision = "", name = "", number = "1"] = match;
  return { revision, name: name as RecordName, number: Number(number) };
}

/** The key of a dead letter whose revision is not known. */
export function deadLetterKey(atMs: number, bodySha256Hex: string): string {
  return `dead-letters/${utcDayPath(atMs)}/${bodySha256Hex.slice(0, 16)}.json`;
}

/** The key of the note on a letter that an operator dismissed; the nonce keeps two of one millisecond apart. */
export function dismissedLetterKey(atMs: number, nonceHex: string): string {
  return `dead-letters/dismissed/${utcDayPath(atMs)}/${runIdOf(atMs, nonceHex)}.json`;
}

/** The folder of one UTC day's run reports. */
export function runReportsFolder(atMs: number): string {
  return `runs/${utcDayPath(atMs)}/`;
}

/** The key of a run report; the run id begins with the run's start. */
export function runReportKey(startedAtMs: number, runId: string): string {
  return `${runReportsFolder(startedAtMs)}${runId}.json`;
}

/** Everything about holds. */
export const HOLDS_FOLDER = "holds/";
/** Holds on every task that matches a glob. No task id holds a slash, so no hold on one task lies here. */
export const GLOB_HOLDS_FOLDER = "holds/globs/";
/** What lifted holds leave behind: who lifted which, when and why. */
export const LIFTED_HOLDS_FOLDER = "holds/lifted/";

/** The key of a task's hold, written by `hold add`; its presence is the hold, whatever it says inside. */
export function holdKey(exportTaskId: string): string {
  return `holds/${exportTaskId}.json`;
}

/** The key of a hold on a glob. The glob is in the name, as hex, so that an unreadable document holds all the same. */
export function globHoldKey(glob: string): string {
  return `${GLOB_HOLDS_FOLDER}${Buffer.from(glob, "utf8").toString("hex")}.json`;
}

/** The glob of a key below {@link GLOB_HOLDS_FOLDER}, or `undefined` when its name is none of ours. */
export function parseGlobHoldKey(key: string): string | undefined {
  const [, hex] = /^holds\/globs\/((?:[0-9a-f]{2})+)\.json$/.exec(key) ?? [];
  return hex === undefined ? undefined : Buffer.from(hex, "hex").toString("utf8");
}

/** The key of the note on a lifted hold; the nonce keeps two of one millisecond apart. */
export function liftedHoldKey(liftedAtMs: number, nonceHex: string): string {
  return `${LIFTED_HOLDS_FOLDER}${utcDayPath(liftedAtMs)}/${runIdOf(liftedAtMs, nonceHex)}.json`;
}

/** `yyyyMMddTHHmmssSSSZ-{8 hex}`. */
export function runIdOf(startedAtMs: number, nonceHex8: string): string {
  const compact = new Date(startedAtMs).toISOString().replaceAll(/[-:.]/g, "");
  return `${compact}-${nonceHex8}`;
}

/** The folder of the catalogue of a project and instance. */
export function catalogueFolder(scope: PlatformScope): string {
  return `catalogue/${scopePath(scope)}/`;
}

/** The key of one month of the catalogue; the month is `yyyy-MM`. */
export function catalogueKey(scope: PlatformScope, month: string): string {
  return `${catalogueFolder(scope)}${month}.jsonl`;
}

/** The month of a catalogue file, or `undefined` when the key is not that of one. */
export function parseCatalogueKey(key: string, scope: PlatformScope): string | undefined {
  const folder = catalogueFolder(scope);
  return key.startsWith(folder) ? /^(\d{4}-\d{2})\.jsonl$/.exec(key.slice(folder.length))?.[1] : undefined;
}

/** The key of the ledger of one UTC day: which copies were read back, and with what result. */
export function verificationKey(atMs: number): string {
  return `${VERIFICATION_FOLDER}${utcDayPath(atMs)}.jsonl`;
}

/** The folder of all of them. */
export const VERIFICATION_FOLDER = "verification/";

/** The beginning of a ledger's day, epoch milliseconds, or `undefined` when the key is not that of one. */
export function parseVerificationKey(key: string): number | undefined {
  const [, year, month, day] = /^verification\/(\d{4})\/(\d{2})\/(\d{2})\.jsonl$/.exec(key) ?? [];
  const dayMs = Date.parse(`${year}-${month}-${day}T00:00:00.000Z`);
  return Number.isNaN(dayMs) || verificationKey(dayMs) !== key ? undefined : dayMs;
}

/**
 * What the last inventory of a project and instance found; several may share a store, each with its own catalogue. Safe to
 * delete: the next one says it again.
 */
export function inventoryStateKey(scope: PlatformScope): string {
  return `state/inventory/${scopePath(scope)}.json`;
}

/** The folder of what was told of one night of a project and instance; the date is `yyyy-MM-dd`. */
export function nightNotesFolder(scope: PlatformScope, date: string): string {
  return `notifications/${date.replaceAll("-", "/")}/${scopePath(scope)}/`;
}

/** What was told at once, and who could not be told. Safe to delete: it may be told once more. */
export function notificationStateKey(scope: PlatformScope): string {
  return `notifications/state/${scopePath(scope)}.json`;
}

/** The folder of the reports of nights, for the project and instance that had it first. */
export const REPORTS_FOLDER = "reports/";
/** Whose reports lie at the root of {@link REPORTS_FOLDER}; those of others sharing the store have a folder each. */
export const REPORTS_OWNER_KEY = "reports/owner.json";

/** The folder of the reports of a project and instance that is not the first one. */
export function ownReportsFolder(scope: PlatformScope): string {
  return `${REPORTS_FOLDER}${scopePath(scope)}/`;
}

/** The key of a night's report in its folder; the date is `yyyy-MM-dd`. */
export function reportKey(folder: string, date: string, kind: "html" | "json"): string {
  return `${folder}${date.replaceAll("-", "/")}.${kind}`;
}

/** The key of the newest night's page in its folder. */
export function latestPageKey(folder: string): string {
  return `${folder}latest.html`;
}
