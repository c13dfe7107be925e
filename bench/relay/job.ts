import * as v from "valibot";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** Where the bytes of a job come from. */
const bodySchema = v.variant("kind", [
  v.strictObject({ kind: v.literal("http"), url: v.string() }),
  /** A stream that ends cleanly after `sentBytes`, whatever was declared. */
  v.strictObject({ kind: v.literal("stream"), sentBytes: count, declaredBytes: count }),
]);

/** What a peer written in Node is asked to do, as JSON in its first argument. */
export const jobSchema = v.strictObject({
  endpoint: v.string(),
  bucket: v.string(),
  region: v.string(),
  /** Of ours only. */
  profile: v.optional(v.picklist(["aws", "generic"]), "aws"),
  body: bodySchema,
  /** One object each: `{keyPrefix}/{number}.zip`. */
  keyPrefix: v.string(),
  items: v.pipe(count, v.minValue(1)),
  /** `relay`: from source to store as it comes. `store`: the body is fetched first, only storing it is timed. */
  timed: v.picklist(["relay", "store"]),
  /** Of ours only: whether each stored copy is proved by the profile's means. */
  proof: v.optional(v.boolean(), true),
  /** The work is told to stop after so long. */
  abortAfterMs: v.optional(count),
  /** How long the process lives on after a failure, so that what goes on behind it may end. */
  lingerMs: v.optional(count, 0),
});

export type JobInput = v.InferInput<typeof jobSchema>;
export type Job = v.InferOutput<typeof jobSchema>;
export type JobBody = Job["body"];

/** What a Node peer prints when it believes that everything is stored. */
export const timesSchema = v.strictObject({
  /** The sum over all items of what `timed` says. */
  workMs: v.number(),
  /** Proving the stored copies: HEAD or read-back. Not in `workMs`. */
  proofMs: v.number(),
});
export type JobTimes = v.InferOutput<typeof timesSchema>;

export function keyOf({ keyPrefix }: Pick<JobInput, "keyPrefix">, item: number): string {
  return `${keyPrefix}/${item}.zip`;
}
