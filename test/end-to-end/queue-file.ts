import { DatabaseSync } from "node:sqlite";

const BUSY_MS = 120_000;

/** A row of the queue as it lies in the file. */
export interface QueuedRow {
  readonly body: string;
  readonly visible_at_ms: number;
  readonly receive_count: number;
}

export interface LetterRow {
  readonly id: number;
  readonly body: string;
  readonly reason: string;
  readonly detail: string;
  readonly attempts: number;
}

/**
 * The queue's file, read and written past the program: the suite must see what is there, and put there what
 * the program itself never would.
 */
export class QueueFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Puts bodies into the queue, due now. The file must have been made by the archiver. */
  put(...bodies: readonly string[]): void {
    this.#with((database) => {
      const insert = database.prepare("INSERT INTO messages (body, visible_at_ms) VALUES (?, 0)");
      for (const body of bodies) {
        insert.run(body);
      }
    });
  }

  /** Puts a dead letter there, as another program might. */
  putLetter({ body, reason, detail }: Pick<LetterRow, "body" | "reason" | "detail">): void {
    this.#with((database) => {
      database
        .prepare(
          "INSERT INTO dead_letters (body, reason, detail, attempts, run_id, dead_lettered_at_ms) VALUES (?, ?, ?, 0, 'r', 0)",
        )
        .run(body, reason, detail);
    });
  }

  /** Puts a body before all others. */
  putFirst(body: string): void {
    this.#with((database) => {
      const insert = database.prepare(
        "INSERT INTO messages (id, body, visible_at_ms) SELECT min(id) - 1, ?, 0 FROM messages",
      );
      insert.run(body);
    });
  }

  /** Keeps every other process from writing to the queue until it is called. */
  lock(): () => void {
    const database = new DatabaseSync(this.path, { timeout: BUSY_MS });
    database.exec("BEGIN IMMEDIATE");
    return () => database.close();
  }

  /** Makes nothing due before this many milliseconds have passed. */
  delayAll(delayMs: number): void {
    this.#with((database) =>
      database.prepare("UPDATE messages SET visible_at_ms = ?").run(Date.now() + delayMs),
    );
  }

  /** Makes everything due: as if the longest delay had passed. */
  letDelaysPass(): void {
    this.#with((database) => database.exec("UPDATE messages SET visible_at_ms = 0"));
  }

  messages(): readonly QueuedRow[] {
    return this.#with(
      (database) =>
        database
          .prepare("SELECT body, visible_at_ms, receive_count FROM messages ORDER BY id")
          .all() as unknown as QueuedRow[],
    );
  }

  letters(): readonly LetterRow[] {
    return this.#with(
      (database) =>
        database
          .prepare("SELECT id, body, reason, detail, attempts FROM dead_letters ORDER BY id")
          .all() as unknown as LetterRow[],
    );
  }

  #with<T>(work: (database: DatabaseSync) => T): T {
    const database = new DatabaseSync(this.path, { timeout: BUSY_MS });
    try {
      return work(database);
    } finally {
      database.close();
    }
  }
}
