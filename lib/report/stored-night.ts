import * as v from "valibot";
import { isSameScope, type PlatformScope } from "../domain/export-task.ts";
import type { StoredDocument } from "../ports/object-store.ts";
import { isoTime, parseRecord, schemaVersion } from "../records/schemas.ts";
import { EXPORT_STANDINGS, MAX_NIGHT_EXPORTS, type Night, VERDICTS } from "./night.ts";
import { isTimeZone, localDateOf } from "./zoned-time.ts";

/** Far more than a night has of anything. */
const MAX_OF_A_KIND = 10_000;

const name = v.pipe(v.string(), v.maxLength(1_024));
const text = v.pipe(v.string(), v.maxLength(10_000));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
/** What the platform says of rows is shown as it is. */
const rows = v.pipe(v.number(), v.safeInteger());
const amount = v.pipe(v.number(), v.minValue(0));
/** The milliseconds that a Date can have. */
const epochMs = v.pipe(v.number(), v.integer(), v.minValue(-8.64e15), v.maxValue(8.64e15));
const date = v.pipe(v.string(), v.isoDate());
const missable = v.exactOptional;

function list<const Schema extends v.GenericSchema>(schema: Schema) {
  return v.pipe(v.array(schema), v.maxLength(MAX_OF_A_KIND));
}

const failure = v.object({ code: name, message: text, hint: text });

function finding<const Kind extends string, const Fields extends v.ObjectEntries>(
  kind: Kind,
  fields: Fields,
) {
  return v.object({ kind: v.literal(kind), ...fields });
}

// The order of the fields is that in which findings are made: what is read and written again has the same bytes.
const findingSchema = v.variant("kind", [
  finding("loss-near", { exportTaskId: name, lossFromMs: epochMs, held: count, limit: count }),
  finding("lost", { exportTaskId: name, atMs: epochMs }),
  finding("given-up", { exportTaskId: name, reason: name, atMs: epochMs, batchTaskId: missable(name) }),
  finding("damaged", {
    exportTaskId: name,
    revision: name,
    damage: v.picklist(["missing", "resized", "changed", "unreadable-record"]),
    key: name,
  }),
  finding("system-failing", { failure, runs: count, sinceMs: epochMs }),
  finding("still-waiting", { count, exportTaskId: name, sinceMs: epochMs }),
  finding("expected-missing", {
    rule: name,
    expected: count,
    found: count,
    byMs: epochMs,
    lastSeenMs: missable(epochMs),
    batchTaskId: missable(name),
  }),
  finding("expected-empty", { rule: name, exportTaskId: name, rows, minRows: count }),
  finding("fewer-than-usual", { found: count, median: amount }),
  finding("verification-late", { limitDays: count, missedFromMs: missable(epochMs) }),
  finding("drill-failed", { exportTaskId: name, atMs: epochMs }),
  finding("no-inventory", { lastMs: missable(epochMs) }),
  finding("slots-nearly-used", { held: count, limit: count }),
  finding("expected-late", { rule: name, byMs: epochMs, madeAtMs: epochMs }),
  finding("dead-letters", { count }),
  finding("orphans", { count }),
  finding("left-alone", { count }),
  finding("not-notified", { target: name, sinceMs: epochMs }),
]);

const exportSchema = v.object({
  exportTaskId: name,
  standing: v.picklist(EXPORT_STANDINGS),
  attempts: count,
  revision: missable(name),
  reason: missable(name),
  batchTaskId: missable(name),
  rows: missable(rows),
  sizeBytes: missable(count),
  createTime: missable(isoTime),
  archivedAt: missable(isoTime),
  deletedAt: missable(isoTime),
});

const nightSchema = v.object({
  schemaVersion: v.pipe(schemaVersion, v.literal(1)),
  date,
  timeZone: name,
  projectId: name,
  instanceId: missable(name),
  endpoint: name,
  from: isoTime,
  madeAt: isoTime,
  verdict: v.picklist(VERDICTS),
  findings: list(findingSchema),
  counts: v.object({
    finished: count,
    archived: count,
    deleted: count,
    kept: count,
    givenUp: count,
    waiting: count,
    made: count,
    throttled: count,
  }),
  bytes: count,
  deletion: v.picklist(["after-verify", "never"]),
  places: v.object({
    limit: count,
    held: missable(count),
    seenAt: missable(isoTime),
    archived: missable(count),
    fullInDays: missable(v.object({ least: amount, usual: amount })),
    lossFrom: missable(isoTime),
  }),
  keptFor: v.pipe(v.record(name, count), v.maxEntries(MAX_OF_A_KIND)),
  exports: v.pipe(v.array(exportSchema), v.maxLength(MAX_NIGHT_EXPORTS)),
  runs: list(
    v.object({
      runId: name,
      startedAt: isoTime,
      endedAt: isoTime,
      stopReason: name,
      archived: count,
      deleted: count,
      failureCode: missable(name),
    }),
  ),
  lastRunAt: missable(isoTime),
  verification: missable(
    v.object({
      limitDays: count,
      copies: count,
      coldCopies: count,
      oldestUnreadDays: amount,
      isLimitKept: v.boolean(),
      readToday: count,
      damaged: count,
      at: isoTime,
    }),
  ),
  nights: list(
    v.object({
      date,
      verdict: v.picklist([...VERDICTS, "unreported"]),
      archived: missable(count),
      givenUp: missable(count),
      made: missable(count),
      held: missable(count),
      hasRetries: missable(v.boolean()),
    }),
  ),
  streak: count,
  unknown: v.object({ platform: missable(failure), queue: missable(failure) }),
});

/**
 * Reads the stored report of a night.
 *
 * @returns `undefined` where there is none, or what stands there is not the report of this night of this project and
 *   instance.
 */
export function parseStoredNight(
  document: Pick<StoredDocument, "text"> | undefined,
  scope: PlatformScope,
  wantedDate: string,
): Night | undefined {
  const night = parseRecord(nightSchema, document);
  const isWanted =
    night?.date === wantedDate &&
    isSameScope(night, scope) &&
    isTimeZone(night.timeZone) &&
    localDateOf(Date.parse(night.madeAt), night.timeZone) === wantedDate;
  return isWanted ? night : undefined;
}
