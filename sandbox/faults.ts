import * as v from "valibot";
import { taskIdSchema } from "./task.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const milliseconds = v.pipe(v.number(), v.finite(), v.minValue(0));
const code = v.pipe(v.string(), v.minLength(1));

/** The scripted faults. Where one says "before the effect", the platform has done nothing yet. */
const faultSchema = v.variant("kind", [
  /** Without `afterBytes`: connection reset before the effect. With: reset after that much of the body. */
  v.strictObject({ kind: v.literal("reset"), afterBytes: v.optional(count) }),
  /** As `reset`, but silence; goes on as if nothing was after `releaseAfterMs`, or waits for the client to leave. */
  v.strictObject({
    kind: v.literal("stall"),
    afterBytes: v.optional(count),
    releaseAfterMs: v.optional(milliseconds),
  }),
  /**
   * Only the first `bytes` of the body. `declareLength`: under the whole length, then the connection closes.
   * Otherwise without any length, so that the close looks like the end.
   */
  v.strictObject({ kind: v.literal("short-body"), bytes: count, declareLength: v.boolean() }),
  /** Only the first `bytes` of the body, under a `Content-Length` that agrees. */
  v.strictObject({ kind: v.literal("truncate"), bytes: count }),
  /** A proxy's page instead of an answer, before the effect. */
  v.strictObject({ kind: v.literal("html"), status: v.optional(count, 200) }),
  /** An error under status 200 (iotda-api §2.1), before the effect. */
  v.strictObject({ kind: v.literal("json-200"), code }),
  /** An error status, before the effect; without `code` the body is empty. */
  v.strictObject({
    kind: v.literal("status"),
    status: v.pipe(v.number(), v.integer(), v.minValue(300), v.maxValue(599)),
    code: v.optional(code),
    retryAfterSeconds: v.optional(count),
  }),
  /** The throttling answer of the settings, before the effect. */
  v.strictObject({ kind: v.literal("throttle"), code: v.optional(code) }),
  v.strictObject({ kind: v.literal("slow-drip"), bytesPerSecond: v.pipe(v.number(), v.minValue(1)) }),
  /** The effect happens, then the connection is reset without an answer. */
  v.strictObject({ kind: v.literal("answer-lost") }),
  /** The body and more behind it, under a `Content-Length` that agrees. */
  v.strictObject({ kind: v.literal("extra-bytes"), bytes: count }),
  /** One byte of the body inverted. */
  v.strictObject({ kind: v.literal("flip-byte"), at: count }),
]);
export type Fault = v.InferOutput<typeof faultSchema>;

export const operations = [
  "listExportTasks",
  "showExportTask",
  "deleteExportTask",
  "createExportTask",
] as const;
export type Operation = (typeof operations)[number];

/** When a fault is played: on requests of an operation that passed the signature, scope and pace checks. */
export const faultRuleSchema = v.strictObject({
  operation: v.picklist(operations),
  /** Only for this task. */
  exportTaskId: v.optional(taskIdSchema),
  /** How many matching requests to let pass first. */
  skip: v.optional(count, 0),
  /** How many to spoil after that. */
  times: v.optional(count, 1),
  fault: faultSchema,
});
export type FaultRuleInput = v.InferInput<typeof faultRuleSchema>;
export type FaultRule = v.InferOutput<typeof faultRuleSchema>;

/** A rule and how many matching requests it has met. */
export interface FaultProgress {
  readonly rule: FaultRule;
  readonly met: number;
}

/** What the rules say to one request. */
export interface FaultDecision {
  /** Indexes of the rules that met this request: their `met` goes up by one. */
  readonly met: readonly number[];
  readonly fault: Fault | undefined;
}

/** Asks the rules in their order; the first one that is due decides, and later ones do not meet the request. */
export function decideFault(
  rules: readonly FaultProgress[],
  operation: Operation,
  exportTaskId: string | undefined,
): FaultDecision {
  const met: number[] = [];
  for (const [index, { rule, met: before }] of rules.entries()) {
    const matches =
      rule.operation === operation &&
      (rule.exportTaskId === undefined || rule.exportTaskId === exportTaskId) &&
      before < rule.skip + rule.times;
    if (!matches) {
      continue;
    }
    met.push(index);
    if (before >= rule.skip) {
      return { met, fault: rule.fault };
    }
  }
  return { met, fault: undefined };
}
