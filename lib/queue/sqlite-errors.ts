import { ArchiverError, faultsByName } from "../domain/errors.ts";
import { errnoOf } from "../files/errno.ts";
import { type SqliteTrouble, sqliteTroubleOf } from "../files/sqlite.ts";
import { QueueError } from "../ports/task-queue.ts";
import * as kinds from "./queue-errors.ts";

type SqliteFault = kinds.QueueFault;

const FULL: SqliteFault = {
  ...kinds.FULL,
  problem: "the disk of the queue file is full",
  hint: "Free space on the disk that holds {place}. Then run again.",
};
const FORBIDDEN: SqliteFault = {
  ...kinds.FORBIDDEN,
  problem: "this user cannot open the queue file for writing",
  hint: "Let this user write {place}, which must not be a directory, and create files in its folder.",
};
const DAMAGED: SqliteFault = {
  ...kinds.MISCONFIGURED,
  problem: "the queue file is damaged, or is not a queue of this program",
  hint: "Point ARCHIVER_QUEUE to another file, or move {place} away with its -wal and -shm files. Then run discover. It enqueues the tasks of the last 6 hours again once those hours are over. To get them at once, first remove state/discovered.json from the store.",
};
const NO_FOLDER: SqliteFault = { ...DAMAGED, problem: "the queue file's parent path is not a folder" };
const UNAVAILABLE: SqliteFault = {
  ...kinds.UNAVAILABLE,
  problem: "the program could not use the queue file",
  hint: "Look for a program that keeps {place} locked, and for disk errors in the system log.",
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
