import * as v from "valibot";
import {
  bytesPerSecond,
  commonFaults,
  count,
  errorStatus,
  nonEmpty,
  ruleFields,
  stallFields,
} from "../kit/faults.ts";
import { operations, type S3Operation } from "./routes.ts";

const afterEffect = v.optional(v.boolean(), false);

/** The scripted faults. An upload whose digests match is stored with the flipped byte, or without its end. */
const faultSchema = v.variant("kind", [
  ...commonFaults,
  /** Also between the effect and the answer. */
  v.strictObject({ ...stallFields, afterEffect }),
  /** An error, without an effect unless it says so. */
  v.strictObject({
    kind: v.literal("status"),
    status: errorStatus,
    code: nonEmpty,
    afterEffect,
    retryAfterSeconds: v.optional(count),
  }),
  /** Status 200 and white space, then an `<Error>` body: how S3 tells of a completion that failed late. */
  v.strictObject({
    kind: v.literal("error-in-200"),
    code: v.optional(nonEmpty, "InternalError"),
    afterEffect,
  }),
  /** The body passes at this speed. */
  v.strictObject({ kind: v.literal("slow"), bytesPerSecond }),
  /** The answer's `x-amz-checksum-*` are those of another body. */
  v.strictObject({ kind: v.literal("checksum-lie") }),
  /** The answer's ETag is that of another body. */
  v.strictObject({ kind: v.literal("etag-lie") }),
]);
export type S3Fault = v.InferOutput<typeof faultSchema>;

/** When a fault is played: on requests that passed the signature check. What is left out matches everything. */
export const faultRuleSchema = v.strictObject({
  operation: v.optional(v.picklist(operations)),
  key: v.optional(nonEmpty),
  keyPrefix: v.optional(nonEmpty),
  partNumber: v.optional(count),
  ...ruleFields,
  fault: faultSchema,
});
export type S3FaultRuleInput = v.InferInput<typeof faultRuleSchema>;
export type S3FaultRule = v.InferOutput<typeof faultRuleSchema>;

/** What rules are asked about. */
export interface FaultSubject {
  readonly operation: S3Operation;
  readonly key: string | undefined;
  readonly partNumber: number | undefined;
}

export function isFor(rule: S3FaultRule, { operation, key, partNumber }: FaultSubject): boolean {
  return (
    (rule.operation === undefined || rule.operation === operation) &&
    (rule.key === undefined || rule.key === key) &&
    (rule.keyPrefix === undefined || key?.startsWith(rule.keyPrefix) === true) &&
    (rule.partNumber === undefined || rule.partNumber === partNumber)
  );
}
