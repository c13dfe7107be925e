import { randomBytes } from "node:crypto";
import { type FileHandle, lstat, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { ArchiverError } from "../../domain/errors.ts";
import { FILE_MODE } from "../../files/own-files.ts";
import { RetentionRecords } from "../../records/retention-records.ts";
import { type FoundCopy, findCopy, readProvedCopy } from "../../retention/read-copy.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { formatBytes } from "../format.ts";
import type { Output } from "../output.ts";
import { type ArchiveSession, withArchive } from "../retention-session.ts";
import type { CommonOptions } from "../session.ts";

export interface RestoreOptions extends CommonOptions {
  readonly to: string;
  readonly revision?: string;
}

/**
 * `restore`: gives an archived export back as a file. It is written under a temporary name beside its place,
 * and takes the place only when every byte is proved by the record. Nothing is ever written over.
 */
export async function restoreCommand(
  exportTaskId: string,
  options: RestoreOptions,
  output: Output,
): Promise<ExitCode> {
  const file = path.resolve(options.to);
  await requireFree(file);
  const { record } = await withArchive(options, async (session) => {
    // Nothing is written to the store, so nothing has to be known of what it can do.
    const records = new RetentionRecords(session.store, session.scope, { createOnce: false });
    const asked = { exportTaskId, revision: options.revision };
    const found = await findCopy(records, asked, session);
    await writeProved(session, found, file);
    return found;
  });
  const { revision, object } = record;
  const { sizeBytes, sha256 } = object;
  output.show({ exportTaskId, revision, file, sizeBytes, sha256 }, [
    `Restored revision ${revision} of ${exportTaskId} to ${file}: ${formatBytes(sizeBytes)}, SHA-256 ${sha256}`,
  ]);
  return EXIT.done;
}

async function writeProved({ store, signal }: ArchiveSession, found: FoundCopy, file: string): Promise<void> {
  const draft = path.join(
    path.dirname(file),
    `.${path.basename(file)}.${randomBytes(6).toString("hex")}.part`,
  );
  let handle: FileHandle | undefined;
  try {
    handle = await open(draft, "wx", FILE_MODE);
    const target = handle;
    await readProvedCopy(store, found, { signal }, async (chunk) => {
      await target.writeFile(chunk);
    });
    await handle.sync();
    await handle.close();
    handle = undefined;
    await requireFree(file);
    await rename(draft, file);
  } catch (error) {
    throw error instanceof Error && "syscall" in error ? unwritable(error) : error;
  } finally {
    await handle?.close();
    await rm(draft, { force: true });
  }
}

async function requireFree(file: string): Promise<void> {
  const standing = await lstat(file).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return undefined;
    }
    throw unwritable(error);
  });
  if (standing !== undefined) {
    throw restoreError(
      "there is something at the file's place already",
      "Name another file with --to, or move that one away.",
    );
  }
}

function unwritable(cause: unknown): ArchiverError {
  const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
  return restoreError(
    `the file cannot be written${code}`,
    "Look at the folder of --to: it must exist, have room, and let you write.",
    cause,
  );
}

function restoreError(problem: string, hint: string, cause?: unknown): ArchiverError {
  return new ArchiverError("restore-target", problem, { scope: "task", retry: "never", hint, cause });
}
