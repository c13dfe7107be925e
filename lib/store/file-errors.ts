import { ArchiverError } from "../domain/errors.ts";
import { errnoOf } from "../files/errno.ts";
import { type SqliteTrouble, sqliteTroubleOf } from "../files/sqlite.ts";
import { StoreError } from "../ports/object-store.ts";
import * as kinds from "./store-errors.ts";

type FileFault = kinds.StoreFault;

const FULL: FileFault = {
  ...kinds.FULL,
  problem: "the disk of the store is full",
  hint: "Free space (or inodes, or quota) on the disk that holds {place}, then run again.",
};
const FORBIDDEN: FileFault = {
  ...kinds.FORBIDDEN,
  problem: "the folder of the store does not let this user work in it",
  hint: "Let this user create, read and remove files and folders below {place}, on a writable mount.",
};
const MISCONFIGURED: FileFault = {
  ...kinds.MISCONFIGURED,
  problem: "the store's folder holds something that is neither a file nor a folder of the archiver",
  hint: "Use a folder of the archiver's own as ARCHIVER_STORE; look at what lies below {place}.",
};
/** One odd entry costs the task it is about; where it stands in everybody's way, all tasks fail alike. */
const ODD_ENTRY: FileFault = {
  ...MISCONFIGURED,
  scope: "task",
  hint: "Look at this entry below {place} and move it away if the archiver did not put it there.",
};
const UNSUITABLE_FILE_SYSTEM: FileFault = {
  ...MISCONFIGURED,
  problem: "the file system of the store lacks what the archiver needs (hard links, fsync of folders)",
  hint: "Keep the store on one local file system such as ext4, XFS or Btrfs, not on FAT or a network share: {place}.",
};
const UNAVAILABLE: FileFault = {
  ...kinds.UNAVAILABLE,
  problem: "a file of the store could not be read or written",
  hint: "Look into the system log for errors of the disk that holds {place}.",
};

/** By errno; anything else is `store-unavailable`. */
const FAULTS: Readonly<Record<string, FileFault>> = {
  ENOSPC: FULL,
  EDQUOT: FULL,
  EFBIG: FULL,
  EACCES: FORBIDDEN,
  EPERM: FORBIDDEN,
  EROFS: FORBIDDEN,
  ENOTDIR: ODD_ENTRY,
  EISDIR: ODD_ENTRY,
  ELOOP: ODD_ENTRY,
  EEXIST: ODD_ENTRY,
  ENOTEMPTY: ODD_ENTRY,
  ENAMETOOLONG: ODD_ENTRY,
  EXDEV: UNSUITABLE_FILE_SYSTEM,
  EMLINK: UNSUITABLE_FILE_SYSTEM,
  ENOTSUP: UNSUITABLE_FILE_SYSTEM,
  EOPNOTSUPP: UNSUITABLE_FILE_SYSTEM,
  ENOSYS: UNSUITABLE_FILE_SYSTEM,
};

/** Turns an error of the file system into a {@link StoreError}; all else (a signal's reason) stays as it is. */
export function toStoreError(thrown: unknown, rootFolder: string, subject = rootFolder): unknown {
  const errno = thrown instanceof ArchiverError ? undefined : errnoOf(thrown);
  if (errno === undefined) {
    return thrown;
  }
  const fault = isRefusedByFileSystem(thrown, errno)
    ? UNSUITABLE_FILE_SYSTEM
    : (FAULTS[errno] ?? UNAVAILABLE);
  return new StoreError(fault, `${subject}: ${errno}`, { place: rootFolder, cause: thrown });
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

/** A key that no object of this store can have: a mistake of the program, refused before it reaches the disk. */
export function invalidKeyError(rootFolder: string): StoreError {
  const problem = "a key cannot be a path below the store's folder";
  return new StoreError({ ...MISCONFIGURED, problem }, rootFolder, { place: rootFolder });
}

/** A folder on the way to a key is a symbolic link: what lies behind it is not this store. */
export function linkedFolderError(rootFolder: string, folder: string): StoreError {
  const problem = "a folder of the store is a symbolic link";
  const hint = "Put a folder in its place below {place}; to keep it on another disk, mount that disk there.";
  return new StoreError({ ...ODD_ENTRY, problem, hint }, folder, { place: rootFolder });
}

/** The root folder was not there from the first look on: a new installation, or another mistake. */
export function rootMissingError(rootFolder: string, cause: unknown): StoreError {
  const fault: FileFault = {
    ...kinds.FULL,
    code: "store-missing",
    problem: "the folder of the store is not there",
    hint: "A new store is made by iotda-archiver init; otherwise correct ARCHIVER_STORE, or mount the disk of {place}.",
  };
  return new StoreError(fault, rootFolder, { place: rootFolder, cause });
}

/** Something else stands where the root folder belongs. */
export function rootNotFolderError(rootFolder: string): StoreError {
  const problem = "what ARCHIVER_STORE names is not a folder";
  return new StoreError({ ...MISCONFIGURED, problem }, rootFolder, { place: rootFolder });
}

/** The root folder is missing, or is not the one it was: most often a disk that was unmounted. */
export function rootGoneError(rootFolder: string, cause?: unknown): StoreError {
  const problem = "the folder of the store is missing or was replaced while the program ran";
  const hint = "Mount the disk of {place} again, or make the folder, then run again.";
  const fault: FileFault = { ...FORBIDDEN, retry: "later", problem, hint };
  return new StoreError(fault, rootFolder, { place: rootFolder, cause });
}

/** Told before the first byte is written. */
export function noSpaceError(rootFolder: string, lack: string): StoreError {
  return new StoreError(FULL, lack, { place: rootFolder });
}

const LOCK_DAMAGED: FileFault = {
  ...kinds.MISCONFIGURED,
  problem: "the store's lock file is damaged",
  hint: "Remove {place}/state/lock.db while no archiver runs: it holds nothing.",
};
const LOCK_HELD: FileFault = {
  ...kinds.UNAVAILABLE,
  scope: "system",
  problem: "the store's lock could not be had",
  hint: "Look for another archiver that hangs or is stopped: it holds {place}/state/lock.db.",
};
const LOCK_FAULTS: Readonly<Record<SqliteTrouble, FileFault>> = {
  busy: LOCK_HELD,
  forbidden: FORBIDDEN,
  full: FULL,
  damaged: LOCK_DAMAGED,
  other: LOCK_HELD,
};

/** Turns an error of node:sqlite into one that says why the lock on documents was not to be had. */
export function toLockError(thrown: unknown, rootFolder: string): unknown {
  const trouble = sqliteTroubleOf(thrown);
  return trouble === undefined
    ? thrown
    : new StoreError(LOCK_FAULTS[trouble], "state/lock.db", { place: rootFolder, cause: thrown });
}
