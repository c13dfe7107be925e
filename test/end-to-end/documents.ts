// What `--json` prints, written from architecture §6.4 and not from the program, strictly: a field that the page
// does not name fails a test here.
import * as v from "valibot";

const wholeNumber = v.pipe(v.number(), v.integer(), v.minValue(0));
const isoTime = v.pipe(v.string(), v.isoTimestamp());
const exportTaskId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,36}$/));
const runId = v.pipe(v.string(), v.regex(/^\d{8}T\d{9}Z-[0-9a-f]{8}$/));

export const failureSchema = v.strictObject({
  code: v.pipe(v.string(), v.regex(/^[a-z-]+$/)),
  message: v.pipe(v.string(), v.nonEmpty()),
  hint: v.pipe(v.string(), v.nonEmpty()),
});

/** What a command prints that could not do its work. */
export const failureDocumentSchema = v.strictObject({ failure: failureSchema });

/** What could not be understood and was left as it is. */
const leftAlone = v.optional(
  v.strictObject({
    count: v.pipe(wholeNumber, v.minValue(1)),
    items: v.pipe(
      v.array(
        v.variant("kind", [
          v.strictObject({
            kind: v.literal("list-item"),
            index: wholeNumber,
            field: v.optional(v.string()),
            problem: v.string(),
            exportTaskId: v.optional(exportTaskId),
          }),
          v.strictObject({
            kind: v.picklist(["record", "hold", "store-entry"]),
            key: v.string(),
            problem: v.string(),
          }),
        ]),
      ),
      v.maxLength(20),
    ),
  }),
);

const nextToGo = v.optional(v.strictObject({ exportTaskId, archived: v.optional(v.boolean()) }));

const archiveEntries = {
  runId,
  /** Missing where the run failed before it knew whose exports it was to archive. */
  projectId: v.optional(v.string()),
  instanceId: v.optional(v.string()),
  startedAt: isoTime,
  endedAt: isoTime,
  stopReason: v.picklist(["drained", "time-budget", "system-failure", "aborted", "no-pressure"]),
  counts: v.strictObject({
    received: wholeNumber,
    archived: wholeNumber,
    deleted: wholeNumber,
    kept: wholeNumber,
    postponed: wholeNumber,
    retried: wholeNumber,
    deadLettered: wholeNumber,
    throttled: wholeNumber,
  }),
  bytes: wholeNumber,
  pacing: v.picklist(["shared", "unshared"]),
  tasks: v.array(
    v.strictObject({
      // A message that cannot be read has no id.
      exportTaskId: v.union([exportTaskId, v.literal("(unreadable)")]),
      revision: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/))),
      outcome: v.picklist([
        "archived-deleted",
        "archived-kept",
        "deleted",
        "already-done",
        "postponed",
        "retried",
        "dead-lettered",
      ]),
      reason: v.optional(v.string()),
      sizeBytes: v.optional(wholeNumber),
      durationMs: wholeNumber,
    }),
  ),
  platform: v.strictObject({
    held: v.optional(wholeNumber),
    limit: v.literal(50),
    seenAt: v.optional(v.string()),
    nextToGo,
    oldestUnarchived: v.optional(v.strictObject({ exportTaskId, createTime: v.string() })),
  }),
  leftAlone,
  failure: v.optional(failureSchema),
};

export const archiveReportSchema = v.strictObject(archiveEntries);

const openReason = v.pipe(v.string(), v.regex(/^[a-z-]+$/));
const batchTaskId = exportTaskId;

/** What was done about export requests; there only while some request is open. */
const requestsSchema = v.strictObject({
  created: v.array(v.strictObject({ batchTaskId, exportTaskId })),
  waiting: v.array(v.strictObject({ batchTaskId, reason: openReason })),
  underWay: v.array(v.strictObject({ batchTaskId, exportTaskId, reason: openReason })),
  ended: v.array(
    v.strictObject({
      batchTaskId,
      outcome: v.picklist(["archived", "given-up"]),
      exportTaskId: v.optional(exportTaskId),
      reason: v.optional(openReason),
      tries: wholeNumber,
    }),
  ),
  oldestRequestAgeSeconds: wholeNumber,
  failure: v.optional(failureSchema),
});

export const discoverReportSchema = v.strictObject({
  runId,
  /** Missing in the function's report when it never saw the platform. */
  held: v.optional(wholeNumber),
  limit: v.literal(50),
  nextToGo,
  unfinished: wholeNumber,
  enqueued: v.array(exportTaskId),
  skipped: v.array(v.strictObject({ exportTaskId, reason: v.pipe(v.string(), v.nonEmpty()) })),
  leftAlone,
  requests: v.optional(requestsSchema),
  /** Of the function only; the command ends with an exit code instead. */
  failure: v.optional(failureSchema),
});

const queueDepthSchema = v.strictObject({
  ready: wholeNumber,
  delayed: wholeNumber,
  inFlight: wholeNumber,
  deadLetters: wholeNumber,
  nextDueAtMs: v.optional(wholeNumber),
});

/** `run`: an archive report, with what was discovered before it and what is left after it. */
export const runReportSchema = v.strictObject({
  ...archiveEntries,
  discovered: v.optional(discoverReportSchema),
  left: v.optional(queueDepthSchema),
});
export type RunDocument = v.InferOutput<typeof runReportSchema>;

const platformStatusSchema = v.strictObject({
  held: wholeNumber,
  limit: v.literal(50),
  archived: v.nullable(wholeNumber),
  nextToGo,
  byStatus: v.record(v.string(), wholeNumber),
  oldest: v.optional(v.strictObject({ exportTaskId, createTime: v.string() })),
});

const outlookSchema = v.strictObject({
  lastRun: v.optional(
    v.strictObject({
      endedAt: isoTime,
      stopReason: v.string(),
      archived: wholeNumber,
      failureCode: v.optional(v.string()),
    }),
  ),
  lastGoodRunAt: v.optional(isoTime),
  lastNight: v.optional(
    v.strictObject({ date: v.string(), verdict: v.string(), finished: wholeNumber, archived: wholeNumber }),
  ),
  lossFrom: v.optional(isoTime),
});

/** `status` when every place answered. */
export const statusSchema = v.strictObject({
  outlook: outlookSchema,
  platform: platformStatusSchema,
  queue: queueDepthSchema,
  deletion: v.picklist(["after-verify", "never"]),
  leftAlone,
  nextSlotAt: v.optional(isoTime),
  requests: v.optional(
    v.strictObject({
      open: wholeNumber,
      batchTasks: wholeNumber,
      requests: v.array(
        v.strictObject({
          batchTaskId,
          requestedAt: v.optional(isoTime),
          exportTaskId: v.optional(exportTaskId),
          reason: openReason,
        }),
      ),
    }),
  ),
});

/** `status` when some place did not: what is not known is `null`. */
export const failedStatusSchema = v.strictObject({
  ...statusSchema.entries,
  outlook: v.nullable(outlookSchema),
  platform: v.nullable(platformStatusSchema),
  queue: v.nullable(queueDepthSchema),
  nextSlotAt: v.nullish(isoTime),
  requests: v.nullish(v.unwrap(statusSchema.entries.requests)),
  failures: v.partial(
    v.strictObject({ platform: failureSchema, store: failureSchema, queue: failureSchema }),
  ),
  failure: failureSchema,
});

const letterSchema = v.strictObject({
  id: v.string(),
  body: v.string(),
  reason: v.string(),
  detail: v.pipe(v.string(), v.nonEmpty()),
  attempts: wholeNumber,
  runId,
  deadLetteredAtMs: wholeNumber,
});

export const deadLettersSchema = v.strictObject({
  deadLetters: v.array(letterSchema),
  more: v.boolean(),
});
export const redrivenSchema = v.strictObject({ redriven: v.array(letterSchema) });
