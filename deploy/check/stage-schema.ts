import * as v from "valibot";
import { nearestName } from "../../lib/domain/nearest-name.ts";
import { cronValues, minutesAndHours } from "./cron.ts";

/** Schemas of what stands in deploy/stages.yml. Each message completes `name: value …`; its fix follows after `|`. */

/** What CloudWatch Logs keeps lines for, in days. */
const LOG_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

function text(pattern: RegExp, message: string) {
  return v.pipe(v.string(`is not a text|Write it in quotes.`), v.regex(pattern, message));
}

function wholeNumber(least: number, most: number) {
  const message = `is not a whole number from ${least} to ${most}, without quotes|Set it to one.`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(least, message), v.maxValue(most, message));
}

function oneOf<const Words extends readonly (string | number)[]>(words: Words) {
  return v.picklist(
    words,
    `must be one of ${words.join(", ")}|Set it to one of them, without capital letters.`,
  );
}

const hours = v.pipe(
  v.union(
    [v.string(), v.pipe(v.number(), v.transform(String))],
    "is not a field of hours|Write hours such as 0-5.",
  ),
  v.check(
    (field) => cronValues(field, 23) !== undefined,
    "is not a field of hours from 0 to 23 (a range does not go over midnight)|Write a range as 0-5, and one over midnight in two parts: 22,23,0-4.",
  ),
);

const timeOfDay = v.pipe(
  v.string("is not a minute and hour|Write the minute, a space and the hour: 5 2 is 02:05."),
  v.check(
    (fields) => minutesAndHours(fields) !== undefined,
    "is not a minute (0 to 59) and hour (0 to 23)|Write the minute, a space and the hour: 5 2 is 02:05.",
  ),
);

const ZONES = Intl.supportedValuesOf("timeZone");

/** Also the older names that Node knows and does not list. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Z][A-Za-z_]*(?:\/[A-Za-z0-9_+-]+)*$/.test(name)) {
    return false;
  }
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch (error) {
    if (error instanceof RangeError) {
      return false;
    }
    throw error;
  }
}

const timeZone = v.pipe(
  v.string("is not a text|Name a time zone, such as Europe/Berlin."),
  v.check(isTimeZone, ({ input }) => {
    const meant = nearestName(input, ZONES);
    return `is not a time zone|${meant === undefined ? "Name one, such as Europe/Berlin" : `Did you mean ${meant}`}${meant === undefined ? "." : "?"}`;
  }),
);

const email = v.pipe(
  text(
    /^[^\s@<>()[\]",;:\\]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,}$/,
    "is not an e-mail address|Name one address.",
  ),
  v.check(
    (address) => !/[@.]example(?:\.[a-z]+)?$|\.(?:invalid|test)$/i.test(address),
    "is the placeholder|Set it to the address of who hears of alarms.",
  ),
);

const projectId = v.pipe(
  v.string("is not a text|Write it in quotes."),
  v.check(
    (id) => id !== "0123456789abcdef0123456789abcdef",
    'is the placeholder|Copy yours from "My Credentials" in the Huawei Cloud console.',
  ),
);

const keyArn = text(
  /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/,
  "is not an ARN of a KMS key|Set it to the key's ARN: arn:aws:kms:{region}:{account}:key/{id}.",
);

const NO_ARCHIVE_ID =
  'is neither "" nor the id of an archive|Copy the archiveId in archive.json, or leave it empty.';

/** Every parameter there is. Those of one kind of store are optional here. */
const PARAMETERS = {
  awsRegion: text(/^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/, "is not an AWS region|Name one, such as eu-central-1."),
  iotdaEndpoint: v.string("is not a text|Write the address of IoTDA, beginning with https://."),
  iotdaProjectId: projectId,
  iotdaInstanceId: v.string('is not a text|Write the id in quotes, or "" for the basic edition.'),
  timeZone,
  alarmEmail: email,
  credentialsSecret: text(
    /^[A-Za-z0-9/_+=.@-]{1,480}$/,
    "is not a name of a secret|Set it to the secret's name, not its ARN.",
  ),
  credentialsKeyArn: v.union(
    [v.literal(""), keyArn],
    'is neither "" nor the ARN of a KMS key|Leave it empty unless the secret has a key of its own.',
  ),
  notificationSecret: text(
    /^(?:[A-Za-z0-9/_+=.@-]{1,480})?$/,
    "is not a name of a secret|Leave it empty, or set it to the secret's name, not its ARN.",
  ),
  notifyTopic: text(/^[A-Za-z0-9_*?-]{1,256}$/, "is not a name of an SNS topic|Write the name, not the ARN."),
  notifyOn: oneOf(["every-night", "problems"]),
  archiveId: v.union(
    [v.literal(""), v.pipe(v.string(NO_ARCHIVE_ID), v.toLowerCase(), v.uuid(NO_ARCHIVE_ID))],
    NO_ARCHIVE_ID,
  ),
  deletion: oneOf(["never", "after-verify"]),
  nightHours: hours,
  dayHours: hours,
  pressure: wholeNumber(0, 50),
  exportPlaces: wholeNumber(1, 50),
  downloadIntervalMs: wholeNumber(30_000, 3_600_000),
  archiveConcurrency: wholeNumber(1, 100),
  archiveMemoryMiB: wholeNumber(256, 10_240),
  // Two of them work on the event queue, so that the function URL is never shut out.
  eventConcurrency: wholeNumber(3, 1_000),
  exportOn: v.string("is not a text|Write type:status, separated by commas."),
  eventTopic: text(/^[A-Za-z0-9_*?-]{1,256}$/, "is not a name of an SNS topic|Write the name, not the ARN."),
  eventRule: text(
    /^[A-Za-z0-9_.*?/-]{1,256}$/,
    "is not a name of an EventBridge rule|Write the name, not the ARN.",
  ),
  logRetentionDays: oneOf(LOG_DAYS),
  store: oneOf(["s3", "s3-kms", "obs"]),
  objectLock: v.boolean("is neither true nor false|Write one of them, without quotes."),
  retentionPolicy: v.string("is not a text|Write the policy's JSON in single quotes, or store: and a key."),
  retainAt: timeOfDay,
  expireAt: timeOfDay,
  expireMaxRemovals: wholeNumber(0, 100_000),
  inventoryAt: timeOfDay,
  verifyWithinDays: wholeNumber(0, 3_650),
  verifyBytesPerDay: wholeNumber(1, 2 ** 50),
  reportAt: timeOfDay,
  language: oneOf(["en", "zh"]),
  expectedExports: v.string(
    "is not a text|Write the JSON in single quotes, or store:expected/ and the rest of a key.",
  ),
  reportUrl: v.string('is not a text|Write an address that begins with https://, or "".'),
  kmsKeyArn: v.optional(
    v.pipe(
      keyArn,
      v.check(
        (arn) => !/:111122223333:|\/[0-]+$/.test(arn),
        "is the placeholder|Set it to the ARN of a key of yours, in the stack's region.",
      ),
    ),
  ),
  obsEndpoint: v.optional(v.string("is not a text|Write the address of OBS, beginning with https://.")),
  obsBucket: v.optional(
    v.pipe(
      v.string("is not a text|Write the name of the bucket."),
      v.check((name) => name !== "my-iotda-archive", "is the placeholder|Set it to the name of your bucket."),
    ),
  ),
};

/** Names of parameters, as they are in `deploy/stages.yml`. */
export const PARAMETER_NAMES: readonly string[] = Object.keys(PARAMETERS);

/** A stage with its defaults filled in. */
export const stageSchema = v.object(PARAMETERS);
export type Stage = v.InferOutput<typeof stageSchema>;
