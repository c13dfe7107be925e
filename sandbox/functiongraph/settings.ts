import * as v from "valibot";

const nonEmpty = v.pipe(v.string(), v.minLength(1));
const MAX_USER_DATA_CHARACTERS = 4_096;

const userDataSchema = v.pipe(
  v.record(
    v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_]*$/, "a name of letters, digits and _")),
    v.string(),
  ),
  v.check(
    (data) =>
      Object.entries(data).reduce((sum, [name, text]) => sum + name.length + text.length, 0) <=
      MAX_USER_DATA_CHARACTERS,
    `names and values have more than ${MAX_USER_DATA_CHARACTERS} characters`,
  ),
);

/** One function as it is deployed. The defaults and limits are FunctionGraph's. */
export const functionSchema = v.strictObject({
  name: nonEmpty,
  handler: v.pipe(v.string(), v.maxLength(128), v.minLength(1)),
  /** Plain settings. */
  userData: v.optional(userDataSchema, {}),
  /** Encrypted on the way to the function, which reads them as the others. */
  encryptedUserData: v.optional(userDataSchema, {}),
  /** The process of an invocation that takes longer is killed. */
  timeoutSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(259_200)), 3),
  memoryMb: v.optional(v.pipe(v.number(), v.integer(), v.minValue(128)), 128),
  /** How many processes there may be; -1: any number. What comes when all are busy is discarded. */
  maxInstances: v.optional(v.pipe(v.number(), v.integer(), v.minValue(-1)), -1),
  /** How often an asynchronous call that failed is repeated. */
  retries: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(3)), 0),
  /** Whether it has an agency, and so gets keys. */
  hasAgency: v.optional(v.boolean(), true),
});

export type FunctionInput = v.InferInput<typeof functionSchema>;
export type FunctionSettings = v.InferOutput<typeof functionSchema>;
