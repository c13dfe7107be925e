import type { ArchiveConfiguration } from "./configuration.ts";
import type { PartReader } from "./part-reader.ts";
import type { SettingName, SettingValues } from "./settings.ts";

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
