import * as v from "valibot";
import {
  bytesPerSecond,
  commonFaults,
  count,
  errorStatus,
  nonEmpty,
  ruleFields,
  stallFields,
} from "./kit/faults.ts";
import { taskIdSchema } from "./task.ts";

/** The scripted faults. Where one says "before the effect", the platform has done nothing yet. */
const faultSchema = v.variant("kind", [
  ...commonFaults,
  v.strictObject(stallFields),
  /**
   * Only the first `bytes` of the body. `declareLength`: under the whole length, then the connection closes.
   * Otherwise without any length, so that the close looks like the end.
   */
  v.strictObject({ kind: v.literal("short-body"), bytes: count, declareLength: v.boolean() }),
  /** An error under status 200 (iotda-api §2.1), before the effect. */
  v.strictObject({ kind: v.literal("json-200"), code: nonEmpty }),
  /** An error status, before the effect; without `code` the body is empty. */
  v.strictObject({
    kind: v.literal("status"),
    status: errorStatus,
    code: v.optional(nonEmpty),
    retryAfterSeconds: v.optional(count),
  }),
  /** The throttling answer of the settings, before the effect. */
  v.strictObject({ kind: v.literal("throttle"), code: v.optional(nonEmpty) }),
  v.strictObject({ kind: v.literal("slow-drip"), bytesPerSecond }),
  /** The body and more behind it, under a `Content-Length` that agrees. */
  v.strictObject({ kind: v.literal("extra-bytes"), bytes: count }),
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
  ...ruleFields,
  fault: faultSchema,
});
export type FaultRuleInput = v.InferInput<typeof faultRuleSchema>;
export type FaultRule = v.InferOutput<typeof faultRuleSchema>;

/** What rules are asked about. */
export interface FaultSubject {
  readonly operation: Operation;
  readonly exportTaskId: string | undefined;
}

export function isFor(rule: FaultRule, { operation, exportTaskId }: FaultSubject): boolean {
  return (
    rule.operation === operation && (rule.exportTaskId === undefined || rule.exportTaskId === exportTaskId)
  );
}
