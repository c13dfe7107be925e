import { type FileHandle, link, lstat, open, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { hasErrno, isMissing } from "../../files/errno.ts";

/** For the owner alone: the file holds keys. */
const MODE = 0o600;

const isClosedFolder = hasErrno("EACCES", "EPERM", "EROFS");

/** What stands at a path. */
export interface FileThere {
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
}

/** @returns the absolute path, links followed, and what is there; `undefined` where nothing is. @throws as `lstat`. */
export async function lookAtFile(
  file: string,
): Promise<{ readonly path: string; readonly there: FileThere | undefined }> {
  try {
    const path = await realpath(file);
    const { uid, gid, size } = await lstat(path);
    return { path, there: { uid, gid, sizeBytes: size } };
  } catch (error) {
    if (isMissing(error)) {
      return { path: resolve(file), there: undefined };
    }
    throw error;
  }
}

/**
 * Writes a file of settings, with mode 0600: all of it, or nothing. One that is there keeps its owner.
 *
 * A user who may write the file but not its folder (`/etc`) cannot rename another one into its place. There the file is
 * written where it is, in one piece.
 *
 * @throws what the file system says.
 */
export async function writeSettings(path: string, there: FileThere | undefined, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  let handle: FileHandle;
  try {
    handle = await open(temporary, "wx", MODE);
  } catch (error) {
    if (there !== undefined && isClosedFolder(error)) {
      await writeInPlace(path, text);
      return;
    }
    throw error;
  }
  try {
    await filled(handle, text, there);
    // A link never replaces what somebody else made in the meantime.
    await (there === undefined ? link(temporary, path) : rename(temporary, path));
  } finally {
    await rm(temporary, { force: true });
  }
}

async function writeInPlace(path: string, text: string): Promise<void> {
  const handle = await open(path, "r+");
  try {
    await handle.chmod(MODE);
    await handle.write(text, 0);
    await handle.truncate(Buffer.byteLength(text));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function filled(handle: FileHandle, text: string, there: FileThere | undefined): Promise<void> {
  try {
    // The umask takes its share of the mode that a file is made with, and nothing of this one.
    await handle.chmod(MODE);
    const { uid, gid } = await handle.stat();
    if (there !== undefined && (there.uid !== uid || there.gid !== gid)) {
      await handle.chown(there.uid, there.gid);
    }
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
