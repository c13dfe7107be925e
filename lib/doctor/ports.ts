import type { PlatformScope } from "../domain/export-task.ts";
import type { OpenedArchive } from "../identity/open-archive.ts";
import type { Clock } from "../ports/clock.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions, Platform } from "../ports/platform.ts";
import type { StoreSweeper } from "../ports/store-sweeper.ts";

// What an examination reaches the world through. Nothing behind these interfaces changes anything.

/** One thing that is wrong with one setting, as the configuration says it. */
export interface SettingProblem {
  readonly name: string;
  /** Completes "name …". */
  readonly problem: string;
  readonly fix: string;
}

/** What reading the settings found, whether they can be used or not. */
export interface SettingsRead {
  /** The file of settings; missing where there is none. */
  readonly file?: {
    readonly path: string;
    /** The permission bits; `undefined` where the system has none. */
    readonly mode: number | undefined;
  };
  readonly unknownNames: readonly SettingProblem[];
  /** `ARCHIVER_NOTIFY_ON=problems` without a heartbeat. */
  readonly withoutHeartbeat: readonly SettingProblem[];
  readonly others: readonly SettingProblem[];
}

/** A document or a secret that a setting names. */
export interface NamedBySetting {
  readonly name: string;
  /** Reads it as a run does. Throws where a run would. */
  readonly read: (options: CallOptions) => Promise<unknown>;
}

export interface SettingsPort {
  readonly deletion: "after-verify" | "never";
  readonly secrets: readonly NamedBySetting[];
  /** Policies and expectations. */
  readonly documents: readonly NamedBySetting[];
}

export interface PlatformPort extends Pick<Platform, "listExportTasks" | "deleteExportTask"> {
  readonly host: string;
  /** Host and port of the proxy on the way; `undefined` without one. */
  readonly proxyHost: string | undefined;
  readonly signing: "auto" | "standard" | "derived";
  /** What the official rule says of this host. */
  readonly signingOfHost: "standard" | "derived";
  /** The region that was taken from the host. */
  readonly guessedRegion: string | undefined;
  /** Opens one connection, TLS included, and closes it. */
  readonly connect: (options: CallOptions) => Promise<void>;
}

/** The folder of a file store. */
export interface FolderFacts {
  readonly freeBytes: number;
  /** `undefined` where the file system counts none. */
  readonly freeInodes: number | undefined;
  /** Permission bits. */
  readonly mode: number;
  /** Folders, relative to the store, in which this user cannot make files. */
  readonly unwritable: readonly string[];
}

/** One lifecycle rule of a bucket, as far as it removes or moves current objects. */
export interface LifecycleRule {
  readonly name: string;
  /** Of keys in the bucket; empty for all. */
  readonly prefix: string;
  /** Whether only objects with certain tags or sizes are meant as well. */
  readonly isNarrowed: boolean;
  /** Whether current objects expire under it. */
  readonly expires: boolean;
  /** After how many days; `undefined` for a date. */
  readonly afterDays: number | undefined;
}

export interface BucketPort {
  readonly versioning: (options: CallOptions) => Promise<"on" | "suspended" | "off">;
  readonly lifecycle: (options: CallOptions) => Promise<readonly LifecycleRule[]>;
}

/** The archive's store: nothing is asked of it before {@link StorePort.open} said that it is the archive that is meant. */
export interface StorePort extends Pick<ObjectStore, "getDocument" | "list"> {
  readonly listUploads: StoreSweeper["listUploads"];
  /** The place as the settings name it. */
  readonly place: string;
  /** Below which all keys lie; empty for a folder. */
  readonly prefix: string;
  readonly sharesPace: "always" | "never" | "when-tried";
  readonly open: (options: CallOptions) => Promise<OpenedArchive>;
  readonly folder: ((options: CallOptions) => Promise<FolderFacts>) | undefined;
  readonly bucket: BucketPort | undefined;
}

/** What a look into the queue showed. */
export interface QueueLook {
  /** A file that no run has made yet is not there. */
  readonly isMade: boolean;
  /** Whether this user can write to it. */
  readonly isWritable: boolean;
  /** Of the archive that the queue remembers. */
  readonly archiveId?: string | undefined;
  readonly messages: number;
  readonly deadLetters: number;
  /** Since when the oldest ready message is ready, epoch milliseconds; `undefined` where there is none or it is not told. */
  readonly readySinceMs?: number | undefined;
  /** How long the queue of dead letters keeps them; `undefined` for ever. */
  readonly lettersKeptMs?: number | undefined;
}

export interface QueuePort {
  readonly kind: "sqlite" | "sqs" | "store";
  readonly visibilityMs: number;
  readonly taskTimeoutMs: number;
  readonly look: (options: CallOptions) => Promise<QueueLook>;
}

/** A file in which cron or systemd may be told to start the program. */
export interface ScheduleFile {
  readonly kind: "cron" | "systemd-service" | "systemd-timer";
  readonly path: string;
  readonly text: string;
}

export interface SchedulePort {
  readonly files: (options: CallOptions) => Promise<readonly ScheduleFile[]>;
  /** Whether a file with this path is there that may be executed. */
  readonly isProgram: (path: string) => Promise<boolean>;
  readonly isFile: (path: string) => Promise<boolean>;
}

/** An address that is connected to, and told nothing. */
export interface Reachable {
  /** Kind and host; never the address. */
  readonly name: string;
  readonly connect: (options: CallOptions) => Promise<void>;
}

/** How many subscriptions a topic has. */
export interface TopicSubscriptions {
  readonly confirmed: number;
  /** Whose mail was not answered yet. */
  readonly pending: number;
}

export interface TopicPort {
  readonly name: string;
  readonly subscriptions: (options: CallOptions) => Promise<TopicSubscriptions>;
}

export interface NotificationPort {
  readonly heartbeat: Reachable | undefined;
  /** Web addresses and mail servers. */
  readonly targets: readonly Reachable[];
  readonly topics: readonly TopicPort[];
  /** The names of all targets. */
  readonly names: readonly string[];
}

/** Everything that an examination asks. */
export interface DoctorPorts {
  readonly clock: Clock;
  readonly scope: PlatformScope;
  /** Not deployed as functions: a machine starts the runs, and no alarm of AWS watches them. */
  readonly isOnMachine: boolean;
  readonly settings: SettingsPort;
  readonly platform: PlatformPort;
  readonly store: StorePort;
  readonly queue: QueuePort;
  readonly schedule: SchedulePort;
  /** Read late: its addresses may stand in a secret. */
  readonly notification: (options: CallOptions) => Promise<NotificationPort>;
}
