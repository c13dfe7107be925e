import type * as v from "valibot";
import { signingAlgorithmFor } from "../iotda/signing.ts";
import { isLoopback } from "../network/loopback.ts";
import type { Secret } from "../observability/redact.ts";
import { S3_PROFILES } from "../store/s3/profiles.ts";
import type { SectionRead, Setting } from "./section.ts";
import { SECTIONS } from "./settings.ts";
import type { QueueLocation, StoreLocation } from "./value-schemas.ts";

/** Rules over several settings. Each notes what it finds, so that one message has all problems. */

type Sections = typeof SECTIONS;

/** The values of a section, all of them well-formed. */
export type Values<Name extends keyof Sections> = Readonly<v.InferOutput<Sections[Name]>>;

export type SectionsRead = { readonly [Name in keyof Sections]: SectionRead<Sections[Name]> };

/** Notes a problem with a setting; without `fix`, what the setting may be. */
export type Refuse = (setting: Setting, problem: string, fix?: string) => undefined;

/** Where the access keys of the platform come from. */
export type PlatformCredentials =
  | {
      readonly kind: "static";
      readonly ak: Secret;
      readonly sk: Secret;
      readonly securityToken: Secret | undefined;
    }
  /** A Secrets Manager id of `{"ak","sk","securityToken"?}`. */
  | { readonly kind: "secret"; readonly secretId: string };

export interface PlatformConfiguration extends Values<"platform"> {
  /** The region, where it was taken from the endpoint's host: when it is wrong, every derived signature is. */
  readonly guessedRegion: string | undefined;
  readonly credentials: PlatformCredentials;
}

type LocationOf<Location, Kind> = Extract<Location, { readonly kind: Kind }>;

export type S3StoreConfiguration = LocationOf<StoreLocation, "s3"> &
  Omit<Values<"store">, "location" | "archiveId" | "profile" | "credentials"> & {
    /** `auto` is already decided, by the endpoint. */
    readonly profile: Exclude<Values<"store">["profile"], "auto">;
    readonly credentials:
      | { readonly kind: "aws" }
      | { readonly kind: "huawei"; readonly keys: PlatformCredentials };
  };
export type StoreConfiguration = LocationOf<StoreLocation, "file"> | S3StoreConfiguration;

export type QueueConfiguration =
  | (LocationOf<QueueLocation, "sqlite" | "store"> & Pick<Values<"queue">, "visibilityMs">)
  | (LocationOf<QueueLocation, "sqs"> &
      Omit<Values<"queue">, "location"> & { readonly deadLetterQueueUrl: URL });

/** What the platform itself asks for between two downloads (iotda-api §1.3). */
const PLATFORM_INTERVAL_MS = 30_000;

/** More memory than this for part buffers is a slip of the keyboard. */
const MAX_POOL_BYTES = 2 * 1024 * 1024 * 1024;

/** Rules that hold whatever the command needs: a setting that breaks one must not wait to hurt. */
export function checkAlways(
  { platform, credentials, store, archive, events, notification }: SectionsRead,
  refuse: Refuse,
): void {
  checkCredentialSources(credentials, refuse);
  checkNotification(notification, refuse);
  const { endpoint } = platform.values;
  const { downloadIntervalMs: intervalMs = PLATFORM_INTERVAL_MS } = archive.values;
  if (endpoint !== undefined && !isLoopback(endpoint.hostname)) {
    if (endpoint.protocol === "http:") {
      const problem = "begins with http://, which is for loopback only";
      refuse(SECTIONS.platform.entries.endpoint, problem, "Write https://.");
    }
    if (intervalMs < PLATFORM_INTERVAL_MS) {
      refuse(
        SECTIONS.archive.entries.downloadIntervalMs,
        `${intervalMs} is below ${PLATFORM_INTERVAL_MS}, the pace the platform allows`,
      );
    }
  }
  if (events.isSet("secret") && events.isSet("secretId")) {
    refuse(
      SECTIONS.events.entries.secretId,
      "is set together with ARCHIVER_EVENT_SECRET: two sources of the same secret",
      "Remove one of them.",
    );
  }
  const { minTaskMs = 0, taskTimeoutMs = minTaskMs } = archive.values;
  if (minTaskMs > taskTimeoutMs) {
    refuse(
      SECTIONS.archive.entries.minTaskMs,
      `${minTaskMs} is more than ARCHIVER_TASK_TIMEOUT_MS, which is ${taskTimeoutMs}`,
    );
  }
  const { partSizeBytes = 0, partsInFlight = 0 } = store.values;
  if (partSizeBytes * partsInFlight > MAX_POOL_BYTES) {
    refuse(
      SECTIONS.store.entries.partSizeBytes,
      `times ARCHIVER_PARTS_IN_FLIGHT is more than ${MAX_POOL_BYTES} bytes of memory`,
      "Set one of the two to less.",
    );
  }
}

/** A message that comes on bad nights only, and no heartbeat: a scheduler that is switched off would look like a good night. */
function checkNotification({ values, isSet }: SectionsRead["notification"], refuse: Refuse): void {
  const { entries } = SECTIONS.notification;
  if (values.notifyOn === "problems" && !isSet("heartbeatUrl") && !isSet("secretId")) {
    refuse(
      entries.notifyOn,
      "is problems, but ARCHIVER_HEARTBEAT_URL is not set: a night without a run would look like a good one",
      "Set ARCHIVER_HEARTBEAT_URL or ARCHIVER_NOTIFICATION_SECRET too, or set it to every-night.",
    );
  }
  if (values.targets?.some(({ kind }) => kind === "mail") === true && !isSet("smtpUrl")) {
    refuse(entries.smtpUrl, "is not set, but ARCHIVER_NOTIFY has a mailto: address");
  }
}

function checkCredentialSources(credentials: SectionsRead["credentials"], refuse: Refuse): void {
  const { entries } = SECTIONS.credentials;
  const keys = (["ak", "sk", "securityToken"] as const).filter((key) => credentials.isSet(key));
  const names = keys.map((key) => entries[key].about.name).join(" and ");
  if (keys.length === 0) {
    return;
  }
  if (credentials.isSet("secretId")) {
    const problem = `is set together with ${names}: two sources of the same keys`;
    refuse(entries.secretId, problem, "Remove one of them.");
    return;
  }
  for (const key of ["ak", "sk"] as const) {
    if (!credentials.isSet(key)) {
      refuse(entries[key], `is not set, but ${names} is`);
    }
  }
}

/** Exactly one source of access keys (architecture §6.1, "two sources for one thing"). */
function credentialsOf({ credentials }: SectionsRead, refuse: Refuse): PlatformCredentials | undefined {
  const { ak, sk, securityToken, secretId } = credentials.values;
  if (secretId !== undefined) {
    return { kind: "secret", secretId };
  }
  if (ak !== undefined && sk !== undefined) {
    return { kind: "static", ak, sk, securityToken };
  }
  const isAnySet = (["ak", "sk", "securityToken", "secretId"] as const).some((key) => credentials.isSet(key));
  return isAnySet
    ? undefined
    : refuse(
        SECTIONS.credentials.entries.ak,
        "is not set, and neither is another source of access keys",
        "Set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or ARCHIVER_CREDENTIALS_SECRET.",
      );
}

/** `*.{region}.myhuaweicloud.com`; the middle must look like a region, not like a service. */
const REGIONAL_HOST = /\.([a-z]{2,}(?:-[a-z]+)+-\d{1,3})\.myhuaweicloud\.com$/;

/** The platform's part; `undefined` when the problems noted leave none. */
export function platformOf(read: SectionsRead, refuse: Refuse): PlatformConfiguration | undefined {
  const { whole, values, isSet } = read.platform;
  const credentials = credentialsOf(read, refuse);
  const hostname = values.endpoint?.hostname;
  const guessedRegion = isSet("regionId") ? undefined : REGIONAL_HOST.exec(hostname ?? "")?.[1];
  if (hostname !== undefined && !isSet("regionId") && guessedRegion === undefined) {
    const algorithm = values.signing === "auto" ? signingAlgorithmFor(hostname) : values.signing;
    if (algorithm === "derived") {
      refuse(
        SECTIONS.platform.entries.regionId,
        "is not set, the host of ARCHIVER_IOTDA_ENDPOINT names no region, and derived signing needs one",
      );
    }
  }
  return whole === undefined || credentials === undefined
    ? undefined
    : { ...whole, regionId: whole.regionId ?? guessedRegion, guessedRegion, credentials };
}

/** Settings that mean something to S3 only. Left in place silently they would promise what a folder cannot do. */
const S3_ONLY = ["sse", "kmsKeyId", "storageClass"] as const;

/** Classes of AWS, OBS and those who speak as they do whose objects have to be restored, for hours, before a read. */
const ARCHIVE_CLASSES: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE", "COLD"]);

/** The store's part; `undefined` when the problems noted leave none. */
export function storeOf(read: SectionsRead, refuse: Refuse): StoreConfiguration | undefined {
  const { location } = read.store.values;
  switch (location?.kind) {
    case undefined:
      return undefined;
    case "file":
      checkFileStore(read, refuse);
      return location;
    case "s3":
      return s3StoreOf(location, read, refuse);
  }
}

function checkFileStore({ store, archive }: SectionsRead, refuse: Refuse): void {
  for (const field of S3_ONLY.filter((candidate) => store.isSet(candidate))) {
    refuse(
      SECTIONS.store.entries[field],
      "has no effect with a file:// store",
      "Remove it, or set ARCHIVER_STORE to s3://bucket/prefix.",
    );
  }
  if (archive.values.verify === "stored") {
    const problem = "is stored, but a file:// store keeps no digest";
    refuse(SECTIONS.archive.entries.verify, problem, "Set it to auto or read-back.");
  }
}

function s3StoreOf(
  place: LocationOf<StoreLocation, "s3">,
  read: SectionsRead,
  refuse: Refuse,
): S3StoreConfiguration | undefined {
  const { whole, values } = read.store;
  const keys = values.credentials === "huawei" ? credentialsOf(read, refuse) : undefined;
  const profile = values.profile === "auto" ? profileOf(values.endpoint) : values.profile;
  if (profile !== undefined) {
    checkStorageClass(profile, read, refuse);
  }
  if (whole === undefined || profile === undefined) {
    return undefined;
  }
  const { location: _place, archiveId: _identity, credentials: kind, ...rest } = whole;
  const credentials = kind === "aws" ? { kind } : keys && { kind, keys };
  return credentials && { ...place, ...rest, profile, credentials };
}

/** Each export would be uploaded, could not be read back, and be uploaded again. */
function checkStorageClass(
  profile: S3StoreConfiguration["profile"],
  { store, archive }: SectionsRead,
  refuse: Refuse,
): void {
  const { storageClass } = store.values;
  const { verify } = archive.values;
  const level = verify === "auto" ? S3_PROFILES[profile].verification : verify;
  if (level === "read-back" && storageClass !== undefined && ARCHIVE_CLASSES.has(storageClass)) {
    refuse(
      SECTIONS.store.entries.storageClass,
      `is ${storageClass}, but copies are proved by reading them back, and that class cannot be read`,
      "Take a class that can be read at once; a lifecycle rule of the bucket can move proved copies to an archive class.",
    );
  }
}

/** The profile behind `auto`: by endpoint; none is AWS, as for the SDK (architecture §7). */
function profileOf(endpoint: URL | undefined): S3StoreConfiguration["profile"] {
  const host = endpoint?.hostname;
  if (host === undefined || /(^|\.)amazonaws\.com(\.cn)?$/.test(host)) {
    return "aws";
  }
  return /^([^.]+\.)?obs\.[^.]+\.my(huaweicloud\.com|huaweicloud\.eu)$/.test(host) ? "obs" : "generic";
}

/** The queue's part; `undefined` when the problems noted leave none. */
export function queueOf({ queue, store }: SectionsRead, refuse: Refuse): QueueConfiguration | undefined {
  const { whole, values, isSet } = queue;
  const { deadLetterQueueUrl: setting } = SECTIONS.queue.entries;
  if (values.location?.kind === "sqlite" || values.location?.kind === "store") {
    if (isSet("deadLetterQueueUrl")) {
      const name = values.location.kind === "sqlite" ? "sqlite queue" : "queue in the store";
      refuse(setting, `is set, but the ${name} keeps its own dead letters`, "Remove it.");
    }
    if (values.location.kind === "store" && !store.isSet("location")) {
      refuse(SECTIONS.store.entries.location, "is not set, but ARCHIVER_QUEUE is store:");
    }
    return whole && { ...values.location, visibilityMs: whole.visibilityMs };
  }
  if (values.location === undefined) {
    return undefined;
  }
  const { deadLetterQueueUrl } = values;
  if (!isSet("deadLetterQueueUrl")) {
    refuse(setting, "is not set");
  }
  if (deadLetterQueueUrl?.href === values.location.queueUrl.href) {
    refuse(setting, "is the same queue as ARCHIVER_QUEUE");
  }
  if (whole === undefined || deadLetterQueueUrl === undefined) {
    return undefined;
  }
  const { location: _place, ...rest } = whole;
  return { ...values.location, ...rest, deadLetterQueueUrl };
}
