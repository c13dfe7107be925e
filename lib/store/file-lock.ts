import { dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { makeDatabaseFile } from "../files/own-files.ts";
import { sqliteTroubleOf } from "../files/sqlite-trouble.ts";
import type { Clock, Random } from "../ports/clock.ts";
import { toLockError } from "./file-errors.ts";
import { LOCK_KEY } from "./file-keys.ts";
import type { FileRoot } from "./file-root.ts";

/** How long one caller waits, in all, for others to let go. A holder needs milliseconds. */
const LOCK_LIMIT_MS = 10_000;
const PAUSE_MIN_MS = 1;
const PAUSE_MAX_MS = 20;

/**
 * One lock for all processes that share the store: a write transaction on an empty SQLite file. The system
 * releases it when its holder dies, however it dies; nothing has to be cleaned up and nobody has to guess
 * from a time stamp.
 */
export class FileLock {
  readonly #root: FileRoot;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(root: FileRoot, clock: Clock, random: Random) {
    this.#root = root;
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * Runs an operation while nobody else holds the lock. Not reentrant.
   *
   * @throws StoreError `store-unavailable` when the lock was not to be had for ten seconds. Rejects with the
   * signal's reason when it is aborted while waiting.
   */
  async hold<Result>(operation: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    signal.throwIfAborted();
    const path = join(this.#root.folder, LOCK_KEY);
    await this.#root.makeFolder(dirname(path));
    // A static import would fail on an old Node before the program can say which version it needs.
    const { DatabaseSync } = await import("node:sqlite");
    // A connection for each holder: two of one process then exclude each other as two processes do.
    makeDatabaseFile(path);
    const database = this.#opened(() => new DatabaseSync(path));
    try {
      await this.#begin(database, signal);
      return await operation();
    } finally {
      // Closing ends the transaction, which never wrote anything.
      database.close();
    }
  }

  async #begin(database: DatabaseSync, signal: AbortSignal): Promise<void> {
    const deadlineMs = this.#clock.monotonicMs() + LOCK_LIMIT_MS;
    while (!this.#tryBegin(database, this.#clock.monotonicMs() >= deadlineMs)) {
      // Asleep here, not in SQLite's busy handler: that would stop the event loop and every transfer with it.
      await this.#clock.sleep(PAUSE_MIN_MS + this.#random.fraction() * (PAUSE_MAX_MS - PAUSE_MIN_MS), signal);
    }
  }

  #tryBegin(database: DatabaseSync, isLastTry: boolean): boolean {
    try {
      // No journal file: nothing is ever written, and a full disk must not keep anybody from locking.
      database.exec("PRAGMA journal_mode = MEMORY");
      database.exec("BEGIN IMMEDIATE");
      return true;
    } catch (thrown) {
      if (sqliteTroubleOf(thrown) === "busy" && !isLastTry) {
        return false;
      }
      throw toLockError(thrown, this.#root.folder);
    }
  }

  #opened(open: () => DatabaseSync): DatabaseSync {
    try {
      return open();
    } catch (thrown) {
      throw toLockError(thrown, this.#root.folder);
    }
  }
}
