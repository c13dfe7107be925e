import { ArchiverError, faultsByName } from "../domain/errors.ts";
import { errnoOf } from "../files/errno.ts";
import { type SqliteTrouble, sqliteTroubleOf } from "../files/sqlite.ts";
import { QueueError } from "../ports/task-queue.ts";
import * as kinds from "./queue-errors.ts";

type SqliteFault = kinds.QueueFault;

const FULL: SqliteFault = {
  ...kinds.FULL,
  problem: "the disk of the queue file is full",
  hint: "Free space on the disk that holds {place}, then run again.",
};
const FORBIDDEN: SqliteFault = {
  ...kinds.FORBIDDEN,
  problem: "the queue file cannot be opened for writing",
  hint: "Let this user write {place} and create files in its folder.",
};
const DAMAGED: SqliteFault = {
  ...kinds.MISCONFIGURED,
  problem: "the queue file is damaged or not a queue of this program",
  hint: "Point ARCHIVER_QUEUE to another file, or move {place} (with its -wal and -shm) away, and run discover. What was enqueued in the last 6 hours follows once they are over, or at once if state/discovered.json is removed from the store first.",
};
const NO_FOLDER: SqliteFault = { ...DAMAGED, problem: "the folder of the queue file is not a folder" };
const UNAVAILABLE: SqliteFault = {
  ...kinds.UNAVAILABLE,
  problem: "the queue file could not be used",
  hint: "Look for other programs that keep {place} locked and for disk errors in the system log.",
};

const FAULT_OF_TROUBLE: Readonly<Record<SqliteTrouble, SqliteFault>> = {
  busy: UNAVAILABLE,
  forbidden: FORBIDDEN,
  full: FULL,
  damaged: DAMAGED,
  other: UNAVAILABLE,
};
/** Anything else is `queue-unavailable`. */
const FAULT_OF_ERRNO = faultsByName<SqliteFault>([
  // ENOENT is what a recursive mkdir of Node 24 says on a read-only disk.
  [FORBIDDEN, "EACCES EPERM EROFS ENOENT"],
  [FULL, "ENOSPC EDQUOT"],
  [NO_FOLDER, "ENOTDIR EEXIST ENAMETOOLONG"],
]);

/** Turns an error of node:sqlite or of the file system into a {@link QueueError}; all else stays as it is. */
export function toQueueError(thrown: unknown, filePath: string): unknown {
  if (thrown instanceof ArchiverError) {
    return thrown;
  }
  const trouble = sqliteTroubleOf(thrown);
  const errno = errnoOf(thrown);
  if (trouble === undefined && errno === undefined) {
    return thrown;
  }
  const fault =
    trouble === undefined ? (FAULT_OF_ERRNO.get(errno ?? "") ?? UNAVAILABLE) : FAULT_OF_TROUBLE[trouble];
  return new QueueError(fault, filePath, { place: filePath, cause: thrown });
}

/** The queue file belongs to something else: another program, or a newer version of this one. */
export function foreignFileError(filePath: string, problem: string): QueueError {
  return new QueueError({ ...DAMAGED, problem }, filePath, { place: filePath });
}

/** The handle does not give the right to settle its message any more. */
export function handleExpiredError(): QueueError {
  return new QueueError(kinds.HANDLE_EXPIRED);
}
