import * as v from "valibot";

const nonEmpty = v.pipe(v.string(), v.minLength(1));
const milliseconds = v.pipe(v.number(), v.finite(), v.minValue(0));
const httpError = v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599));

const accountSchema = v.strictObject({
  ak: nonEmpty,
  sk: nonEmpty,
  /** Set for a temporary pair: the request must then send and sign the same token. */
  securityToken: v.optional(nonEmpty),
});

/**
 * Everything the stand-in can be told. What the platform documents is the default; what it leaves open
 * (iotda-api §1.6, §7) is a switch, so that a client can be tried against each answer.
 */
export const settingsSchema = v.strictObject({
  projectId: v.optional(nonEmpty, "0123456789abcdef0123456789abcdef"),
  /** When set, every request must carry it as `Instance-Id`. */
  instanceId: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f-]{1,36}$/))),
  /** All keys belong to one platform account: the limits are shared. */
  accounts: v.optional(v.pipe(v.array(accountSchema), v.minLength(1)), [
    { ak: "SANDBOXAK0000000000A", sk: "sandboxSecretKey0123456789abcdefghijklmn" },
  ]),
  region: v.optional(nonEmpty, "cn-north-4"),
  requireSigning: v.optional(v.picklist(["any", "standard", "derived"]), "any"),
  /** The interval clients are told to keep; the platform refuses below 30/31 of it. */
  downloadIntervalMs: v.optional(milliseconds, 31_000),
  throttleStatus: v.optional(v.picklist([403, 429]), 403),
  /** Default: `IOTDA.021101` with 403, `APIGW.0308` with 429. */
  throttleCode: v.optional(nonEmpty),
  throttleRetryAfterSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  /** Whether a refused download moves the window as a served one does. */
  throttledAttemptsCount: v.optional(v.boolean(), false),
  /**
   * A create whose condition an existing task has overwrites that task's file: `new-id` removes the old
   * task and adds a new one, `same-id` starts the old task over under its id.
   */
  sameCondition: v.optional(v.picklist(["new-id", "same-id"]), "new-id"),
  /** How long a created export stays `Processing`. */
  processingMs: v.optional(milliseconds, 0),
  /** Size of the stored filler in the file of a created export. */
  createdFillerBytes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
  /** How far the platform's clock is ahead of the real one. */
  dateSkewMs: v.optional(v.pipe(v.number(), v.finite()), 0),
  /** Off: the file is sent chunked, without a length. */
  fileContentLength: v.optional(v.boolean(), true),
  fileContentType: v.optional(nonEmpty, "application/octet-stream"),
  maxTasks: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 50),
  maxUnfinishedTasks: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 5),
  // The platform's codes for the next three are not documented; these are made up.
  tooManyUnfinished: v.optional(v.strictObject({ status: httpError, code: nonEmpty }), {
    status: 403,
    code: "IOTDA.099005",
  }),
  notFinished: v.optional(v.strictObject({ status: httpError, code: nonEmpty }), {
    status: 400,
    code: "IOTDA.099400",
  }),
  /** Items that every list shows after the tasks, as JSON texts: what no client expects. They are of no task. */
  oddItems: v.optional(v.array(v.string()), []),
  taskNotFoundCode: v.optional(v.pipe(v.string(), v.regex(/^IOTDA\.\d+$/)), "IOTDA.099404"),
});

/** What a configuration file or {@link startSandbox} gives: every field may be left out. */
export type SettingsInput = v.InferInput<typeof settingsSchema>;
export type Settings = v.InferOutput<typeof settingsSchema>;
export type Account = v.InferOutput<typeof accountSchema>;

/** A change to running settings: only the named fields change. */
export const settingsPatchSchema = v.partial(settingsSchema);
export type SettingsPatch = v.InferOutput<typeof settingsPatchSchema>;

export function changedSettings(settings: Settings, patch: SettingsPatch): Settings {
  return v.parse(settingsSchema, { ...settings, ...patch });
}

/** Code of a throttling answer under these settings. */
export function throttleCodeOf(settings: Settings): string {
  return settings.throttleCode ?? (settings.throttleStatus === 429 ? "APIGW.0308" : "IOTDA.021101");
}

/** The platform refuses a download that starts sooner than this after the last counted one. */
export function downloadWindowMs(settings: Settings): number {
  return (settings.downloadIntervalMs * 30) / 31;
}
