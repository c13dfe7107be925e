import { dirname } from "node:path";
import { ArchiverError } from "../domain/errors.ts";
import { QueueError, type QueueErrorCode } from "../ports/task-queue.ts";

/** Primary result codes of SQLite (sqlite.org/rescode.html) that mean: somebody else holds the lock just now. */
const BUSY_CODES: ReadonlySet<number> = new Set([5 /* BUSY */, 6 /* LOCKED */]);

interface SqliteFault {
  readonly code: QueueErrorCode;
  readonly retry: "later" | "never";
  readonly problem: string;
  readonly hint: (filePath: string) => string;
}

const FULL: SqliteFault = {
  code: "queue-full",
  retry: "later",
  problem: "the disk of the queue file is full",
  hint: (filePath) => `Free space on the disk that holds ${dirname(filePath)}, then run again.`,
};
const FORBIDDEN: SqliteFault = {
  code: "queue-forbidden",
  retry: "never",
  problem: "the queue file cannot be opened for writing",
  hint: (filePath) => `Let this user write ${filePath} and create files in the folder ${dirname(filePath)}.`,
};
const DAMAGED: SqliteFault = {
  code: "queue-misconfigured",
  retry: "never",
  problem: "the queue file is damaged or not a queue of this program",
  hint: (filePath) =>
    `Point ARCHIVER_QUEUE to another file, or move ${filePath} (with its -wal and -shm) away, and run discover. What was enqueued in the last 6 hours follows once they are over, or at once if state/discovered.json is removed from the store first.`,
};
const UNAVAILABLE: SqliteFault = {
  code: "queue-unavailable",
  retry: "later",
  problem: "the queue file could not be used",
  hint: (filePath) =>
    `Look for other programs that keep ${filePath} locked and for disk errors in the system log.`,
};

/** By primary result code; anything else is `queue-unavailable`. */
const FAULTS: ReadonlyMap<number, SqliteFault> = new Map([
  [1 /* ERROR: a table is missing or of another shape */, DAMAGED],
  [3 /* PERM */, FORBIDDEN],
  [8 /* READONLY */, FORBIDDEN],
  [11 /* CORRUPT */, DAMAGED],
  [13 /* FULL */, FULL],
  [14 /* CANTOPEN */, FORBIDDEN],
  [23 /* AUTH */, FORBIDDEN],
  [26 /* NOTADB */, DAMAGED],
]);

/** IOERR_SHMSIZE: the shared index of the write-ahead log could not grow, which a full disk does (seen on tmpfs). */
const IOERR_SHMSIZE = 4874;

/** The extended result code of an error of node:sqlite, or `undefined` for every other thrown thing. */
function resultCodeOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown) || thrown.code !== "ERR_SQLITE_ERROR") {
    return undefined;
  }
  return "errcode" in thrown && typeof thrown.errcode === "number" ? thrown.errcode : undefined;
}

/** Whether the call may succeed once another connection lets go of its lock. */
export function isBusy(thrown: unknown): boolean {
  const code = resultCodeOf(thrown);
  return code !== undefined && BUSY_CODES.has(code & 0xff);
}

/** Turns an error of node:sqlite or of the file system into a {@link QueueError}; all else stays as it is. */
export function toQueueError(thrown: unknown, filePath: string): unknown {
  if (thrown instanceof ArchiverError) {
    return thrown;
  }
  const resultCode = resultCodeOf(thrown);
  if (resultCode !== undefined) {
    const fault = resultCode === IOERR_SHMSIZE ? FULL : (FAULTS.get(resultCode & 0xff) ?? UNAVAILABLE);
    return queueError(fault, filePath, thrown);
  }
  if (thrown instanceof Error && "syscall" in thrown && "code" in thrown) {
    return queueError(faultOfErrno(thrown.code), filePath, thrown);
  }
  return thrown;
}

function faultOfErrno(errno: unknown): SqliteFault {
  switch (errno) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
    // What a recursive mkdir of Node 24 says on a read-only disk.
    case "ENOENT":
      return FORBIDDEN;
    case "ENOSPC":
    case "EDQUOT":
      return FULL;
    case "ENOTDIR":
    case "EEXIST":
    case "ENAMETOOLONG":
      return { ...DAMAGED, problem: "the folder of the queue file is not a folder" };
    default:
      return UNAVAILABLE;
  }
}

function queueError(fault: SqliteFault, filePath: string, cause: unknown): QueueError {
  return new QueueError(fault.code, `${fault.problem} (${filePath})`, {
    scope: "system",
    retry: fault.retry,
    hint: fault.hint(filePath),
    cause,
  });
}

/** The queue file belongs to something else: another program, or a newer version of this one. */
export function foreignFileError(filePath: string, problem: string): QueueError {
  return queueError({ ...DAMAGED, problem }, filePath, undefined);
}

/** The handle does not give the right to settle its message any more. */
export function handleExpiredError(): QueueError {
  return new QueueError("queue-handle-expired", "the visibility timeout of a received message ran out", {
    scope: "task",
    retry: "never",
    hint: "Another run may work on this message now; nothing is lost. Raise ARCHIVER_VISIBILITY_MS if it happens often.",
  });
}
