import { randomBytes } from "node:crypto";
import { type FileHandle, lstat, open, realpath, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { ArchiverError } from "../domain/errors.ts";
import { errnoOf } from "../files/errno.ts";
import { FILE_MODE } from "../files/own-files.ts";
import { operatorLines } from "./output.ts";

/** Where the bytes go. */
export type Target =
  | { readonly kind: "stdout" }
  | { readonly kind: "folder"; readonly folder: string }
  | { readonly kind: "file"; readonly file: string };

/** @throws ArchiverError `restore-target` when something stands at the file's place, or stdout is a terminal. */
export async function targetOf(to: string): Promise<Target> {
  if (to === "-") {
    if (process.stdout.isTTY) {
      throw targetError("stdout is a terminal", "Send the bytes into a file or a pipe: --to - > export.zip");
    }
    return { kind: "stdout" };
  }
  const place = path.resolve(to);
  const standing = await stat(place).catch(() => undefined);
  if (standing?.isDirectory() === true || /[/\\]$/.test(to)) {
    return { kind: "folder", folder: place };
  }
  await requireFree(place);
  return { kind: "file", file: place };
}

/** The bytes are proved when all of them were written: who reads them has to wait for exit code 0. */
export async function writeToStdout(fill: (write: Write) => Promise<void>): Promise<void> {
  let isBegun = false;
  try {
    await fill(async (chunk) => {
      isBegun = true;
      // The chunk may be reused when this resolves.
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      process.stdout.write(chunk, (error) => (error ? reject(error) : resolve()));
      await promise.catch((error: unknown) => {
        const problem = `stdout does not take the bytes (${errnoOf(error) ?? "closed"})`;
        throw targetError(problem, "Look at the program or the disk that they go to.", error);
      });
    });
  } catch (error) {
    if (isBegun) {
      (await operatorLines())(
        "Throw away what was written to stdout: it is not the export, or not the whole of it.",
      );
    }
    throw error;
  }
}

/** Adds bytes to what is being written. */
export type Write = (chunk: Uint8Array) => Promise<void>;

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
    const { dev, ino } = await stat(folder, { bigint: true }).catch((error: unknown) =>
      failUnwritable(error),
    );
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
