import * as v from "valibot";
import { BATCH_TASK_ID } from "../domain/request-layout.ts";
import { isoTime } from "../records/schemas.ts";

/** The version this program writes. Readers accept every version written so far. */
export const REQUEST_SCHEMA_VERSION = 1;

const schemaVersion = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(REQUEST_SCHEMA_VERSION));
const batchTaskId = v.pipe(v.string(), v.regex(BATCH_TASK_ID));
const text = v.pipe(v.string(), v.maxLength(256));

/** `requests/{batchTaskId}-{status time}.json`: somebody wants an export of this batch task. */
export const requestSchema = v.object({
  schemaVersion,
  projectId: v.string(),
  instanceId: v.nullable(v.string()),
  batchTaskId,
  /** When the status changed, by the platform's clock; the export has to be made after it. */
  statusAt: isoTime,
  /** When this program heard of it. */
  requestedAt: isoTime,
  source: v.picklist(["event", "cli"]),
  taskType: v.optional(text),
  status: v.optional(text),
});
export type RequestDocument = v.InferOutput<typeof requestSchema>;

/**
 * `requests/{batchTaskId}.claim-{n}.json`, written once, before the create it is about: who may create an
 * export of this batch task now. No other run may until its result stands.
 */
export const claimSchema = v.object({
  schemaVersion,
  /** The status time of the request it was made for. */
  statusTime: v.string(),
  /** By the platform's clock. */
  claimedAt: isoTime,
  runId: v.string(),
  /** The exports of this batch task that the list showed then. Anything else in a later list is new. */
  seen: v.array(v.object({ exportTaskId: v.string(), status: v.string(), revision: v.string() })),
});
export type ClaimDocument = v.InferOutput<typeof claimSchema>;

/** `requests/{batchTaskId}.claim-{n}.result.json`: what came of a claim. */
export const claimResultSchema = v.variant("outcome", [
  v.object({
    schemaVersion,
    outcome: v.literal("made"),
    exportTaskId: v.string(),
    /** The export shows the batch task as it was at this moment or later; by the platform's clock. */
    exportedAfter: isoTime,
    runId: v.string(),
  }),
  /** `refused`: the platform said no to the create; it counts as a failed try. `not-made`: nothing was created. */
  v.object({
    schemaVersion,
    outcome: v.picklist(["refused", "not-made"]),
    reason: text,
    runId: v.string(),
  }),
]);
export type ClaimResult = v.InferOutput<typeof claimResultSchema>;
export type MadeExport = Extract<ClaimResult, { outcome: "made" }>;

/** How a request ended. `tries` are creates on behalf of it, refused ones included. */
export type RequestEnd =
  | { readonly outcome: "archived"; readonly exportTaskId: string; readonly tries: number }
  | { readonly outcome: "given-up"; readonly reason: string; readonly tries: number };

/** `requests/{batchTaskId}-{status time}.outcome.json`: the request came to its end. Only its being there is read. */
export type RequestOutcome = RequestEnd & {
  readonly schemaVersion: number;
  readonly endedAt: string;
  readonly runId: string;
};
