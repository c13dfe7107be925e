import type { PlatformScope } from "../domain/export-task.ts";
import type { ExportTrigger } from "../events/export-triggers.ts";
import type { LogLevel } from "../observability/log.ts";
import type { Secret } from "../observability/secret.ts";
import type { PolicyLocation } from "./location-schemas.ts";

/** The parts of the configuration that a command may or may not need. */
export type ConfigurationPart = "platform" | "store" | "queue" | "events" | "retention";

/** What discovering and archiving need. */
export type ArchivingPart = Exclude<ConfigurationPart, "events" | "retention">;

/**
 * What the environment says, checked and typed. `Configuration<"store">` has, of these parts, the store
 * only: what a command did not ask for may be missing and is not handed out.
 */
export type Configuration<Part extends ConfigurationPart = ArchivingPart> = CommonConfiguration &
  Pick<ConfigurationParts, Part>;

export interface ConfigurationParts {
  readonly platform: PlatformConfiguration;
  readonly store: StoreConfiguration;
  readonly queue: QueueConfiguration;
  readonly events: EventsConfiguration;
  readonly retention: RetentionConfiguration;
}

/** How events from outside are taken. No key of the platform is needed for it. */
export interface EventsConfiguration {
  readonly scope: PlatformScope;
  /** What an HTTP event has to carry; without one, no HTTP event is taken. */
  readonly secret: EventSecretSource | undefined;
  readonly exportOn: readonly ExportTrigger[];
}

export type EventSecretSource =
  | { readonly kind: "static"; readonly secret: Secret }
  /** A Secrets Manager id of a plain text, read while the program runs. */
  | { readonly kind: "kept"; readonly secretId: string };

export interface CommonConfiguration {
  readonly identity: IdentityConfiguration;
  readonly archive: ArchiveConfiguration;
  readonly logLevel: LogLevel;
  readonly proxy: ProxyConfiguration;
  /** Every secret of the environment, for the redaction of all that is shown. */
  readonly secrets: readonly Secret[];
}

/** Which archive is meant, whatever the command works with. */
export interface IdentityConfiguration {
  /** `ARCHIVER_ARCHIVE_ID`, in lower case. */
  readonly archiveId: string | undefined;
  /** The file of the SQLite queue: it remembers the archive. */
  readonly queueFile: string | undefined;
  readonly isStoreNamed: boolean;
}

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

export interface PlatformConfiguration {
  /** An origin: no path, no query, no user. */
  readonly endpoint: URL;
  /** Known whenever the signing algorithm in force needs it. */
  readonly region: string | undefined;
  /** The region, where it was taken from the endpoint's host: when it is wrong, every derived signature is. */
  readonly guessedRegion: string | undefined;
  readonly projectId: string;
  readonly instanceId: string | undefined;
  readonly signing: "auto" | "standard" | "derived";
  readonly credentials: PlatformCredentials;
}

export type StoreConfiguration = FileStoreConfiguration | S3StoreConfiguration;

export interface FileStoreConfiguration {
  readonly kind: "file";
  /** Absolute. */
  readonly folder: string;
}

export interface S3StoreConfiguration {
  readonly kind: "s3";
  readonly bucket: string;
  /** Without a slash at either end; empty for the whole bucket. */
  readonly prefix: string;
  /** `auto` is already decided, by the endpoint. */
  readonly profile: "aws" | "obs" | "generic";
  readonly credentials:
    | { readonly kind: "aws" }
    | { readonly kind: "huawei"; readonly keys: PlatformCredentials };
  readonly pathStyle: boolean;
  readonly sse: string | undefined;
  readonly kmsKeyId: string | undefined;
  readonly storageClass: string | undefined;
  /** `AWS_ENDPOINT_URL_S3`, else `AWS_ENDPOINT_URL`. */
  readonly endpoint: URL | undefined;
  readonly region: string | undefined;
}

export type QueueConfiguration = SqliteQueueConfiguration | SqsQueueConfiguration;

export interface SqliteQueueConfiguration {
  readonly kind: "sqlite";
  /** Absolute. */
  readonly file: string;
  readonly visibilityMs: number;
}

export interface SqsQueueConfiguration {
  readonly kind: "sqs";
  readonly queueUrl: URL;
  readonly deadLetterQueueUrl: URL;
  readonly visibilityMs: number;
  /** `AWS_ENDPOINT_URL_SQS`, else `AWS_ENDPOINT_URL`. */
  readonly endpoint: URL | undefined;
  readonly region: string | undefined;
}

export interface ArchiveConfiguration {
  readonly delete: "after-verify" | "never";
  readonly verify: "auto" | "stored" | "read-back";
  readonly accept: "zip" | "any";
  readonly downloadIntervalMs: number;
  readonly maxAttempts: number;
  readonly giveUpAfterMs: number;
  readonly maxReceives: number;
  readonly absenceConfirmMs: number;
  readonly taskTimeoutMs: number;
  readonly minTaskMs: number;
  readonly partSizeBytes: number;
  readonly partsInFlight: number;
  /** Export slots used, of 50. */
  readonly pressure: number;
  /** Export slots, of 50, that this deployment may fill. */
  readonly exportPlaces: number;
  /** Exports asked for on behalf of one request that may come to nothing. */
  readonly requestAttempts: number;
}

export interface RetentionConfiguration {
  readonly policy: PolicyLocation;
  /** Exports removed by one expire run at most. */
  readonly maxRemovals: number;
}

/** Proxies as the environment names them; a proxy's URL may hold a password, so it is a secret. */
export interface ProxyConfiguration {
  readonly httpProxy: Secret | undefined;
  readonly httpsProxy: Secret | undefined;
  readonly noProxy: string | undefined;
}
