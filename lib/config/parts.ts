import type { ArchiveConfiguration, QueueConfiguration, RetentionConfiguration } from "./configuration.ts";
import type { ConfigurationProblem } from "./errors.ts";
import { fixFor, missing, type SettingsRead } from "./read-settings.ts";
import type { SettingName, SettingValues } from "./settings.ts";

/** What the readers of the single parts share: the values read, and a place to note problems. */
export class PartReader {
  readonly values: Partial<SettingValues>;
  readonly isSet: ReadonlySet<SettingName>;
  readonly problems: ConfigurationProblem[];

  constructor(read: SettingsRead) {
    this.values = read.values;
    this.isSet = read.isSet;
    this.problems = [...read.problems];
  }

  /** The value; notes the setting as missing when nobody set it. A malformed one is noted already. */
  required<Name extends SettingName>(name: Name): Partial<SettingValues>[Name] {
    if (this.values[name] === undefined && !this.isSet.has(name)) {
      this.problems.push(missing(name));
    }
    return this.values[name];
  }

  /** Notes a problem; without `fix`, the setting's own. */
  note(name: SettingName, problem: string, fix: string = fixFor(name)): void {
    this.problems.push({ name, problem, fix });
  }
}

/** More memory than this for part buffers is a slip of the keyboard. */
const MAX_POOL_BYTES = 2 * 1024 * 1024 * 1024;

const FIELDS = {
  delete: "ARCHIVER_DELETE",
  verify: "ARCHIVER_VERIFY",
  accept: "ARCHIVER_ACCEPT",
  downloadIntervalMs: "ARCHIVER_DOWNLOAD_INTERVAL_MS",
  maxAttempts: "ARCHIVER_MAX_ATTEMPTS",
  giveUpAfterMs: "ARCHIVER_GIVE_UP_AFTER_MS",
  maxReceives: "ARCHIVER_MAX_RECEIVES",
  absenceConfirmMs: "ARCHIVER_ABSENCE_CONFIRM_MS",
  taskTimeoutMs: "ARCHIVER_TASK_TIMEOUT_MS",
  minTaskMs: "ARCHIVER_MIN_TASK_MS",
  partSizeBytes: "ARCHIVER_PART_SIZE_BYTES",
  partsInFlight: "ARCHIVER_PARTS_IN_FLIGHT",
  pressure: "ARCHIVER_PRESSURE",
  exportPlaces: "ARCHIVER_EXPORT_PLACES",
  requestAttempts: "ARCHIVER_REQUEST_ATTEMPTS",
} as const satisfies { readonly [Field in keyof ArchiveConfiguration]: SettingName };

type ArchiveValues = { readonly [Field in keyof typeof FIELDS]: SettingValues[(typeof FIELDS)[Field]] };

/** Reads the archive's part; `undefined` when a value is malformed, which is noted already. */
export function readArchive(reader: PartReader): ArchiveConfiguration | undefined {
  const { values } = reader;
  const entries = Object.entries(FIELDS).map(([field, name]) => [field, values[name]] as const);
  if (entries.some(([, value]) => value === undefined)) {
    return undefined;
  }
  // Every field is there, read by the schema of its own row.
  const archive: ArchiveConfiguration = Object.fromEntries(entries) as ArchiveValues;
  if (archive.minTaskMs > archive.taskTimeoutMs) {
    reader.note(
      "ARCHIVER_MIN_TASK_MS",
      `${archive.minTaskMs} is more than ARCHIVER_TASK_TIMEOUT_MS, which is ${archive.taskTimeoutMs}`,
    );
  }
  if (archive.partSizeBytes * archive.partsInFlight > MAX_POOL_BYTES) {
    reader.note(
      "ARCHIVER_PART_SIZE_BYTES",
      `times ARCHIVER_PARTS_IN_FLIGHT is more than ${MAX_POOL_BYTES} bytes of memory`,
      "Set one of the two to less.",
    );
  }
  return archive;
}

/** Reads the queue's part; `undefined` when the problems noted leave none. */
export function readQueue(reader: PartReader): QueueConfiguration | undefined {
  const location = reader.required("ARCHIVER_QUEUE");
  const visibilityMs = reader.values.ARCHIVER_VISIBILITY_MS;
  if (location === undefined || visibilityMs === undefined) {
    return undefined;
  }
  if (location.kind === "sqlite") {
    if (reader.isSet.has("ARCHIVER_DEAD_LETTER_QUEUE")) {
      reader.note(
        "ARCHIVER_DEAD_LETTER_QUEUE",
        "is set, but the sqlite queue keeps its own dead letters",
        "Remove it.",
      );
    }
    return { ...location, visibilityMs };
  }
  const deadLetterQueueUrl = reader.required("ARCHIVER_DEAD_LETTER_QUEUE");
  if (deadLetterQueueUrl === undefined) {
    return undefined;
  }
  if (deadLetterQueueUrl.href === location.queueUrl.href) {
    reader.note("ARCHIVER_DEAD_LETTER_QUEUE", "is the same queue as ARCHIVER_QUEUE");
  }
  return {
    ...location,
    deadLetterQueueUrl,
    visibilityMs,
    endpoint: reader.values.AWS_ENDPOINT_URL_SQS,
    region: reader.values.AWS_REGION,
  };
}

/** Reads the part of retention; `undefined` when the problems noted leave none. */
export function readRetention(reader: PartReader): RetentionConfiguration | undefined {
  const policy = reader.required("ARCHIVER_RETENTION_POLICY");
  const maxRemovals = reader.values.ARCHIVER_EXPIRE_MAX_REMOVALS;
  return policy === undefined || maxRemovals === undefined ? undefined : { policy, maxRemovals };
}
