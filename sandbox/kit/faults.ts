import * as v from "valibot";

export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
export const nonEmpty = v.pipe(v.string(), v.minLength(1));
export const errorStatus = v.pipe(v.number(), v.integer(), v.minValue(300), v.maxValue(599));
export const bytesPerSecond = v.pipe(v.number(), v.minValue(1));

/**
 * The faults that every stand-in plays. "Body" is the one that the operation is about: of an upload what the
 * client sends, otherwise what it gets.
 */
export const commonFaults = [
  /** The connection is reset: before anything else, or after that much of the body. */
  v.strictObject({ kind: v.literal("reset"), afterBytes: v.optional(count) }),
  /** The effect happens, then the connection is reset without an answer. */
  v.strictObject({ kind: v.literal("answer-lost") }),
  /** A proxy's page instead of an answer, without an effect. */
  v.strictObject({ kind: v.literal("html"), status: v.optional(count, 200) }),
  /** One byte of the body inverted. */
  v.strictObject({ kind: v.literal("flip-byte"), at: count }),
  /** Only the first bytes of the body, under a length that agrees. */
  v.strictObject({ kind: v.literal("truncate"), bytes: count }),
] as const;

/**
 * Fields of a silence: before anything else, or after that much of the body. It ends after `releaseAfterMs` as if
 * nothing was, or when the client leaves.
 */
export const stallFields = {
  kind: v.literal("stall"),
  afterBytes: v.optional(count),
  releaseAfterMs: v.optional(v.pipe(v.number(), v.finite(), v.minValue(0))),
};

/** Fields of every fault rule, besides what it matches and the fault. */
export const ruleFields = {
  /** How many matching requests to let pass first. */
  skip: v.optional(count, 0),
  /** How many to spoil after that. */
  times: v.optional(count, 1),
};

/** A rule and how many matching requests it has met. */
export interface FaultProgress<Rule> {
  readonly rule: Rule;
  readonly met: number;
}

interface RuleFields<Fault> {
  readonly skip: number;
  readonly times: number;
  readonly fault: Fault;
}

/**
 * Asks the rules in their order; the first one that is due decides, and later ones do not meet the request.
 *
 * @returns the fault to play, and the indexes of the rules that met the request: their `met` goes up by one.
 */
export function decideFault<Fault, Rule extends RuleFields<Fault>>(
  rules: readonly FaultProgress<Rule>[],
  isMet: (rule: Rule) => boolean,
): { readonly met: readonly number[]; readonly fault: Rule["fault"] | undefined } {
  const met: number[] = [];
  for (const [index, { rule, met: before }] of rules.entries()) {
    if (isMet(rule) && before < rule.skip + rule.times) {
      met.push(index);
      if (before >= rule.skip) {
        return { met, fault: rule.fault };
      }
    }
  }
  return { met, fault: undefined };
}

/** The rules after one of them met a request. */
export function afterMeeting<Rule>(
  rules: readonly FaultProgress<Rule>[],
  met: number,
): FaultProgress<Rule>[] {
  return rules.map((progress, index) => (index === met ? { ...progress, met: progress.met + 1 } : progress));
}
