import { ArchiverError, faultsByName } from "../domain/errors.ts";
import { errnoOf } from "../files/errno.ts";
import { type SqliteTrouble, sqliteTroubleOf } from "../files/sqlite.ts";
import { StoreError } from "../ports/object-store.ts";
import * as kinds from "./store-errors.ts";

type FileFault = kinds.StoreFault;

export const DISK_FULL: FileFault = {
  ...kinds.FULL,
  problem: "the disk of the store is full",
  hint: "Free space, inodes or quota on the disk that holds {place}. Then run again.",
};
const FORBIDDEN: FileFault = {
  ...kinds.FORBIDDEN,
  problem: "this user may not work in the store's folder",
  hint: "Let this user create, read and remove files and folders below {place}, on a writable mount.",
};
const MISCONFIGURED: FileFault = {
  ...kinds.MISCONFIGURED,
  problem: "the store's folder contains something that is neither a file nor a folder of the archiver",
  hint: "Give the archiver a folder of its own as ARCHIVER_STORE, and check what lies below {place}.",
};
/** One odd entry costs the task it is about; where it stands in everybody's way, all tasks fail alike. */
const ODD_ENTRY: FileFault = {
  ...MISCONFIGURED,
  scope: "task",
  hint: "Check this entry below {place}. If the archiver did not put it there, move it away.",
};
const UNSUITABLE_FILE_SYSTEM: FileFault = {
  ...MISCONFIGURED,
  problem: "the file system of the store lacks what the archiver needs (hard links, fsync of folders)",
  hint: "Keep the store on one local file system such as ext4, XFS or Btrfs, not on FAT or a network share: {place}.",
};
const UNAVAILABLE: FileFault = {
  ...kinds.UNAVAILABLE,
  problem: "the archiver could not read or write a file of the store",
  hint: "Check the system log for errors of the disk that holds {place}.",
};

/** A key that no object of this store can have: a mistake of the program, refused before it reaches the disk. */
export const INVALID_KEY: FileFault = {
  ...MISCONFIGURED,
  problem: "a key cannot be a path below the store's folder",
};
/** What lies behind a symbolic link on the way to a key is not this store. */
export const LINKED_FOLDER: FileFault = {
  ...ODD_ENTRY,
  problem: "a folder of the store is a symbolic link",
  hint: "Replace it with a folder below {place}. To keep that folder on another disk, mount the disk there.",
};
/** From the first look on: a new installation, or another mistake. */
export const ROOT_MISSING: FileFault = {
  ...kinds.FULL,
  code: "store-missing",
  problem: "the store's folder does not exist",
  hint: "For a new store, run iotda-archiver init. Otherwise correct ARCHIVER_STORE, or mount the disk of {place}.",
};
export const ROOT_NOT_FOLDER: FileFault = {
  ...MISCONFIGURED,
  problem: "ARCHIVER_STORE does not name a folder",
};
/** Most often a disk that was unmounted. */
export const ROOT_GONE: FileFault = {
  ...FORBIDDEN,
  retry: "later",
  problem: "the store's folder vanished or changed while the program ran",
  hint: "Mount the disk of {place} again, or create the folder. Then run again.",
};

/** By errno; anything else is `store-unavailable`. */
const FAULTS = faultsByName<FileFault>([
  [DISK_FULL, "ENOSPC EDQUOT EFBIG"],
  [FORBIDDEN, "EACCES EPERM EROFS"],
  [ODD_ENTRY, "ENOTDIR EISDIR ELOOP EEXIST ENOTEMPTY ENAMETOOLONG"],
  [UNSUITABLE_FILE_SYSTEM, "EXDEV EMLINK ENOTSUP EOPNOTSUPP ENOSYS"],
]);

const LOCK_DAMAGED: FileFault = {
  ...kinds.MISCONFIGURED,
  problem: "the store's lock file is damaged",
  hint: "Stop all archivers and remove {place}/state/lock.db. It holds no data.",
};
const LOCK_HELD: FileFault = {
  ...kinds.UNAVAILABLE,
  scope: "system",
  problem: "the archiver could not get the store's lock",
  hint: "Look for an archiver that hangs or is suspended: it holds {place}/state/lock.db.",
};
const LOCK_FAULTS: Readonly<Record<SqliteTrouble, FileFault>> = {
  busy: LOCK_HELD,
  forbidden: FORBIDDEN,
  full: DISK_FULL,
  damaged: LOCK_DAMAGED,
  other: LOCK_HELD,
};

/** The error of a fault of the store in this folder. */
export function fileError(
  fault: FileFault,
  rootFolder: string,
  subject = rootFolder,
  cause?: unknown,
): StoreError {
  return new StoreError(fault, subject, { place: rootFolder, cause });
}

/** Turns an error of the file system into a {@link StoreError}; all else (a signal's reason) stays as it is. */
export function toStoreError(thrown: unknown, rootFolder: string, subject = rootFolder): unknown {
  const errno = thrown instanceof ArchiverError ? undefined : errnoOf(thrown);
  if (errno === undefined) {
    return thrown;
  }
  const fault = isRefusedByFileSystem(thrown, errno)
    ? UNSUITABLE_FILE_SYSTEM
    : (FAULTS.get(errno) ?? UNAVAILABLE);
  return fileError(fault, rootFolder, `${subject}: ${errno}`, thrown);
}

/** FAT answers EPERM to link(2); file systems that cannot sync a folder answer EINVAL to fsync(2). */
function isRefusedByFileSystem(thrown: unknown, errno: string): boolean {
  const syscall = thrown instanceof Error && "syscall" in thrown ? thrown.syscall : undefined;
  return (syscall === "link" && errno === "EPERM") || (syscall === "fsync" && errno === "EINVAL");
}

/** What is odd where every task needs it, found by the preflight, is not a single task's trouble. */
export function ofWholeStore(thrown: unknown, rootFolder: string): unknown {
  const isOdd = thrown instanceof StoreError && thrown.code === MISCONFIGURED.code && thrown.scope === "task";
  const whole = { ...MISCONFIGURED, problem: isOdd ? thrown.message : "" };
  return isOdd ? new StoreError(whole, undefined, { place: rootFolder, cause: thrown }) : thrown;
}

/** Turns an error of node:sqlite into one that says why the lock on documents was not to be had. */
export function toLockError(thrown: unknown, rootFolder: string): unknown {
  const trouble = sqliteTroubleOf(thrown);
  return trouble === undefined
    ? thrown
    : fileError(LOCK_FAULTS[trouble], rootFolder, "state/lock.db", thrown);
}
