import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { FOLDER_MODE, makeDatabaseFile } from "../files/own-files.ts";
import { whileBusy } from "../files/sqlite.ts";
import type { Clock, Random } from "../ports/clock.ts";
import { foreignFileError, toQueueError } from "./sqlite-errors.ts";

/** Marks the file as a queue of this program ("IoTQ"), so that no other database is taken for one. */
const APPLICATION_ID = 0x496f5451;
const SCHEMA_VERSION = 1;

/** Apart from the rest: files from before it get it too, and older programs pass it over. */
const ARCHIVE_TABLE = `
  CREATE TABLE IF NOT EXISTS archive (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    archive_id TEXT NOT NULL
  ) STRICT;
`;

const SCHEMA = `
  CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    body TEXT NOT NULL,
    visible_at_ms INTEGER NOT NULL,
    receive_count INTEGER NOT NULL DEFAULT 0,
    handle TEXT
  ) STRICT;
  CREATE INDEX messages_by_visibility ON messages (visible_at_ms);
  CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    body TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    dead_lettered_at_ms INTEGER NOT NULL
  ) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

export interface DatabaseDependencies {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * One SQLite file, shared with other processes. Each operation is synchronous and short.
 */
export class SqliteDatabase {
  readonly #filePath: string;
  readonly #database: DatabaseSync;
  readonly #dependencies: DatabaseDependencies;

  private constructor(filePath: string, database: DatabaseSync, dependencies: DatabaseDependencies) {
    this.#filePath = filePath;
    this.#database = database;
    this.#dependencies = dependencies;
  }

  /**
   * Opens the file, and makes it with its folder and tables when it is not there.
   *
   * @throws QueueError `queue-forbidden`, `queue-full`, `queue-unavailable`, or `queue-misconfigured` when
   * the file is damaged, another program's, or written by a newer version.
   */
  static async open(filePath: string, dependencies: DatabaseDependencies): Promise<SqliteDatabase> {
    // A static import would fail on an old Node before the program can say which version it needs.
    const { DatabaseSync } = await import("node:sqlite");
    try {
      await mkdir(dirname(filePath), { recursive: true, mode: FOLDER_MODE });
      makeDatabaseFile(filePath);
      const opened = new SqliteDatabase(filePath, new DatabaseSync(filePath), dependencies);
      try {
        await opened.run((database) => prepareFile(database, filePath));
      } catch (thrown) {
        opened.close();
        throw thrown;
      }
      return opened;
    } catch (thrown) {
      throw toQueueError(thrown, filePath);
    }
  }

  /**
   * Runs one short operation, again and again while another process holds the lock. An operation of more
   * than one statement makes itself one by {@link inTransaction}.
   *
   * @throws QueueError; `queue-unavailable` after ten seconds of waiting. Rejects with the signal's reason.
   */
  async run<Result>(operation: (database: DatabaseSync) => Result, signal?: AbortSignal): Promise<Result> {
    try {
      return await whileBusy(() => operation(this.#database), this.#dependencies, signal);
    } catch (thrown) {
      throw toQueueError(thrown, this.#filePath);
    }
  }

  /** Closes the file; safe twice. */
  close(): void {
    if (this.#database.isOpen) {
      this.#database.close();
    }
  }
}

/** Runs the operation between `BEGIN IMMEDIATE` and `COMMIT`; whatever it throws undoes it. */
export function inTransaction<Result>(database: DatabaseSync, operation: () => Result): Result {
  // IMMEDIATE: a lock taken only at the first write could fail halfway, where waiting cannot help.
  return between(database, "BEGIN IMMEDIATE", operation);
}

/** Runs an operation of reads alone, which all see the file as it was at the first one. */
function inReadTransaction<Result>(database: DatabaseSync, operation: () => Result): Result {
  return between(database, "BEGIN DEFERRED", operation);
}

function between<Result>(database: DatabaseSync, begin: string, operation: () => Result): Result {
  database.exec(begin);
  try {
    const result = operation();
    database.exec("COMMIT");
    return result;
  } catch (thrown) {
    // After some errors (disk full, I/O error) SQLite has rolled back already.
    if (database.isTransaction) {
      database.exec("ROLLBACK");
    }
    throw thrown;
  }
}

function prepareFile(database: DatabaseSync, filePath: string): void {
  // One look: a queue that another process makes between two reads would be neither empty nor ours.
  inReadTransaction(database, () => refuseForeignFile(database, filePath));
  // A write-ahead log lets readers and a writer work at once; FULL makes each commit survive a power cut.
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  inTransaction(database, () => {
    // Again, under the lock: another process may have made the tables meanwhile.
    if (refuseForeignFile(database, filePath) === "empty") {
      database.exec(SCHEMA);
    }
    database.exec(ARCHIVE_TABLE);
  });
}

/** Tells whether a file is a queue of this program. @throws QueueError for any other database. */
export function refuseForeignFile(database: DatabaseSync, filePath: string): "empty" | "ours" {
  const version = readInteger(database, "PRAGMA user_version", "user_version");
  const applicationId = readInteger(database, "PRAGMA application_id", "application_id");
  const tableCount = readInteger(database, "SELECT count(*) AS count FROM sqlite_master", "count");
  if (tableCount === 0 && version === 0 && applicationId === 0) {
    return "empty";
  }
  if (applicationId !== APPLICATION_ID) {
    throw foreignFileError(filePath, "the queue file is a database of another program");
  }
  if (version > SCHEMA_VERSION) {
    throw foreignFileError(filePath, "a newer version of this program wrote the queue file");
  }
  return "ours";
}

function readInteger(database: DatabaseSync, sql: string, column: string): number {
  return Number(database.prepare(sql).get()?.[column]);
}
