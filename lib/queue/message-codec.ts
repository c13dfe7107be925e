import * as v from "valibot";
import { EXPORT_TASK_ID, isExportTaskId } from "../domain/export-task.ts";
import { MAX_JSON_DEPTH, readForeignJson } from "../domain/json.ts";
import type { TaskMessage } from "../domain/task-message.ts";
import type { HeldDeadLetter, ParsedBody } from "../ports/task-queue.ts";
import { escapeRefused } from "./sqs-text.ts";

/** The largest body read or sent, in UTF-8 bytes: what every SQS queue takes. */
export const MAX_BODY_BYTES = 256 * 1024;

/** Room for the progress fields that re-sending adds; all of them together measure about 400 bytes. */
const PROGRESS_RESERVE_BYTES = 1024;

const time = v.pipe(
  v.string("is not a time in ISO 8601 text"),
  v.transform(parseMessageTime),
  v.number("is not a time in ISO 8601 text with a zone"),
);
const flag = v.boolean("is neither true nor false");
const taskId = v.pipe(
  v.string("is not a text"),
  v.regex(EXPORT_TASK_ID, "is not 1 to 36 letters, digits, - or _"),
);

/**
 * The wire format of architecture §6.2. `null` counts as absent, as many serializers write it. A loose object
 * drops `__proto__`, `prototype` and `constructor`: no field may have these names.
 */
const wireSchema = v.looseObject({
  exportTaskId: v.nullish(taskId),
  export_task_id: v.nullish(taskId),
  revision: v.nullish(
    v.pipe(v.string("is not a text"), v.regex(/^[0-9a-f]{8}$/, "is not 8 lowercase hex digits")),
  ),
  attempts: v.nullish(
    v.pipe(
      v.number("is not a number"),
      v.safeInteger("is not a whole number"),
      v.minValue(0, "is less than 0"),
    ),
  ),
  requestedAt: v.nullish(time),
  firstFailedAt: v.nullish(time),
  notBefore: v.nullish(time),
  absentSince: v.nullish(time),
  needsFullRun: v.nullish(flag),
  alone: v.nullish(flag),
  rejectedSha256: v.nullish(
    v.pipe(v.string("is not a text"), v.regex(/^[0-9a-f]{64}$/, "is not 64 lowercase hex digits")),
  ),
  source: v.nullish(v.picklist(["discover", "event", "cli"], "must be one of discover, event, cli")),
});

/**
 * Reads a message body: a bare export task id, or the JSON of architecture §6.2. Never throws. The problem of an
 * unreadable body names the field and what is wrong with it, and quotes nothing of the body.
 */
export function parseBody(body: string): ParsedBody {
  const text = body.trim();
  if (isExportTaskId(text)) {
    return { kind: "task", message: { exportTaskId: text } };
  }
  if (utf8BytesExceed(text, MAX_BODY_BYTES)) {
    return unreadable("The body is larger than 256 KiB.");
  }
  const read = readForeignJson(text);
  if (read.kind === "none") {
    return unreadable("The body is neither an export task id nor JSON.");
  }
  if (read.kind === "too-deep") {
    return unreadable(`The body nests deeper than ${MAX_JSON_DEPTH} levels.`);
  }
  const json = read.value;
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    return unreadable("The body is JSON, but not an object with an exportTaskId.");
  }
  return readWire(json);
}

function readWire(json: object): ParsedBody {
  const result = v.safeParse(wireSchema, json, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    return unreadable(`The field ${String(issue.path?.[0]?.key)} ${issue.message}.`);
  }
  const {
    exportTaskId: camelCaseId,
    export_task_id: snakeCaseId,
    revision,
    attempts,
    requestedAt,
    firstFailedAt,
    notBefore,
    absentSince,
    needsFullRun,
    alone,
    rejectedSha256,
    source,
    ...extra
  } = result.output;
  const exportTaskId = camelCaseId ?? snakeCaseId;
  if (exportTaskId === undefined || exportTaskId === null) {
    return unreadable("The body has no exportTaskId.");
  }
  if (typeof snakeCaseId === "string" && snakeCaseId !== exportTaskId) {
    return unreadable("The fields exportTaskId and export_task_id name two different tasks.");
  }
  const message: TaskMessage = {
    exportTaskId,
    ...present({
      revision,
      attempts,
      requestedAtMs: requestedAt,
      firstFailedAtMs: firstFailedAt,
      notBeforeMs: notBefore,
      absentSinceMs: absentSince,
      needsFullRun,
      alone,
      rejectedSha256,
      source,
      extra: Object.keys(extra).length === 0 ? undefined : extra,
    }),
  };
  // Numbers such as 1e20 grow when they are written again, and so does what SQS takes as an escape only; what
  // cannot be re-sent must not be accepted.
  if (utf8BytesExceed(escapeRefused(encodeMessage(message)), MAX_BODY_BYTES - PROGRESS_RESERVE_BYTES)) {
    return unreadable("The body is too large: with its progress, a message may have up to 255 KiB.");
  }
  return { kind: "task", message };
}

/**
 * The body that carries a message: JSON of architecture §6.2, times as ISO text in UTC. {@link parseBody} gives
 * the same message back. A field of `extra` never stands for one of the archiver's own.
 *
 * @throws RangeError when a time is not a moment of the years 0 to 9999.
 */
export function encodeMessage(message: TaskMessage): string {
  const own = {
    exportTaskId: message.exportTaskId,
    revision: message.revision,
    attempts: message.attempts,
    requestedAt: isoTime(message.requestedAtMs),
    firstFailedAt: isoTime(message.firstFailedAtMs),
    notBefore: isoTime(message.notBeforeMs),
    absentSince: isoTime(message.absentSinceMs),
    needsFullRun: message.needsFullRun,
    alone: message.alone,
    rejectedSha256: message.rejectedSha256,
    source: message.source,
  };
  const foreign = Object.entries(message.extra ?? {}).filter(
    ([name]) => !Object.hasOwn(wireSchema.entries, name),
  );
  return JSON.stringify({ ...own, ...Object.fromEntries(foreign) });
}

/**
 * The body of a dead letter: without `attempts`, `requestedAt`, `firstFailedAt`, `absentSince`, `notBefore`,
 * `needsFullRun`, `alone` and `rejectedSha256`, so that moving it back starts afresh (architecture §6.2). A bare
 * id and an unreadable body stay as they are.
 */
export function withoutProgress(body: string): string {
  const parsed = parseBody(body);
  if (parsed.kind === "unreadable" || isExportTaskId(body.trim())) {
    return body;
  }
  const { exportTaskId, revision, source, extra } = parsed.message;
  return encodeMessage({ exportTaskId, ...present({ revision, source, extra }) });
}

function unreadable(problem: string): ParsedBody {
  return { kind: "unreadable", problem };
}

function isoTime(epochMs: number | undefined): string | undefined {
  if (epochMs === undefined) {
    return undefined;
  }
  if (!isWritableTime(epochMs)) {
    throw new RangeError("a time of a task message lies outside the years 0 to 9999");
  }
  return new Date(epochMs).toISOString();
}

/** The fields that have a value: optional properties are absent here, never `undefined`. */
function present<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined | null> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries) as { [Name in keyof Fields]?: Exclude<Fields[Name], undefined | null> };
}

function utf8BytesExceed(text: string, limitBytes: number): boolean {
  return text.length > limitBytes || Buffer.byteLength(text, "utf8") > limitBytes;
}

const ISO_TIME = /^(?<day>\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;
const YEAR_0_MS = Date.parse("0000-01-01T00:00:00.000Z");
const END_OF_YEAR_9999_MS = Date.parse("9999-12-31T23:59:59.999Z");

/**
 * Reads a time of a message: ISO 8601 in the extended format with a zone, as every language's library
 * writes it. Digits beyond milliseconds are dropped.
 *
 * @returns epoch milliseconds, or `undefined` when the text names no real moment.
 */
function parseMessageTime(text: string): number | undefined {
  const day = ISO_TIME.exec(text)?.groups?.day;
  if (day === undefined) {
    return undefined;
  }
  const midnightMs = Date.parse(`${day}T00:00:00Z`);
  // Date.parse rolls 30 February over into March; such a time is not a time.
  if (Number.isNaN(midnightMs) || !new Date(midnightMs).toISOString().startsWith(day)) {
    return undefined;
  }
  const epochMs = Date.parse(text.replace(",", "."));
  return isWritableTime(epochMs) ? epochMs : undefined;
}

/** Whether a moment lies in the years 0 to 9999, which ISO text has four digits for. False for NaN. */
function isWritableTime(epochMs: number): boolean {
  return epochMs >= YEAR_0_MS && epochMs <= END_OF_YEAR_9999_MS;
}

/** The export task that a letter is about; `undefined` when its body names none. */
export function taskOfLetter({ body }: Pick<HeldDeadLetter, "body">): string | undefined {
  const parsed = parseBody(body);
  return parsed.kind === "task" ? parsed.message.exportTaskId : undefined;
}

/** Whether one of the ids is the letter's own, or that of the export task it is about. */
export function isNamedBy(ids: ReadonlySet<string>, letter: Pick<HeldDeadLetter, "id" | "body">): boolean {
  if (ids.has(letter.id)) {
    return true;
  }
  const task = taskOfLetter(letter);
  return task !== undefined && ids.has(task);
}
