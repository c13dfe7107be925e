import { hash } from "node:crypto";
import * as v from "valibot";
import { compact } from "../domain/compact.ts";
import { compareTexts } from "../domain/compare-texts.ts";
import { EXPORT_TASK_ID, isoPlatformTime } from "../domain/export-task.ts";
import { parseDocumentJson } from "../domain/json.ts";
import type { ListedObject } from "../ports/object-store.ts";
import { type RevisionLedger, standingRecord, UNREADABLE } from "./retention-records.ts";
import { type ArchivedRecord, isoTime, type RetainedRecord } from "./schemas.ts";

const text = v.pipe(v.string(), v.maxLength(1_024));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const tag = v.pipe(v.string(), v.regex(/^[0-9a-f]{12}$/));

/**
 * One archived revision, as the catalogue shows it (architecture §11): one line of JSON. Every field comes from the
 * records, so a line that is lost is made again. A reader passes over fields that it does not know.
 */
const catalogueLineSchema = v.object({
  exportTaskId: v.pipe(v.string(), v.regex(EXPORT_TASK_ID)),
  revision: v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/)),
  batchTaskId: v.optional(text),
  appId: v.optional(text),
  /** ISO 8601, in UTC. */
  createTime: v.optional(isoTime),
  endTime: v.optional(isoTime),
  exportCount: v.optional(count),
  /** Of the object, below the store's prefix. */
  key: text,
  versionId: v.optional(text),
  sizeBytes: count,
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  archivedAt: isoTime,
  deletedAt: v.optional(isoTime),
  /** Why the task is still on the platform. */
  keptFor: v.optional(v.literal("hold")),
  /** `forever`, or the moment from which retention may remove the object. */
  retainedUntil: v.optional(text),
  lock: v.optional(text),
  /** Until when the store locked the object when the `retained` record was written. */
  lockedUntil: v.optional(isoTime),
  /** Of what the `retained` record says, as {@link retainedTagOf} makes it. */
  retainedTag: v.optional(tag),
  expiredAt: v.optional(isoTime),
  /** What retention rules look at besides. */
  resourceType: v.optional(text),
  appType: v.optional(text),
  condition: v.optional(v.record(v.string(), v.unknown())),
  /** The filter is too long for a line: only the record says what it is. */
  isConditionLeftOut: v.optional(v.literal(true)),
  /** Earlier objects of this revision that a record names: they are not orphans. */
  earlier: v.optional(v.array(v.object({ key: text, sizeBytes: count }))),
  /** Whether the SHA-256 was computed from the stored bytes when the export was archived. */
  wasReadBack: v.optional(v.literal(true)),
  /** Of the records that the line was made from. Another state of the records has another tag. */
  recordsTag: tag,
});
export type CatalogueLine = v.InferOutput<typeof catalogueLineSchema>;

/** Of the filter that an export was made with, at most this much stands in a line. */
const MAX_CONDITION_CHARACTERS = 2_048;

/** Names the state of one revision's records: their names, sizes and times, as a list shows them. */
export function recordsTagOf(documents: readonly ListedObject[]): string {
  const facts = documents.map(({ key, sizeBytes, modifiedAtMs }) => `${key} ${sizeBytes} ${modifiedAtMs}`);
  return tagOf(facts.sort().join("\n"));
}

/**
 * Names what a `retained` record says about the wish of a policy and about what the store can do, but for the lock it
 * found: where a policy asks for the same, it makes the same tag.
 */
export function retainedTagOf({ object, rule, keepUntil, lock, tags, applied }: RetainedWish): string {
  const sorted = Object.entries(tags).sort(([a], [b]) => compareTexts(a, b));
  const { key, versionId } = object;
  const canLock = applied.lock !== "unsupported";
  return tagOf(JSON.stringify([key, versionId, rule, keepUntil, lock, canLock, applied.tags, sorted]));
}

type RetainedWish = Pick<RetainedRecord, "object" | "rule" | "keepUntil" | "lock" | "tags" | "applied">;

function tagOf(facts: string): string {
  return hash("sha256", facts).slice(0, 12);
}

/** The line of a revision; `undefined` where no `archived` record stands, or one of the records cannot be read. */
export function lineOf(ledger: RevisionLedger, recordsTag: string): CatalogueLine | undefined {
  const { archived, deleted, retained, expired } = ledger;
  const record = standingRecord(ledger);
  if (record === undefined || archived === UNREADABLE || archived === undefined) {
    return undefined;
  }
  if (deleted === UNREADABLE || retained === UNREADABLE || expired === UNREADABLE) {
    return undefined;
  }
  const { object } = record;
  const earlier = archived
    .map((one) => ({ key: one.object.key, sizeBytes: one.object.sizeBytes }))
    .filter(({ key }) => key !== object.key);
  return compact({
    exportTaskId: ledger.exportTaskId,
    revision: ledger.revision,
    ...filterOf(record),
    createTime: isoPlatformTime(record.source.create_time),
    endTime: isoPlatformTime(record.source.end_time),
    exportCount: countOf(record.source.export_count),
    key: object.key,
    versionId: object.versionId,
    sizeBytes: object.sizeBytes,
    sha256: object.sha256,
    archivedAt: record.archivedAt,
    deletedAt: deleted?.deletedAt,
    retainedUntil: retained?.keepUntil,
    lock: retained?.lock,
    lockedUntil: retained?.lockedUntil,
    retainedTag: retained && retainedTagOf(retained),
    expiredAt: expired?.expiredAt,
    earlier: earlier.length === 0 ? undefined : earlier,
    wasReadBack: record.verification.level === "read-back" ? (true as const) : undefined,
    recordsTag,
  });
}

/** What the export was made of, from the listed task (iotda-api §1.4). */
function filterOf({ source }: ArchivedRecord) {
  const condition = v.safeParse(v.record(v.string(), v.unknown()), source.resource_condition);
  const filter = condition.success ? condition.output : {};
  const isShort = JSON.stringify(filter).length <= MAX_CONDITION_CHARACTERS;
  return {
    batchTaskId: shortText(filter.task_id),
    appId: shortText(source.app_id),
    resourceType: shortText(source.resource_type),
    appType: shortText(source.app_type),
    condition: condition.success && isShort ? filter : undefined,
    isConditionLeftOut: isShort ? undefined : (true as const),
  };
}

function shortText(value: unknown): string | undefined {
  return typeof value === "string" && value.length <= 1_024 ? value : undefined;
}

function countOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

const FIELDS = Object.keys(catalogueLineSchema.entries);

/** The line as text, without a line break, its fields always in one order: the same records give the same bytes. */
export function formatLine(line: CatalogueLine): string {
  const fields = new Map<string, unknown>(Object.entries(line));
  return JSON.stringify(Object.fromEntries(FIELDS.map((name) => [name, fields.get(name)])));
}

/** Reads one line of a catalogue file; `undefined` for what is not a line of ours. */
export function parseLine(lineText: string): CatalogueLine | undefined {
  const result = v.safeParse(catalogueLineSchema, parseDocumentJson(lineText));
  return result.success ? result.output : undefined;
}

/** The month of the file that a line stands in, `yyyy-MM`, by the UTC time of the archiving. */
export function monthOf({ archivedAt }: Pick<CatalogueLine, "archivedAt">): string {
  // This is asked several times of every line of an archive, and a text that is in UTC already needs no date.
  return (archivedAt.endsWith("Z") ? archivedAt : new Date(archivedAt).toISOString()).slice(0, 7);
}

/** The order of the lines of a file: by the time of the archiving, then by key. */
export function compareLines(a: CatalogueLine, b: CatalogueLine): number {
  return Date.parse(a.archivedAt) - Date.parse(b.archivedAt) || compareTexts(a.key, b.key);
}
