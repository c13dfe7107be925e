import { stat } from "node:fs/promises";
import * as v from "valibot";
import { errnoOf } from "../files/errno.ts";
import type { ArchiveMemory } from "../ports/archive-memory.ts";
import type { CallOptions } from "../ports/platform.ts";
import { type DatabaseDependencies, SqliteDatabase } from "./sqlite-database.ts";
import { foreignFileError, toQueueError } from "./sqlite-errors.ts";

const archiveRow = v.object({ archive_id: v.pipe(v.string(), v.toLowerCase(), v.uuid()) });

/** The archive that a queue file was used with. The file is open only while it is asked. */
export class SqliteArchiveMemory implements ArchiveMemory {
  readonly #filePath: string;
  readonly #dependencies: DatabaseDependencies;

  constructor(filePath: string, dependencies: DatabaseDependencies) {
    this.#filePath = filePath;
    this.#dependencies = dependencies;
  }

  /** Makes no file: a queue that is not there remembers nothing. */
  async recall({ signal }: CallOptions): Promise<string | undefined> {
    signal.throwIfAborted();
    if (!(await isQueueFileThere(this.#filePath))) {
      return undefined;
    }
    const row = await this.#withDatabase((database) =>
      database.run((file) => file.prepare("SELECT archive_id FROM archive").get(), signal),
    );
    return row === undefined ? undefined : this.#idIn(row);
  }

  /** Makes the queue file when it is not there yet. */
  async rememberFirst(archiveId: string, { signal }: CallOptions): Promise<string> {
    const [row] = await this.#withDatabase((database) =>
      database.run(
        (file) =>
          file
            .prepare(
              // An update that changes nothing returns what stands, which DO NOTHING does not.
              `INSERT INTO archive (only_row, archive_id) VALUES (1, ?)
               ON CONFLICT (only_row) DO UPDATE SET archive_id = archive_id RETURNING archive_id`,
            )
            // Not `get`, which stops at the first row: the statement is committed after its last, and that may fail.
            .all(archiveId),
        signal,
      ),
    );
    return this.#idIn(row);
  }

  /** Makes the queue file when it is not there yet. */
  async remember(archiveId: string, { signal }: CallOptions): Promise<void> {
    await this.#withDatabase((database) =>
      database.run(
        (file) =>
          file
            .prepare(
              `INSERT INTO archive (only_row, archive_id) VALUES (1, ?)
               ON CONFLICT (only_row) DO UPDATE SET archive_id = excluded.archive_id`,
            )
            .run(archiveId),
        signal,
      ),
    );
  }

  #idIn(row: unknown): string {
    const parsed = v.safeParse(archiveRow, row);
    if (!parsed.success) {
      throw foreignFileError(this.#filePath, "the queue file remembers an archive whose id is not a UUID");
    }
    return parsed.output.archive_id;
  }

  async #withDatabase<T>(work: (database: SqliteDatabase) => Promise<T>): Promise<T> {
    const database = await SqliteDatabase.open(this.#filePath, this.#dependencies);
    try {
      return await work(database);
    } finally {
      database.close();
    }
  }
}

/** Whether a queue was ever made at this path. @throws QueueError when that cannot be found out. */
export async function isQueueFileThere(filePath: string): Promise<boolean> {
  try {
    await stat(filePath);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") {
      return false;
    }
    throw toQueueError(error, filePath);
  }
}
