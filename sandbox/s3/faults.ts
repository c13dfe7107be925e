import * as v from "valibot";
import { operations, type S3Operation } from "./routes.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const milliseconds = v.pipe(v.number(), v.finite(), v.minValue(0));
const nonEmpty = v.pipe(v.string(), v.minLength(1));

/**
 * The scripted faults. "Body" is the one the operation is about: of PutObject and UploadPart what the client
 * sends, of GetObject what it gets.
 */
const faultSchema = v.variant("kind", [
  /** The connection is reset without an effect: before the body is read, or after that much of the body. */
  v.strictObject({ kind: v.literal("reset"), afterBytes: v.optional(count) }),
  /** The effect happens, then the connection is reset without an answer. */
  v.strictObject({ kind: v.literal("answer-lost") }),
  /**
   * Silence: before anything else, after that much of the body, or between the effect and the answer. Goes on
   * as if nothing was after `releaseAfterMs`, or waits for the client to leave.
   */
  v.strictObject({
    kind: v.literal("stall"),
    afterBytes: v.optional(count),
    afterEffect: v.optional(v.boolean(), false),
    releaseAfterMs: v.optional(milliseconds),
  }),
  /** An error, without an effect unless it says so. */
  v.strictObject({
    kind: v.literal("status"),
    status: v.pipe(v.number(), v.integer(), v.minValue(300), v.maxValue(599)),
    code: nonEmpty,
    afterEffect: v.optional(v.boolean(), false),
    retryAfterSeconds: v.optional(count),
  }),
  /** Status 200 and white space, then an `<Error>` body: how S3 tells of a completion that failed late. */
  v.strictObject({
    kind: v.literal("error-in-200"),
    code: v.optional(nonEmpty, "InternalError"),
    afterEffect: v.optional(v.boolean(), false),
  }),
  /** A proxy's page instead of an answer, without an effect. */
  v.strictObject({ kind: v.literal("html"), status: v.optional(count, 200) }),
  /** One byte of the body inverted: stored so although every digest matched, or sent so. */
  v.strictObject({ kind: v.literal("flip-byte"), at: count }),
  /** Only the first bytes are kept although every digest matched; of GetObject, sent before a clean end. */
  v.strictObject({ kind: v.literal("truncate"), bytes: count }),
  /** The body passes at this speed. */
  v.strictObject({ kind: v.literal("slow"), bytesPerSecond: v.pipe(v.number(), v.minValue(1)) }),
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
  /** How many matching requests to let pass first. */
  skip: v.optional(count, 0),
  /** How many to spoil after that. */
  times: v.optional(count, 1),
  fault: faultSchema,
});
export type S3FaultRuleInput = v.InferInput<typeof faultRuleSchema>;
export type S3FaultRule = v.InferOutput<typeof faultRuleSchema>;

/** A rule and how many matching requests it has met. */
export interface S3FaultProgress {
  readonly rule: S3FaultRule;
  readonly met: number;
}

/** What rules are asked about. */
export interface FaultSubject {
  readonly operation: S3Operation;
  readonly key: string | undefined;
  readonly partNumber: number | undefined;
}

/** The rules in force. They are asked in their order; the first that is due decides, later ones are not met. */
export class FaultScript {
  #rules: { readonly rule: S3FaultRule; met: number }[] = [];

  add(rules: readonly S3FaultRule[]): void {
    this.#rules.push(...rules.map((rule) => ({ rule, met: 0 })));
  }

  clear(): void {
    this.#rules = [];
  }

  progress(): S3FaultProgress[] {
    return this.#rules.map(({ rule, met }) => ({ rule, met }));
  }

  decide(subject: FaultSubject): S3Fault | undefined {
    for (const entry of this.#rules) {
      if (matches(entry.rule, subject) && entry.met < entry.rule.skip + entry.rule.times) {
        entry.met += 1;
        if (entry.met > entry.rule.skip) {
          return entry.rule.fault;
        }
      }
    }
    return undefined;
  }
}

function matches(rule: S3FaultRule, { operation, key, partNumber }: FaultSubject): boolean {
  return (
    (rule.operation === undefined || rule.operation === operation) &&
    (rule.key === undefined || rule.key === key) &&
    (rule.keyPrefix === undefined || key?.startsWith(rule.keyPrefix) === true) &&
    (rule.partNumber === undefined || rule.partNumber === partNumber)
  );
}
