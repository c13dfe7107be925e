import * as v from "valibot";
import { LOG_LEVELS } from "../observability/log.ts";
import { notification } from "./notification-settings.ts";
import { report } from "./report-settings.ts";
import { optional, required, withDefault } from "./section.ts";
import {
  documentLocation,
  eventSecret,
  exportTriggers,
  flag,
  headerText,
  matching,
  oneOf,
  oneOfAnyCase,
  originUrl,
  proxyUrl,
  queueLocation,
  secretText,
  serviceUrl,
  sqsQueueUrl,
  storeLocation,
  uuid,
  wholeNumber,
} from "./value-schemas.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface Meaning {
  readonly meaning: string;
}

function word<const Words extends readonly string[]>(
  name: string,
  words: Words,
  text: Words[number],
  { meaning }: Meaning,
) {
  const example = `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
  return withDefault(name, oneOf(words), text, { meaning, example });
}

/** A whole number, whose unit the name says. */
function number(name: string, least: number, most: number, value: number, { meaning }: Meaning) {
  const [, unit = ""] = /_(MS|BYTES)(?:_PER_DAY)?$/.exec(name) ?? [];
  const example = `a number ${UNITS[unit] ?? ""}from ${least} to ${most}`;
  return withDefault(name, wholeNumber(least, most), String(value), { meaning, example });
}

const UNITS: Readonly<Record<string, string>> = { MS: "of milliseconds ", BYTES: "of bytes " };

const projectId = required(
  "ARCHIVER_IOTDA_PROJECT_ID",
  matching(/^[A-Za-z0-9_-]{1,64}$/, "a project id (1 to 64 letters, digits, _ and -)"),
  {
    meaning: "project id of the region",
    example: 'the project id shown under "My Credentials" in the console',
  },
);
const instanceId = optional(
  "ARCHIVER_IOTDA_INSTANCE_ID",
  matching(/^[a-f0-9-]{1,36}$/, "an instance id (1 to 36 of a-f, 0-9 and -)"),
  { meaning: "sent as `Instance-Id`", example: "the id shown in the instance overview, in lower case" },
);

const platform = v.object({
  endpoint: required("ARCHIVER_IOTDA_ENDPOINT", originUrl, {
    meaning: "address of IoTDA; `http://` only on loopback",
    example: "https://iotda.cn-north-4.myhuaweicloud.com",
  }),
  regionId: optional(
    "ARCHIVER_IOTDA_REGION",
    matching(/^[a-z][a-z0-9-]{1,31}$/, "a region such as cn-north-4"),
    {
      otherwise: "from a `*.{region}.myhuaweicloud.com` host",
      meaning: "region for derived signing; required where the host does not name it",
      example: "your region, such as cn-north-4",
    },
  ),
  projectId,
  instanceId,
  signing: word("ARCHIVER_IOTDA_SIGNING", ["auto", "standard", "derived"], "auto", {
    meaning:
      "signing algorithm; `auto` = derived for hosts outside the official pattern, standard on loopback",
  }),
});

const huawei = { otherwise: "–", secret: true } as const;

const credentials = v.object({
  source: word("ARCHIVER_PLATFORM_CREDENTIALS", ["keys", "agency"], "keys", {
    meaning: "`keys` = the access keys below; `agency` = those that FunctionGraph gives to a function",
  }),
  ak: optional("HUAWEICLOUD_SDK_AK", secretText, {
    ...huawei,
    meaning: "access key id",
    example: "the access key id of the IAM user",
  }),
  sk: optional("HUAWEICLOUD_SDK_SK", secretText, {
    ...huawei,
    meaning: "secret key",
    example: "the secret key that belongs to it",
  }),
  securityToken: optional("HUAWEICLOUD_SDK_SECURITY_TOKEN", secretText, {
    ...huawei,
    meaning: "token of temporary keys",
    example: "the token that came with the temporary keys",
  }),
  secretId: optional("ARCHIVER_CREDENTIALS_SECRET", headerText, {
    meaning: 'Secrets Manager id of `{"ak","sk","securityToken"?}`; use it instead of the three above',
    example: "the id or ARN of the secret",
  }),
});

const partSizeBytes = number("ARCHIVER_PART_SIZE_BYTES", 5 * MIB, 512 * MIB, 5 * MIB, {
  meaning: "size of one part buffer",
});
const region = optional("AWS_REGION", matching(/^[a-z0-9-]{2,32}$/, "a region such as eu-west-1"), {
  otherwise: "the AWS SDK's",
  meaning: "used as the AWS SDK does",
  example: "a region such as eu-west-1",
});

const store = v.object({
  location: required("ARCHIVER_STORE", storeLocation, {
    meaning: "`s3://bucket/prefix` or `file:///absolute/folder`",
    example: "s3://bucket/prefix or file:///absolute/folder",
  }),
  archiveId: optional("ARCHIVER_ARCHIVE_ID", uuid, {
    meaning: "id of the archive that must be in the store; `iotda-archiver init` shows it",
    example: "the archiveId in archive.json, or remove it",
  }),
  profile: word("ARCHIVER_STORE_PROFILE", ["auto", "aws", "obs", "generic"], "auto", {
    meaning: "what the store can do: `aws`, `obs`, `generic`; `auto` = by endpoint",
  }),
  credentials: word("ARCHIVER_STORE_CREDENTIALS", ["aws", "huawei", "agency"], "aws", {
    meaning:
      "`aws` = the AWS SDK's default chain, `huawei` = the AK/SK above (OBS), `agency` = as for the platform",
  }),
  pathStyle: withDefault("ARCHIVER_STORE_PATH_STYLE", flag, "false", {
    meaning: "path-style addressing",
    example: "true or false",
  }),
  sse: optional("ARCHIVER_STORE_SSE", headerText, {
    meaning: "server-side encryption, passed through",
    example: "AES256 or aws:kms",
  }),
  kmsKeyId: optional("ARCHIVER_STORE_KMS_KEY_ID", headerText, {
    meaning: "KMS key, passed through",
    example: "the id or ARN of the key",
  }),
  storageClass: optional("ARCHIVER_STORE_STORAGE_CLASS", headerText, {
    meaning: "storage class, sent as it is; choose an archive class only where copies are not read back",
    example: "a storage class of the store, such as STANDARD_IA",
  }),
  partSizeBytes,
  partsInFlight: number("ARCHIVER_PARTS_IN_FLIGHT", 2, 64, 3, {
    meaning: "part buffers in the pool, at least 2",
  }),
  region,
  endpoint: optional("AWS_ENDPOINT_URL_S3", serviceUrl, {
    from: ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"],
    otherwise: "the AWS SDK's",
    meaning: "used as the AWS SDK does, `AWS_ENDPOINT_URL` included",
    example: "the address of the store, such as https://obs.cn-north-4.myhuaweicloud.com",
  }),
});

const queue = v.object({
  region,
  endpoint: optional("AWS_ENDPOINT_URL_SQS", serviceUrl, {
    from: ["AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"],
    otherwise: "the AWS SDK's",
    meaning: "used as the AWS SDK does, `AWS_ENDPOINT_URL` included",
    example: "the address of the queue service",
  }),
  location: required("ARCHIVER_QUEUE", queueLocation, {
    meaning: "SQS queue URL, `sqlite:///absolute/file.db`, or `store:` for a queue in `ARCHIVER_STORE`",
    example: "an SQS queue URL, sqlite:///absolute/file.db or store:",
  }),
  deadLetterQueueUrl: optional("ARCHIVER_DEAD_LETTER_QUEUE", sqsQueueUrl, {
    otherwise: "required with SQS",
    meaning: "URL of the SQS dead-letter queue; other queues contain their own",
    example: "the URL of a second SQS queue",
  }),
  // SQS hides a message for 12 hours at most.
  visibilityMs: number("ARCHIVER_VISIBILITY_MS", 1_000, 12 * HOUR_MS, 120_000, {
    meaning: "visibility timeout of each receive; the archiver renews it after a third of it",
  }),
});

const archive = v.object({
  deletion: word("ARCHIVER_DELETE", ["after-verify", "never"], "after-verify", {
    meaning: "`never` archives an export and keeps its task",
  }),
  verify: word("ARCHIVER_VERIFY", ["auto", "stored", "read-back"], "auto", {
    meaning: "`stored` = the store's own digest, `read-back` = read and hash; `auto` = by profile",
  }),
  accept: word("ARCHIVER_ACCEPT", ["zip", "any"], "zip", {
    meaning: "`any` also accepts files that are not ZIP",
  }),
  downloadIntervalMs: number("ARCHIVER_DOWNLOAD_INTERVAL_MS", 1, HOUR_MS, 31_000, {
    meaning: "time between two download starts; below 30000 on loopback only",
  }),
  maxAttempts: number("ARCHIVER_MAX_ATTEMPTS", 1, 1_000, 5, {
    meaning: "failed attempts at one task before the archiver may dead-letter it",
  }),
  giveUpAfterMs: number("ARCHIVER_GIVE_UP_AFTER_MS", 0, 365 * DAY_MS, 48 * HOUR_MS, {
    meaning: "time since the first failed attempt before the archiver may dead-letter a task (48 h)",
  }),
  maxReceives: number("ARCHIVER_MAX_RECEIVES", 2, 1_000, 20, {
    meaning: "receives of one message without an acknowledgement before a crash loop is assumed",
  }),
  absenceConfirmMs: number("ARCHIVER_ABSENCE_CONFIRM_MS", 1, 7 * DAY_MS, 60_000, {
    meaning: "time after which the archiver looks again for a task that no list shows",
  }),
  taskTimeoutMs: number("ARCHIVER_TASK_TIMEOUT_MS", 1_000, DAY_MS, 600_000, {
    meaning: "time limit of one attempt at a task, verification included",
  }),
  minTaskMs: number("ARCHIVER_MIN_TASK_MS", 0, DAY_MS, 60_000, {
    meaning: "remaining time that a run needs to start a task",
  }),
  pressure: number("ARCHIVER_PRESSURE", 0, 50, 35, {
    meaning: "used export slots, of 50, from which on daytime runs archive too",
  }),
  exportPlaces: number("ARCHIVER_EXPORT_PLACES", 1, 50, 50, {
    meaning: "export slots, of 50, that this deployment may use; it always keeps 5 of them free",
  }),
  requestAttempts: number("ARCHIVER_REQUEST_ATTEMPTS", 1, 100, 3, {
    meaning: "failed exports after which the archiver gives up an export request",
  }),
  // "Members' CRC-32 are compared when the file fits in one part" (architecture §4 step 4).
  membersLimitBytes: partSizeBytes,
});

/** How events from outside are taken. No key of the platform is needed for it. */
const events = v.object({
  projectId,
  instanceId,
  exportOn: withDefault("ARCHIVER_EXPORT_ON", exportTriggers, "any:Success,any:PartialSuccess", {
    meaning:
      "batch tasks whose end requests an export: `type:status`, separated by commas; `any` is every type",
    example:
      "a list such as any:Success,softwareUpgrade:Fail (statuses: Success, PartialSuccess, Fail, Stopped)",
  }),
  secret: optional("ARCHIVER_EVENT_SECRET", eventSecret, {
    meaning:
      "secret that HTTP events carry in `x-archiver-secret`; without it, the function accepts no HTTP event",
    example: "16 or more random characters, the same as where the events come from",
    secret: true,
  }),
  secretId: optional("ARCHIVER_EVENT_SECRET_ID", headerText, {
    meaning:
      "Secrets Manager id of that secret, stored as plain text; use it instead of `ARCHIVER_EVENT_SECRET`",
    example: "the id or ARN of the secret",
  }),
});

const retention = v.object({
  policy: required("ARCHIVER_RETENTION_POLICY", documentLocation, {
    otherwise: "none",
    meaning:
      "retention policy: `file:///absolute/policy.json`, `store:key` below the prefix, or its JSON text; needed by `retention` commands",
    example: "file:///absolute/policy.json, store:retention/policy.json or the policy's JSON text",
  }),
  maxRemovals: number("ARCHIVER_EXPIRE_MAX_REMOVALS", 0, 100_000, 100, {
    meaning: "maximum number of exports that one expire run removes",
  }),
});

/** How inventories read the copies again. */
const verification = v.object({
  verifyWithinDays: number("ARCHIVER_VERIFY_WITHIN_DAYS", 0, 3_650, 90, {
    meaning: "`inventory` reads every copy again within this many days; 0 switches that off",
  }),
  verifyBytesPerDay: number("ARCHIVER_VERIFY_BYTES_PER_DAY", 1, 2 ** 50, 10 * GIB, {
    meaning: "the most that one `inventory` reads for that (10 GiB)",
  }),
});

const logging = v.object({
  level: withDefault("ARCHIVER_LOG_LEVEL", oneOfAnyCase(LOG_LEVELS), "INFO", {
    meaning: "`DEBUG`, `INFO`, `WARN` or `ERROR`",
    example: "DEBUG, INFO, WARN or ERROR",
  }),
});

const proxyWords = { example: "http://proxy.example:3128", secret: true } as const;

/** Other tools write these names in lower case too; the lower case wins, as with curl. */
const proxy = v.object({
  httpsProxy: optional("HTTPS_PROXY", proxyUrl, {
    ...proxyWords,
    from: ["https_proxy", "HTTPS_PROXY"],
    meaning: "proxy for https addresses; `https_proxy` wins over it",
  }),
  httpProxy: optional("HTTP_PROXY", proxyUrl, {
    ...proxyWords,
    from: ["http_proxy", "HTTP_PROXY"],
    meaning: "proxy for http addresses; `http_proxy` wins over it",
  }),
  noProxy: optional("NO_PROXY", matching(/^[\x20-\x7e]{1,8192}$/, "a list of hosts"), {
    from: ["no_proxy", "NO_PROXY"],
    meaning: "hosts reached without a proxy; `no_proxy` wins over it",
    example: "hosts, separated by commas",
  }),
});

/** Every variable this program reads (architecture §6.1), in the order of the documentation. */
export const SECTIONS = {
  platform,
  credentials,
  store,
  queue,
  archive,
  events,
  retention,
  verification,
  notification,
  report,
  logging,
  proxy,
};
