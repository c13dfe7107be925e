import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import * as v from "valibot";
import type { QueueLook } from "../doctor/ports.ts";
import { unless } from "../domain/promises.ts";
import { hasErrno, isMissing } from "../files/errno.ts";
import type { ArchiveMemory } from "../ports/archive-memory.ts";
import { QueueError } from "../ports/task-queue.ts";
import { isQueueFileThere } from "./sqlite-archive-memory.ts";
import { refuseForeignFile } from "./sqlite-database.ts";
import { toQueueError } from "./sqlite-errors.ts";

const lookRow = v.object({
  messages: v.number(),
  dead_letters: v.number(),
  ready_since_ms: v.nullable(v.number()),
});
const archiveRow = v.object({ archive_id: v.pipe(v.string(), v.toLowerCase(), v.uuid()) });
const NOT_MADE: QueueLook = { isMade: false, isWritable: true, messages: 0, deadLetters: 0 };

/**
 * Looks into a queue file, and leaves every byte of it and every file beside it as it is.
 *
 * @throws QueueError for a file that is not a queue of this program, or cannot be read.
 */
export async function lookIntoQueueFile(filePath: string, nowMs: number): Promise<QueueLook> {
  if (!(await isQueueFileThere(filePath))) {
    return NOT_MADE;
  }
  const isWritable = await mayWrite(filePath);
  return await onQueueFile(filePath, (database) => {
    if (refuseForeignFile(database, filePath) === "empty") {
      return { ...NOT_MADE, isWritable };
    }
    const row = database
      .prepare(
        `SELECT (SELECT count(*) FROM messages) AS messages,
                (SELECT count(*) FROM dead_letters) AS dead_letters,
                (SELECT min(visible_at_ms) FROM messages WHERE visible_at_ms <= ?) AS ready_since_ms`,
      )
      .get(nowMs);
    const { messages, dead_letters: deadLetters, ready_since_ms: sinceMs } = v.parse(lookRow, row);
    const archiveId = rememberedIn(database);
    return { isMade: true, isWritable, archiveId, messages, deadLetters, readySinceMs: sinceMs ?? undefined };
  });
}

/** The archive that a queue file remembers, for those who only look: nothing is remembered, and no file is made. */
export class LookingArchiveMemory implements ArchiveMemory {
  readonly #filePath: string;

  constructor(filePath: string) {
    this.#filePath = filePath;
  }

  /** A queue that cannot be looked at remembers nothing here: whoever looks at the queue itself says why. */
  async recall(): Promise<string | undefined> {
    const isUnreadable = (thrown: unknown) => thrown instanceof QueueError;
    const look = unless(isUnreadable, lookIntoQueueFile(this.#filePath, 0), undefined);
    return (await look)?.archiveId;
  }

  async rememberFirst(archiveId: string): Promise<string> {
    return archiveId;
  }

  async remember(): Promise<void> {
    throw new TypeError("whoever only looks remembers no archive");
  }
}

/** Files from before archives were remembered have no such table. */
function rememberedIn(database: DatabaseSync): string | undefined {
  const table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'archive'";
  if (database.prepare(table).get() === undefined) {
    return undefined;
  }
  const parsed = v.safeParse(archiveRow, database.prepare("SELECT archive_id FROM archive").get());
  return parsed.success ? parsed.output.archive_id : undefined;
}

async function mayWrite(filePath: string): Promise<boolean> {
  const isDenied = hasErrno("EACCES", "EPERM", "EROFS");
  const files = [
    access(filePath, constants.R_OK | constants.W_OK),
    access(dirname(filePath), constants.W_OK),
  ];
  return await unless(
    isDenied,
    Promise.all(files).then(() => true),
    false,
  );
}

async function onQueueFile<Result>(
  filePath: string,
  look: (database: DatabaseSync) => Result,
): Promise<Result> {
  // A static import would fail on an old Node before the program can say which version it needs.
  const { DatabaseSync } = await import("node:sqlite");
  const url = pathToFileURL(filePath);
  // Where runners have left or still have a log beside the file, SQLite must read it. Without one, nothing but the
  // file itself is looked at, not even for a lock: SQLite would make the log otherwise.
  url.search = (await hasLog(filePath)) ? "mode=ro" : "immutable=1";
  try {
    const database = new DatabaseSync(url, { readOnly: true });
    try {
      return look(database);
    } finally {
      database.close();
    }
  } catch (thrown) {
    throw toQueueError(thrown, filePath);
  }
}

async function hasLog(filePath: string): Promise<boolean> {
  const about = await unless(isMissing, stat(`${filePath}-wal`), undefined);
  return about !== undefined && about.size > 0;
}
