import type * as v from "valibot";
import { formatBytes } from "../domain/format-bytes.ts";
import { signingAlgorithmFor } from "../iotda/signing.ts";
import { isLoopback } from "../network/loopback.ts";
import { S3_PROFILES } from "../store/s3/profiles.ts";
import type { AgencyKeys } from "./agency-keys.ts";
import { checkCredentials, credentialsOf, ofAgency, type PlatformCredentials } from "./credential-rules.ts";
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
  agencyKeys: AgencyKeys | undefined,
): void {
  checkCredentials({ credentials, store }, refuse, agencyKeys);
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
      `times ARCHIVER_PARTS_IN_FLIGHT is more than ${formatBytes(MAX_POOL_BYTES)} of memory`,
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

/** `*.{region}.myhuaweicloud.com`; the middle must look like a region, not like a service. */
const REGIONAL_HOST = /\.([a-z]{2,}(?:-[a-z]+)+-\d{1,3})\.myhuaweicloud\.com$/;

/** The platform's part; `undefined` when the problems noted leave none. */
export function platformOf(
  read: SectionsRead,
  refuse: Refuse,
  agencyKeys: AgencyKeys | undefined,
): PlatformConfiguration | undefined {
  const { whole, values, isSet } = read.platform;
  const credentials =
    read.credentials.values.source === "agency" ? ofAgency(agencyKeys) : credentialsOf(read, refuse);
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
export function storeOf(
  read: SectionsRead,
  refuse: Refuse,
  agencyKeys: AgencyKeys | undefined,
): StoreConfiguration | undefined {
  const { location } = read.store.values;
  switch (location?.kind) {
    case undefined:
      return undefined;
    case "file":
      checkFileStore(read, refuse);
      return location;
    case "s3":
      return s3StoreOf(location, read, refuse, agencyKeys);
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
  agencyKeys: AgencyKeys | undefined,
): S3StoreConfiguration | undefined {
  const { whole, values } = read.store;
  const keys = {
    aws: () => undefined,
    huawei: () => credentialsOf(read, refuse),
    agency: () => ofAgency(agencyKeys),
  }[values.credentials ?? "aws"]();
  const profile = values.profile === "auto" ? profileOf(values.endpoint) : values.profile;
  checkObsAddress(values, refuse);
  if (profile !== undefined) {
    checkStorageClass(profile, read, refuse);
  }
  if (whole === undefined || profile === undefined) {
    return undefined;
  }
  const { location: _place, archiveId: _identity, credentials: kind, ...rest } = whole;
  const credentials = kind === "aws" ? { kind } : keys && { kind: "huawei" as const, keys };
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

/** The domains of OBS, with the bucket that one of them names, and without it. */
const OBS_HOST = /^([^.]+\.)?(obs\.[^.]+\.myhuaweicloud\.(?:com|eu))$/;

/**
 * OBS takes `{bucket}.obs.{region}.…` alone, and the SDK puts the bucket there. Asked by path it answers a PUT with 404 or
 * `VirtualHostDomainRequired`, while a HEAD may pass (WeKnora #3273, backup-restore-operator #973).
 */
function checkObsAddress(
  { endpoint, pathStyle }: Partial<Pick<Values<"store">, "endpoint" | "pathStyle">>,
  refuse: Refuse,
): void {
  const { entries } = SECTIONS.store;
  const [, bucket, domain] = OBS_HOST.exec(endpoint?.hostname ?? "") ?? [];
  if (domain === undefined) {
    return;
  }
  if (pathStyle === true) {
    const problem = `is true, but ${domain} takes no path-style addresses`;
    refuse(entries.pathStyle, problem, "Remove it: the bucket then stands before the host's name.");
  }
  if (bucket !== undefined) {
    const problem = "names a bucket, which the archiver puts there itself";
    refuse(entries.endpoint, problem, `Write https://${domain}, and the bucket into ARCHIVER_STORE.`);
  }
}

/** The profile behind `auto`: by endpoint; none is AWS, as for the SDK (architecture §7). */
function profileOf(endpoint: URL | undefined): S3StoreConfiguration["profile"] {
  const host = endpoint?.hostname;
  if (host === undefined || /(^|\.)amazonaws\.com(\.cn)?$/.test(host)) {
    return "aws";
  }
  return OBS_HOST.test(host) ? "obs" : "generic";
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
