import type * as v from "valibot";
import { LOG_LEVELS } from "../observability/log.ts";
import { eventSecret, exportTriggers } from "./events-part.ts";
import { policyLocation, queueLocation, storeLocation } from "./location-schemas.ts";
import { row, type Setting } from "./setting-row.ts";
import {
  flag,
  headerText,
  matching,
  oneOf,
  oneOfAnyCase,
  originUrl,
  proxyUrl,
  secretText,
  serviceUrl,
  sqsQueueUrl,
  uuid,
  wholeNumber,
} from "./value-schemas.ts";

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const awsRegion = matching(/^[a-z0-9-]{2,32}$/, "a region such as eu-west-1");
const httpsEndpoint = "https://iotda.cn-north-4.myhuaweicloud.com";
const huawei = { schema: secretText, otherwise: "–", secret: true } as const;
const proxy = {
  schema: proxyUrl,
  otherwise: "none",
  example: "http://proxy.example:3128",
  secret: true,
} as const;

/** Every variable this program reads (architecture §6.1). Parsing, the unknown-name check and the docs follow this table. */
export const SETTING_TABLE = {
  ARCHIVER_IOTDA_ENDPOINT: row({
    schema: originUrl,
    otherwise: "required",
    meaning: "address of IoTDA; `http://` only for loopback",
    example: httpsEndpoint,
  }),
  ARCHIVER_IOTDA_REGION: row({
    schema: matching(/^[a-z][a-z0-9-]{1,31}$/, "a region such as cn-north-4"),
    otherwise: "from a `*.{region}.myhuaweicloud.com` host",
    meaning: "region for derived signing; required for it at other hosts",
    example: "your region, such as cn-north-4",
  }),
  ARCHIVER_IOTDA_PROJECT_ID: row({
    schema: matching(/^[A-Za-z0-9_-]{1,64}$/, "a project id (1 to 64 letters, digits, _ and -)"),
    otherwise: "required",
    meaning: "project id of the region",
    example: 'the project id shown under "My Credentials" in the console',
  }),
  ARCHIVER_IOTDA_INSTANCE_ID: row({
    schema: matching(/^[a-f0-9-]{1,36}$/, "an instance id (1 to 36 of a-f, 0-9 and -)"),
    otherwise: "none",
    meaning: "sent as `Instance-Id`",
    example: "the id shown in the instance overview, in lower case",
  }),
  ARCHIVER_IOTDA_SIGNING: row({
    schema: oneOf(["auto", "standard", "derived"]),
    default: "auto",
    meaning:
      "signing algorithm; `auto` = derived for hosts outside the official pattern, standard on loopback",
    example: "auto, standard or derived",
  }),
  HUAWEICLOUD_SDK_AK: row({
    ...huawei,
    meaning: "access key id",
    example: "the access key id of the IAM user",
  }),
  HUAWEICLOUD_SDK_SK: row({ ...huawei, meaning: "secret key", example: "the secret key that belongs to it" }),
  HUAWEICLOUD_SDK_SECURITY_TOKEN: row({
    ...huawei,
    meaning: "token of temporary keys",
    example: "the token that came with the temporary keys",
  }),
  ARCHIVER_CREDENTIALS_SECRET: row({
    schema: headerText,
    otherwise: "none",
    meaning: 'Secrets Manager id of `{"ak","sk","securityToken"?}`, instead of the three above',
    example: "the id or ARN of the secret",
  }),
  ARCHIVER_STORE: row({
    schema: storeLocation,
    otherwise: "required",
    meaning: "`s3://bucket/prefix` or `file:///absolute/folder`",
    example: "s3://bucket/prefix or file:///absolute/folder",
  }),
  ARCHIVER_ARCHIVE_ID: row({
    schema: uuid,
    otherwise: "none",
    meaning: "the archive that must lie in the store; `iotda-archiver init` shows its id",
    example: "the archiveId in archive.json, or remove it",
  }),
  ARCHIVER_STORE_PROFILE: row({
    schema: oneOf(["auto", "aws", "obs", "generic"]),
    default: "auto",
    meaning: "what the store is known to do: `aws`, `obs`, `generic`; `auto` = by endpoint",
    example: "auto, aws, obs or generic",
  }),
  ARCHIVER_STORE_CREDENTIALS: row({
    schema: oneOf(["aws", "huawei"]),
    default: "aws",
    meaning: "`aws` = the AWS SDK's default chain, `huawei` = the AK/SK above (OBS)",
    example: "aws or huawei",
  }),
  ARCHIVER_STORE_PATH_STYLE: row({
    schema: flag,
    default: "false",
    meaning: "path-style addressing",
    example: "true or false",
  }),
  ARCHIVER_STORE_SSE: row({
    schema: headerText,
    otherwise: "none",
    meaning: "server-side encryption, passed through",
    example: "AES256 or aws:kms",
  }),
  ARCHIVER_STORE_KMS_KEY_ID: row({
    schema: headerText,
    otherwise: "none",
    meaning: "KMS key, passed through",
    example: "the id or ARN of the key",
  }),
  ARCHIVER_STORE_STORAGE_CLASS: row({
    schema: headerText,
    otherwise: "none",
    meaning: "storage class, passed through; an archive class only where copies are not read back",
    example: "a storage class of the store, such as STANDARD_IA",
  }),
  ARCHIVER_PART_SIZE_BYTES: row({
    schema: wholeNumber(5 * MIB, 512 * MIB),
    default: String(5 * MIB),
    meaning: "size of one part buffer",
    example: "a number of bytes from 5242880 (the least S3 takes) to 536870912",
  }),
  ARCHIVER_PARTS_IN_FLIGHT: row({
    schema: wholeNumber(2, 64),
    default: "3",
    meaning: "part buffers in the pool, at least 2",
    example: "a number from 2 to 64",
  }),
  AWS_REGION: row({
    schema: awsRegion,
    otherwise: "the AWS SDK's",
    meaning: "honoured as the AWS SDK does",
    example: "a region such as eu-west-1",
  }),
  AWS_ENDPOINT_URL_S3: row({
    schema: serviceUrl,
    otherwise: "the AWS SDK's",
    meaning: "honoured as the AWS SDK does, `AWS_ENDPOINT_URL` included",
    example: "the address of the store, such as https://obs.cn-north-4.myhuaweicloud.com",
  }),
  AWS_ENDPOINT_URL_SQS: row({
    schema: serviceUrl,
    otherwise: "the AWS SDK's",
    meaning: "honoured as the AWS SDK does, `AWS_ENDPOINT_URL` included",
    example: "the address of the queue service",
  }),
  ARCHIVER_QUEUE: row({
    schema: queueLocation,
    otherwise: "required",
    meaning: "SQS queue URL, or `sqlite:///absolute/file.db`",
    example: "an SQS queue URL or sqlite:///absolute/file.db",
  }),
  ARCHIVER_DEAD_LETTER_QUEUE: row({
    schema: sqsQueueUrl,
    otherwise: "required with SQS",
    meaning: "SQS queue URL; the sqlite queue has its own",
    example: "the URL of a second SQS queue",
  }),
  ARCHIVER_VISIBILITY_MS: row({
    // SQS hides a message for 12 hours at most.
    schema: wholeNumber(1_000, 12 * HOUR_MS),
    default: "120000",
    meaning: "visibility timeout asked for at each receive, renewed at a third of it",
    example: "a number of milliseconds from 1000 to 43200000",
  }),
  ARCHIVER_DELETE: row({
    schema: oneOf(["after-verify", "never"]),
    default: "after-verify",
    meaning: "`never` archives and keeps",
    example: "after-verify or never",
  }),
  ARCHIVER_VERIFY: row({
    schema: oneOf(["auto", "stored", "read-back"]),
    default: "auto",
    meaning: "`stored` = the store's own digest, `read-back` = read and hash; `auto` = by profile",
    example: "auto, stored or read-back",
  }),
  ARCHIVER_ACCEPT: row({
    schema: oneOf(["zip", "any"]),
    default: "zip",
    meaning: "`any` switches the container check off",
    example: "zip or any",
  }),
  ARCHIVER_DOWNLOAD_INTERVAL_MS: row({
    schema: wholeNumber(1, HOUR_MS),
    default: "31000",
    meaning: "time between two download starts; below 30000 on loopback only",
    example: "a number of milliseconds from 30000 (less on loopback only) to 3600000",
  }),
  ARCHIVER_MAX_ATTEMPTS: row({
    schema: wholeNumber(1, 1_000),
    default: "5",
    meaning: "failed tries of one task before it may be dead-lettered",
    example: "a number from 1 to 1000",
  }),
  ARCHIVER_GIVE_UP_AFTER_MS: row({
    schema: wholeNumber(0, 365 * DAY_MS),
    default: String(48 * HOUR_MS),
    meaning: "time since the first failed try before a task may be dead-lettered (48 h)",
    example: "a number of milliseconds up to 31536000000",
  }),
  ARCHIVER_MAX_RECEIVES: row({
    schema: wholeNumber(2, 1_000),
    default: "20",
    meaning: "receives of one message, without acknowledgement",
    example: "a number from 2 to 1000",
  }),
  ARCHIVER_ABSENCE_CONFIRM_MS: row({
    schema: wholeNumber(1, 7 * DAY_MS),
    default: "60000",
    meaning: "time after which an absent task is looked for again",
    example: "a number of milliseconds from 1 to 604800000",
  }),
  ARCHIVER_TASK_TIMEOUT_MS: row({
    schema: wholeNumber(1_000, DAY_MS),
    default: "600000",
    meaning: "longest time for one task, verification included",
    example: "a number of milliseconds from 1000 to 86400000",
  }),
  ARCHIVER_MIN_TASK_MS: row({
    schema: wholeNumber(0, DAY_MS),
    default: "60000",
    meaning: "time that must remain of a run for a task to start",
    example: "a number of milliseconds up to ARCHIVER_TASK_TIMEOUT_MS",
  }),
  ARCHIVER_PRESSURE: row({
    schema: wholeNumber(0, 50),
    default: "35",
    meaning: "export slots used, of 50, at which daytime runs archive too",
    example: "a number from 0 to 50",
  }),
  ARCHIVER_EXPORT_PLACES: row({
    schema: wholeNumber(1, 50),
    default: "50",
    meaning:
      "export slots, of 50, that this deployment may fill; it creates no export beyond all but 5 of them",
    example: "a number from 1 to 50",
  }),
  ARCHIVER_REQUEST_ATTEMPTS: row({
    schema: wholeNumber(1, 100),
    default: "3",
    meaning: "exports asked for on behalf of one request that may come to nothing before it is given up",
    example: "a number from 1 to 100",
  }),
  ARCHIVER_EXPORT_ON: row({
    schema: exportTriggers,
    default: "any:Success,any:PartialSuccess",
    meaning:
      "batch tasks whose end asks for an export: `type:status`, separated by commas; `any` is every type",
    example:
      "a list such as any:Success,softwareUpgrade:Fail (statuses: Success, PartialSuccess, Fail, Stopped)",
  }),
  ARCHIVER_EVENT_SECRET: row({
    schema: eventSecret,
    otherwise: "none",
    meaning: "what HTTP events carry in `x-archiver-secret`; without it no HTTP event is taken",
    example: "16 or more random characters, the same as where the events come from",
    secret: true,
  }),
  ARCHIVER_EVENT_SECRET_ID: row({
    schema: headerText,
    otherwise: "none",
    meaning: "Secrets Manager id of that secret, a plain text, instead of `ARCHIVER_EVENT_SECRET`",
    example: "the id or ARN of the secret",
  }),
  ARCHIVER_RETENTION_POLICY: row({
    schema: policyLocation,
    otherwise: "none",
    meaning:
      "retention policy: `file:///absolute/policy.json`, `store:key` below the prefix, or its JSON text; needed by `retention` commands",
    example: "file:///absolute/policy.json, store:retention/policy.json or the policy's JSON text",
  }),
  ARCHIVER_EXPIRE_MAX_REMOVALS: row({
    schema: wholeNumber(0, 100_000),
    default: "100",
    meaning: "exports removed by one expire run at most",
    example: "a number from 0 to 100000",
  }),
  ARCHIVER_LOG_LEVEL: row({
    schema: oneOfAnyCase(LOG_LEVELS),
    default: "INFO",
    meaning: "`DEBUG`, `INFO`, `WARN` or `ERROR`",
    example: "DEBUG, INFO, WARN or ERROR",
  }),
  HTTPS_PROXY: row({ ...proxy, meaning: "proxy for https addresses; `https_proxy` wins over it" }),
  HTTP_PROXY: row({ ...proxy, meaning: "proxy for http addresses; `http_proxy` wins over it" }),
  NO_PROXY: row({
    schema: matching(/^[\x20-\x7e]{1,8192}$/, "a list of hosts"),
    otherwise: "none",
    meaning: "hosts reached without a proxy; `no_proxy` wins over it",
    example: "hosts, separated by commas",
  }),
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTING_TABLE;

/** The typed values of all settings: `undefined` only where there is no default. */
export type SettingValues = {
  readonly [Name in SettingName]:
    | v.InferOutput<(typeof SETTING_TABLE)[Name]["schema"]>
    | ((typeof SETTING_TABLE)[Name] extends { readonly default: string } ? never : undefined);
};

/** The names of all settings, in the order of the documentation. */
export const SETTING_NAMES = Object.keys(SETTING_TABLE) as readonly SettingName[];

/** The row of a setting, with the optional columns of every row. */
export function settingOf(name: SettingName): Setting {
  return SETTING_TABLE[name];
}

/** The configuration table as the documentation prints it. */
export const SETTINGS: readonly {
  readonly name: string;
  readonly default: string;
  readonly meaning: string;
}[] = SETTING_NAMES.map((name) => {
  const setting = settingOf(name);
  return { name, default: setting.default ?? setting.otherwise ?? "none", meaning: setting.meaning };
});
