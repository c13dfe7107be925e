import type { DatabaseSync } from "node:sqlite";
import * as v from "valibot";
import type { TaskMessage } from "../domain/task-message.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { CallOptions } from "../ports/platform.ts";
import type {
  DeadLetter,
  DeadLetterQueue,
  HeldDeadLetter,
  QueueDepth,
  ReceivedMessage,
  SendOptions,
  TaskQueue,
} from "../ports/task-queue.ts";
import { encodeMessage, isNamedBy, parseBody, withoutProgress } from "./message-codec.ts";
import { inTransaction, SqliteDatabase } from "./sqlite-database.ts";
import { handleExpiredError } from "./sqlite-errors.ts";

interface SqliteQueueOptions {
  /** How long a received message stays hidden unless it is renewed. */
  readonly visibilityMs: number;
  /** How long {@link SqliteQueue.receive} looks for a message. Default 250. */
  readonly longPollMs?: number;
  readonly clock: Clock;
  readonly random: Random;
}

const DEFAULT_LONG_POLL_MS = 250;
const POLL_EVERY_MS = 50;

const receivedRow = v.object({ id: v.number(), body: v.string(), receive_count: v.number() });
const depthRow = v.object({
  ready: v.number(),
  delayed: v.number(),
  in_flight: v.number(),
  dead_letters: v.number(),
  next_due_at_ms: v.nullable(v.number()),
});
const namedRow = v.object({ id: v.number(), body: v.string() });
const deadLetterRow = v.object({
  id: v.number(),
  body: v.string(),
  reason: v.string(),
  detail: v.string(),
  attempts: v.number(),
  run_id: v.string(),
  dead_lettered_at_ms: v.number(),
});

/**
 * A task queue in one SQLite file, for one machine: any number of processes may share it, over a local
 * disk. Messages are handed out oldest first; a re-sent one goes to the back. Delays may be of any length.
 * Time is this machine's wall clock, because it has to outlive processes and reboots.
 */
export class SqliteQueue implements TaskQueue, DeadLetterQueue {
  readonly visibilityMs: number;
  readonly #longPollMs: number;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #database: SqliteDatabase;

  private constructor(database: SqliteDatabase, options: SqliteQueueOptions) {
    this.visibilityMs = options.visibilityMs;
    this.#longPollMs = options.longPollMs ?? DEFAULT_LONG_POLL_MS;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#database = database;
  }

  /**
   * Opens the queue file, and makes it with its folder when it is not there.
   *
   * @throws QueueError `queue-forbidden`, `queue-full`, `queue-unavailable`, or `queue-misconfigured` when
   * the file is damaged, another program's, or written by a newer version.
   */
  static async open(filePath: string, options: SqliteQueueOptions): Promise<SqliteQueue> {
    return new SqliteQueue(await SqliteDatabase.open(filePath, options), options);
  }

  /** Closes the file; safe twice. The queue cannot be used after that. */
  close(): void {
    this.#database.close();
  }

  async receive({ signal }: CallOptions): Promise<ReceivedMessage | undefined> {
    const deadlineMs = this.#clock.monotonicMs() + this.#longPollMs;
    for (;;) {
      const received = await this.#receiveNow(signal);
      const remainingMs = deadlineMs - this.#clock.monotonicMs();
      if (received !== undefined || remainingMs <= 0) {
        return received;
      }
      await this.#clock.sleep(Math.min(POLL_EVERY_MS, remainingMs), signal);
    }
  }

  async #receiveNow(signal: AbortSignal): Promise<ReceivedMessage | undefined> {
    const handle = this.#random.hex(16);
    return await this.#database.run((database) => {
      const nowMs = this.#nowMs();
      // Looking needs no lock, so that idle runners do not disturb busy ones.
      if (
        database.prepare("SELECT 1 FROM messages WHERE visible_at_ms <= ? LIMIT 1").get(nowMs) === undefined
      ) {
        return undefined;
      }
      // Not `get`, which stops at the first row: the statement is committed after its last, and that may fail.
      const [row] = database
        .prepare(
          `UPDATE messages SET handle = ?, receive_count = receive_count + 1, visible_at_ms = ?
           WHERE id = (SELECT id FROM messages WHERE visible_at_ms <= ? ORDER BY id LIMIT 1)
           RETURNING id, body, receive_count`,
        )
        .all(handle, nowMs + this.visibilityMs, nowMs);
      if (row === undefined) {
        return undefined;
      }
      const { id, body, receive_count: receiveCount } = v.parse(receivedRow, row);
      return { handle: `${id}.${handle}`, receiveCount, body, parsed: parseBody(body) };
    }, signal);
  }

  async renew(received: ReceivedMessage, { signal }: CallOptions): Promise<void> {
    const [id, handle] = splitHandle(received.handle);
    const changed = await this.#database.run((database) => {
      const nowMs = this.#nowMs();
      return database
        .prepare("UPDATE messages SET visible_at_ms = ? WHERE id = ? AND handle = ? AND visible_at_ms > ?")
        .run(nowMs + this.visibilityMs, id, handle, nowMs).changes;
    }, signal);
    if (changed === 0) {
      throw handleExpiredError();
    }
  }

  /**
   * Removes the message. A handle whose visibility ran out still serves as long as no other runner received
   * the message: no one but its holder can be working on it.
   */
  async acknowledge(received: ReceivedMessage, { signal }: CallOptions): Promise<void> {
    const [id, handle] = splitHandle(received.handle);
    const changed = await this.#database.run(
      (database) =>
        database.prepare("DELETE FROM messages WHERE id = ? AND handle = ?").run(id, handle).changes,
      signal,
    );
    if (changed === 0) {
      throw handleExpiredError();
    }
  }

  async requeue(received: ReceivedMessage, successor: TaskMessage, options: SendOptions): Promise<void> {
    await this.#replace(received, encodeMessage(successor), options);
  }

  async release(received: ReceivedMessage, options: SendOptions): Promise<void> {
    await this.#replace(received, received.body, options);
  }

  /** One transaction: a message that another runner has received meanwhile gets no successor from this one. */
  async #replace(received: ReceivedMessage, body: string, { delayMs, signal }: SendOptions): Promise<void> {
    const [id, handle] = splitHandle(received.handle);
    const isReplaced = await this.#database.run(
      (database) =>
        inTransaction(database, () => {
          const removal = database.prepare("DELETE FROM messages WHERE id = ? AND handle = ?");
          const wasOurs = Number(removal.run(id, handle).changes) > 0;
          if (wasOurs) {
            this.#insert(database, [body], delayMs);
          }
          return wasOurs;
        }),
      signal,
    );
    if (!isReplaced) {
      throw handleExpiredError();
    }
  }

  async send(messages: readonly TaskMessage[], options: SendOptions): Promise<void> {
    await this.sendBodies(messages.map(encodeMessage), options);
  }

  /** Sends bodies as they are, readable or not, as other programs do. */
  async sendBodies(bodies: readonly string[], { delayMs, signal }: SendOptions): Promise<void> {
    await this.#database.run(
      (database) => inTransaction(database, () => this.#insert(database, bodies, delayMs)),
      signal,
    );
  }

  #insert(database: DatabaseSync, bodies: readonly string[], delayMs: number): void {
    const visibleAtMs = Math.min(this.#nowMs() + Math.max(0, Math.ceil(delayMs)), Number.MAX_SAFE_INTEGER);
    const insert = database.prepare("INSERT INTO messages (body, visible_at_ms) VALUES (?, ?)");
    for (const body of bodies) {
      insert.run(body, visibleAtMs);
    }
  }

  async deadLetter(letter: DeadLetter, { signal }: CallOptions): Promise<void> {
    const body = withoutProgress(letter.body);
    await this.#database.run(
      (database) =>
        database
          .prepare(
            `INSERT INTO dead_letters (body, reason, detail, attempts, run_id, dead_lettered_at_ms)
             VALUES (?, ?, ?, ?, ?, ?)`,
          )
          .run(body, letter.reason, letter.detail, letter.attempts, letter.runId, this.#nowMs()),
      signal,
    );
  }

  async depth({ signal }: CallOptions): Promise<QueueDepth> {
    const row = await this.#database.run(
      (database) =>
        database
          .prepare(
            `SELECT count(*) FILTER (WHERE visible_at_ms <= :now) AS ready,
                    count(*) FILTER (WHERE visible_at_ms > :now AND handle IS NULL) AS delayed,
                    count(*) FILTER (WHERE visible_at_ms > :now AND handle IS NOT NULL) AS in_flight,
                    (SELECT count(*) FROM dead_letters) AS dead_letters,
                    min(visible_at_ms) FILTER (WHERE visible_at_ms > :now) AS next_due_at_ms
             FROM messages`,
          )
          .get({ now: this.#nowMs() }),
      signal,
    );
    const depth = v.parse(depthRow, row);
    return {
      ready: depth.ready,
      delayed: depth.delayed,
      inFlight: depth.in_flight,
      deadLetters: depth.dead_letters,
      nextDueAtMs: depth.next_due_at_ms ?? undefined,
    };
  }

  /** The oldest letters, oldest first. */
  async listDeadLetters({
    limit,
    signal,
  }: CallOptions & { readonly limit: number }): Promise<readonly HeldDeadLetter[]> {
    const rows = await this.#database.run(
      (database) =>
        database.prepare("SELECT * FROM dead_letters ORDER BY id LIMIT ?").all(Math.max(0, limit)),
      signal,
    );
    return rows.map(readDeadLetter);
  }

  /** One transaction for each letter: an interruption leaves every letter in exactly one of the two places. */
  async redrive(ids: readonly string[] | "all", { signal }: CallOptions): Promise<readonly HeldDeadLetter[]> {
    const wanted = await this.#rowsOf(ids, signal);
    const moved: HeldDeadLetter[] = [];
    for (const id of wanted) {
      const letter = await this.#database.run((database) => {
        const nowMs = this.#nowMs();
        return inTransaction(database, () => {
          const row = database.prepare("DELETE FROM dead_letters WHERE id = ? RETURNING *").get(id);
          if (row === undefined) {
            return undefined;
          }
          const held = readDeadLetter(row);
          database.prepare("INSERT INTO messages (body, visible_at_ms) VALUES (?, ?)").run(held.body, nowMs);
          return held;
        });
      }, signal);
      if (letter !== undefined) {
        moved.push(letter);
      }
    }
    return moved;
  }

  /** A letter that somebody else takes away meanwhile is not among those returned. */
  async dismiss(
    ids: readonly string[],
    note: (letter: HeldDeadLetter) => Promise<void>,
    { signal }: CallOptions,
  ): Promise<readonly HeldDeadLetter[]> {
    const dismissed: HeldDeadLetter[] = [];
    for (const id of await this.#rowsOf(ids, signal)) {
      const row = await this.#database.run(
        (database) => database.prepare("SELECT * FROM dead_letters WHERE id = ?").get(id),
        signal,
      );
      if (row === undefined) {
        continue;
      }
      const letter = readDeadLetter(row);
      await note(letter);
      const { changes } = await this.#database.run(
        (database) => database.prepare("DELETE FROM dead_letters WHERE id = ?").run(id),
        signal,
      );
      if (Number(changes) > 0) {
        dismissed.push(letter);
      }
    }
    return dismissed;
  }

  /** The rows of the letters that are named, oldest first. A number that is a letter's own id means that letter alone. */
  async #rowsOf(ids: readonly string[] | "all", signal: AbortSignal): Promise<readonly number[]> {
    return await this.#database.run((database) => {
      const hasRow = database.prepare("SELECT 1 FROM dead_letters WHERE id = ?");
      const named = ids === "all" ? [] : ids;
      const own = new Set(named.filter((id) => isRowId(id) && hasRow.get(Number(id)) !== undefined));
      const tasks = new Set(named.filter((id) => !own.has(id)));
      const rows: number[] = [];
      // One row at a time: bodies may be large.
      for (const row of database.prepare("SELECT id, body FROM dead_letters ORDER BY id").iterate()) {
        const { id, body } = v.parse(namedRow, row);
        if (ids === "all" || own.has(String(id)) || isNamedBy(tasks, { id: "", body })) {
          rows.push(id);
        }
      }
      return rows;
    }, signal);
  }

  #nowMs(): number {
    return Math.floor(this.#clock.wallMs());
  }
}

function readDeadLetter(row: unknown): HeldDeadLetter {
  const { id, body, reason, detail, attempts, run_id, dead_lettered_at_ms } = v.parse(deadLetterRow, row);
  return {
    id: String(id),
    body,
    reason,
    detail,
    attempts,
    runId: run_id,
    deadLetteredAtMs: dead_lettered_at_ms,
  };
}

function splitHandle(handle: string): readonly [id: number, nonce: string] {
  const [id = "", nonce = ""] = handle.split(".");
  return isRowId(id) ? [Number(id), nonce] : [-1, ""];
}

function isRowId(text: string): boolean {
  return /^[1-9]\d{0,14}$/.test(text);
}
