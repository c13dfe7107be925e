import { isLoopback, signingAlgorithmFor } from "../iotda/signing.ts";
import type { PlatformConfiguration, PlatformCredentials } from "./configuration.ts";
import type { PartReader } from "./parts.ts";

/** What the platform itself asks for between two downloads (iotda-api §1.3). */
const PLATFORM_INTERVAL_MS = 30_000;

/** `*.{region}.myhuaweicloud.com`; the middle must look like a region, not like a service. */
const REGIONAL_HOST = /\.([a-z]{2,}(?:-[a-z]+)+-\d{1,3})\.myhuaweicloud\.com$/;

const KEY_NAMES = ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"] as const;

/** Reads the platform's part; `undefined` when the problems noted leave none. */
export function readPlatform(reader: PartReader): PlatformConfiguration | undefined {
  const { values } = reader;
  const endpoint = reader.required("ARCHIVER_IOTDA_ENDPOINT");
  const projectId = reader.required("ARCHIVER_IOTDA_PROJECT_ID");
  const credentials = readPlatformCredentials(reader);
  const signing = values.ARCHIVER_IOTDA_SIGNING;
  if (endpoint === undefined || signing === undefined) {
    return undefined;
  }
  const hostRegion = REGIONAL_HOST.exec(endpoint.hostname)?.[1];
  const region = values.ARCHIVER_IOTDA_REGION ?? hostRegion;
  const algorithm = signing === "auto" ? signingAlgorithmFor(endpoint.hostname) : signing;
  if (algorithm === "derived" && region === undefined && !reader.isSet.has("ARCHIVER_IOTDA_REGION")) {
    reader.note(
      "ARCHIVER_IOTDA_REGION",
      "is not set, the host of ARCHIVER_IOTDA_ENDPOINT names no region, and derived signing needs one",
    );
  }
  if (projectId === undefined || credentials === undefined) {
    return undefined;
  }
  return {
    endpoint,
    region,
    guessedRegion: values.ARCHIVER_IOTDA_REGION === undefined ? hostRegion : undefined,
    projectId,
    instanceId: values.ARCHIVER_IOTDA_INSTANCE_ID,
    signing,
    credentials,
  };
}

/** Rules about the endpoint that hold whatever the command needs, because a wrong one must not wait to hurt. */
export function checkEndpoint(reader: PartReader): void {
  const { ARCHIVER_IOTDA_ENDPOINT: endpoint, ARCHIVER_DOWNLOAD_INTERVAL_MS: intervalMs } = reader.values;
  if (endpoint === undefined || isLoopback(endpoint.hostname)) {
    return;
  }
  if (endpoint.protocol === "http:") {
    reader.note(
      "ARCHIVER_IOTDA_ENDPOINT",
      "begins with http://, which is for loopback only",
      "Write https://.",
    );
  }
  if (intervalMs !== undefined && intervalMs < PLATFORM_INTERVAL_MS) {
    reader.note(
      "ARCHIVER_DOWNLOAD_INTERVAL_MS",
      `${intervalMs} is below ${PLATFORM_INTERVAL_MS}, the pace the platform allows`,
    );
  }
}

/** Exactly one source of access keys. Rules are in architecture §6.1, "two sources of one thing". */
export function readPlatformCredentials(reader: PartReader): PlatformCredentials | undefined {
  const secretId = reader.values.ARCHIVER_CREDENTIALS_SECRET;
  const ak = reader.values.HUAWEICLOUD_SDK_AK;
  const sk = reader.values.HUAWEICLOUD_SDK_SK;
  if (reader.isSet.has("ARCHIVER_CREDENTIALS_SECRET")) {
    return secretId === undefined ? undefined : { kind: "secret", secretId };
  }
  if (!KEY_NAMES.some((name) => reader.isSet.has(name))) {
    reader.note(
      "HUAWEICLOUD_SDK_AK",
      "is not set, and neither is another source of access keys",
      "Set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or ARCHIVER_CREDENTIALS_SECRET.",
    );
    return undefined;
  }
  if (ak === undefined || sk === undefined) {
    return undefined;
  }
  return { kind: "static", ak, sk, securityToken: reader.values.HUAWEICLOUD_SDK_SECURITY_TOKEN };
}

/** Notes contradictory sources of access keys, whether or not the command needs any. */
export function checkCredentialSources(reader: PartReader): void {
  const keys = KEY_NAMES.filter((name) => reader.isSet.has(name));
  if (keys.length === 0) {
    return;
  }
  if (reader.isSet.has("ARCHIVER_CREDENTIALS_SECRET")) {
    reader.note(
      "ARCHIVER_CREDENTIALS_SECRET",
      `is set together with ${keys.join(" and ")}: two sources of the same keys`,
      "Remove one of them.",
    );
    return;
  }
  for (const name of ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"] as const) {
    if (!reader.isSet.has(name)) {
      reader.note(name, `is not set, but ${keys.join(" and ")} is`);
    }
  }
}
