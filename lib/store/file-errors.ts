import { ArchiverError } from "../domain/errors.ts";
import { errnoOf } from "../files/errno.ts";
import { StoreError, type StoreErrorCode } from "../ports/object-store.ts";

interface FileFault {
  readonly code: StoreErrorCode;
  readonly scope: "task" | "system";
  readonly retry: "later" | "never";
  readonly problem: string;
  readonly hint: (rootFolder: string) => string;
}

const FULL: FileFault = {
  code: "store-full",
  scope: "system",
  retry: "later",
  problem: "the disk of the store is full",
  hint: (root) => `Free space (or inodes, or quota) on the disk that holds ${root}, then run again.`,
};
const FORBIDDEN: FileFault = {
  code: "store-forbidden",
  scope: "system",
  retry: "never",
  problem: "the folder of the store does not let this user work in it",
  hint: (root) =>
    `Let this user create, read and remove files and folders below ${root}, on a writable mount.`,
};
const MISCONFIGURED: FileFault = {
  code: "store-misconfigured",
  scope: "system",
  retry: "never",
  problem: "the store's folder holds something that is neither a file nor a folder of the archiver",
  hint: (root) => `Use a folder of the archiver's own as ARCHIVER_STORE; look at what lies below ${root}.`,
};
/** One odd entry costs the task it is about; where it stands in everybody's way, all tasks fail alike. */
const ODD_ENTRY: FileFault = {
  ...MISCONFIGURED,
  scope: "task",
  hint: (root) => `Look at this entry below ${root} and move it away if the archiver did not put it there.`,
};
const UNSUITABLE_FILE_SYSTEM: FileFault = {
  ...MISCONFIGURED,
  problem: "the file system of the store lacks what the archiver needs (hard links, fsync of folders)",
  hint: (root) =>
    `Keep the store on one local file system such as ext4, XFS or Btrfs, not on FAT or a network share: ${root}.`,
};
const UNAVAILABLE: FileFault = {
  code: "store-unavailable",
  scope: "task",
  retry: "later",
  problem: "a file of the store could not be read or written",
  hint: (root) => `Look into the system log for errors of the disk that holds ${root}.`,
};

/** By errno; anything else is `store-unavailable`. */
const FAULTS: ReadonlyMap<string, FileFault> = new Map([
  ["ENOSPC", FULL],
  ["EDQUOT", FULL],
  ["EFBIG", FULL],
  ["EACCES", FORBIDDEN],
  ["EPERM", FORBIDDEN],
  ["EROFS", FORBIDDEN],
  ["ENOTDIR", ODD_ENTRY],
  ["EISDIR", ODD_ENTRY],
  ["ELOOP", ODD_ENTRY],
  ["EEXIST", ODD_ENTRY],
  ["ENOTEMPTY", ODD_ENTRY],
  ["ENAMETOOLONG", ODD_ENTRY],
  ["EXDEV", UNSUITABLE_FILE_SYSTEM],
  ["EMLINK", UNSUITABLE_FILE_SYSTEM],
  ["ENOTSUP", UNSUITABLE_FILE_SYSTEM],
  ["EOPNOTSUPP", UNSUITABLE_FILE_SYSTEM],
  ["ENOSYS", UNSUITABLE_FILE_SYSTEM],
]);

/** Turns an error of the file system into a {@link StoreError}; all else (a signal's reason) stays as it is. */
export function toStoreError(thrown: unknown, rootFolder: string, subject?: string): unknown {
  const errno = thrown instanceof ArchiverError ? undefined : errnoOf(thrown);
  if (errno === undefined) {
    return thrown;
  }
  const fault = isRefusedByFileSystem(thrown, errno)
    ? UNSUITABLE_FILE_SYSTEM
    : (FAULTS.get(errno) ?? UNAVAILABLE);
  return fileError(fault, rootFolder, `${subject ?? rootFolder}: ${errno}`, thrown);
}

/** FAT answers EPERM to link(2); file systems that cannot sync a folder answer EINVAL to fsync(2). */
function isRefusedByFileSystem(thrown: unknown, errno: string): boolean {
  const syscall = thrown instanceof Error && "syscall" in thrown ? thrown.syscall : undefined;
  return (syscall === "link" && errno === "EPERM") || (syscall === "fsync" && errno === "EINVAL");
}

function fileError(fault: FileFault, rootFolder: string, subject: string, cause?: unknown): StoreError {
  return new StoreError(fault.code, `${fault.problem} (${subject})`, {
    scope: fault.scope,
    retry: fault.retry,
    hint: fault.hint(rootFolder),
    cause,
  });
}

/** A key that no object of this store can have: a mistake of the program, refused before it reaches the disk. */
export function invalidKeyError(rootFolder: string): StoreError {
  return fileError(
    { ...MISCONFIGURED, problem: "a key cannot be a path below the store's folder" },
    rootFolder,
    rootFolder,
  );
}

/** What is odd where every task needs it, found by the preflight, is not a single task's trouble. */
export function ofWholeStore(thrown: unknown, rootFolder: string): unknown {
  const isOdd = thrown instanceof StoreError && thrown.code === MISCONFIGURED.code && thrown.scope === "task";
  return isOdd
    ? new StoreError(thrown.code, thrown.message, {
        scope: "system",
        retry: "never",
        hint: MISCONFIGURED.hint(rootFolder),
        cause: thrown,
      })
    : thrown;
}

/** A folder on the way to a key is a symbolic link: what lies behind it is not this store. */
export function linkedFolderError(rootFolder: string, folder: string): StoreError {
  const problem = "a folder of the store is a symbolic link";
  const hint = (root: string) =>
    `Put a folder in its place below ${root}; to keep it on another disk, mount that disk there.`;
  return fileError({ ...ODD_ENTRY, problem, hint }, rootFolder, folder);
}

/** The root folder was not there from the first look on: a new installation, or another mistake. */
export function rootMissingError(rootFolder: string, cause: unknown): StoreError {
  const problem = "the folder of the store is not there";
  const hint = (root: string) =>
    `A new store is made by iotda-archiver init; otherwise correct ARCHIVER_STORE, or mount the disk of ${root}.`;
  const fault: FileFault = { code: "store-missing", scope: "system", retry: "later", problem, hint };
  return fileError(fault, rootFolder, rootFolder, cause);
}

/** Something else stands where the root folder belongs. */
export function rootNotFolderError(rootFolder: string): StoreError {
  const problem = "what ARCHIVER_STORE names is not a folder";
  return fileError({ ...MISCONFIGURED, problem }, rootFolder, rootFolder);
}

/** The root folder is missing, or is not the one it was: most often a disk that was unmounted. */
export function rootGoneError(rootFolder: string, cause?: unknown): StoreError {
  const problem = "the folder of the store is missing or was replaced while the program ran";
  const hint = (root: string) => `Mount the disk of ${root} again, or make the folder, then run again.`;
  return fileError({ ...FORBIDDEN, retry: "later", problem, hint }, rootFolder, rootFolder, cause);
}

/** Told before the first byte is written. */
export function noSpaceError(rootFolder: string, neededBytes: bigint, freeBytes: bigint): StoreError {
  return fileError(FULL, rootFolder, `${neededBytes} bytes are needed, ${freeBytes} are free`);
}

/** The disk has room, but no inode for one more file. */
export function noInodesError(rootFolder: string): StoreError {
  return fileError(FULL, rootFolder, "no free inode");
}

/** The lock on documents could not be had. */
export function lockError(
  rootFolder: string,
  code: "store-unavailable" | "store-full" | "store-forbidden" | "store-misconfigured",
  cause: unknown,
): StoreError {
  switch (code) {
    case "store-unavailable":
      return fileError(
        {
          ...UNAVAILABLE,
          scope: "system",
          problem: "the store's lock could not be had",
          hint: (root) =>
            `Look for another archiver that hangs or is stopped: it holds ${root}/state/lock.db.`,
        },
        rootFolder,
        "state/lock.db",
        cause,
      );
    case "store-full":
      return fileError(FULL, rootFolder, "state/lock.db", cause);
    case "store-forbidden":
      return fileError(FORBIDDEN, rootFolder, "state/lock.db", cause);
    case "store-misconfigured":
      return fileError(
        {
          ...MISCONFIGURED,
          problem: "the store's lock file is damaged",
          hint: (root) => `Remove ${root}/state/lock.db while no archiver runs: it holds nothing.`,
        },
        rootFolder,
        "state/lock.db",
        cause,
      );
  }
}
