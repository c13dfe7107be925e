import { randomBytes } from "node:crypto";
import { type FileHandle, lstat, open, realpath, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { ArchiverError } from "../domain/errors.ts";
import { errnoOf } from "../files/errno.ts";
import { FILE_MODE } from "../files/own-files.ts";
import { RetentionRecords } from "../records/retention-records.ts";
import { findCopy, readProvedCopy } from "../retention/read-copy.ts";
import { formatBytes } from "./format.ts";
import type { Result } from "./output.ts";
import { EXIT } from "./process.ts";
import { type CommonOptions, withArchive } from "./session.ts";

interface RestoreOptions extends CommonOptions {
  readonly to: string;
  readonly revision?: string;
}

/**
 * `restore`: gives an archived export back as a file, which appears only when every byte is proved by the record.
 * It writes over no file, and nothing into the store.
 */
export async function restoreCommand(exportTaskId: string, options: RestoreOptions): Promise<Result> {
  const file = path.resolve(options.to);
  await requireFree(file);
  const { record } = await withArchive(options, async ({ store, storeFolder, scope, signal }) => {
    if (storeFolder !== undefined) {
      await requireOutside(file, storeFolder);
    }
    // Nothing is written to the store, so nothing has to be known of what it can do.
    const records = new RetentionRecords(store, scope, { createOnce: false });
    const asked = { exportTaskId, revision: options.revision };
    const found = await findCopy(records, asked, { signal });
    await writeNewFile(file, (write) => readProvedCopy(store, found, { signal }, write));
    return found;
  });
  const { revision, object } = record;
  const { sizeBytes, sha256 } = object;
  const line = `Restored revision ${revision} of ${exportTaskId} to ${file}: ${formatBytes(sizeBytes)}, SHA-256 ${sha256}`;
  return {
    document: { exportTaskId, revision, file, sizeBytes, sha256 },
    lines: [line],
    exitCode: EXIT.done,
  };
}

/** Adds bytes to the file that is being written. */
type Write = (chunk: Uint8Array) => Promise<void>;

/**
 * Writes a file under a temporary name beside its place. It takes the place only when `fill` ended well, and nothing
 * is ever written over. The temporary name does not contain the file's own, which may have all the bytes that a name may have.
 *
 * @throws ArchiverError `restore-target` when the file cannot be written there, and whatever `fill` throws.
 */
export async function writeNewFile(file: string, fill: (write: Write) => Promise<void>): Promise<void> {
  await requireFree(file);
  const draft = path.join(path.dirname(file), `.iotda-archiver-${randomBytes(6).toString("hex")}.part`);
  const handle = await open(draft, "wx", FILE_MODE).catch(failUnwritable);
  try {
    await fillDurably(handle, fill);
    await requireFree(file);
    await rename(draft, file).catch(failUnwritable);
  } finally {
    await rm(draft, { force: true });
  }
}

async function fillDurably(handle: FileHandle, fill: (write: Write) => Promise<void>): Promise<void> {
  try {
    await fill(async (chunk) => {
      await handle.writeFile(chunk).catch(failUnwritable);
    });
    await handle.sync().catch(failUnwritable);
  } finally {
    await handle.close();
  }
}

/** @throws ArchiverError `restore-target` when something stands at the file's place, or when that is unknown. */
async function requireFree(file: string): Promise<void> {
  const standing = await lstat(file).catch((error: unknown) =>
    errnoOf(error) === "ENOENT" ? undefined : failUnwritable(error),
  );
  if (standing !== undefined) {
    throw targetError(
      "something already exists at the path of --to",
      "Name another file with --to, or move the existing one away.",
    );
  }
}

/**
 * Folders are compared by what they are, not by name: symbolic links, mounts and other spellings lead to the same one.
 *
 * @throws ArchiverError `restore-target` when the file's place is in this folder or below it.
 */
export async function requireOutside(file: string, storeFolder: string): Promise<void> {
  const store = await stat(storeFolder, { bigint: true }).catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") {
      return undefined; // Whoever reads the copy says that the store is not there.
    }
    throw error;
  });
  let folder = await realpath(path.dirname(file)).catch(failUnwritable);
  for (;;) {
    const { dev, ino } = await stat(folder, { bigint: true }).catch(failUnwritable);
    if (dev === store?.dev && ino === store.ino) {
      throw targetError(
        "the path of --to is inside the archive's own store",
        "Name a file outside the folder of ARCHIVER_STORE with --to.",
      );
    }
    const parent = path.dirname(folder);
    if (parent === folder) {
      return;
    }
    folder = parent;
  }
}

function failUnwritable(cause: unknown): never {
  const errno = errnoOf(cause);
  const hint =
    errno === "ENAMETOOLONG"
      ? "Name a file with a shorter name with --to: most file systems allow up to 255 bytes."
      : "Check the folder of --to: it must exist, have free space, and allow you to write.";
  throw targetError(
    `the program cannot write the file${errno === undefined ? "" : ` (${errno})`}`,
    hint,
    cause,
  );
}

function targetError(problem: string, hint: string, cause?: unknown): ArchiverError {
  return new ArchiverError("restore-target", problem, { scope: "task", retry: "never", hint, cause });
}
