import type { Clock, Random } from "../ports/clock.ts";

/** What an error of SQLite means to whoever shares the file with other programs. */
export type SqliteTrouble = "busy" | "forbidden" | "full" | "damaged" | "other";

/** By primary result code (sqlite.org/rescode.html). */
const TROUBLES: Readonly<Record<number, SqliteTrouble>> = {
  1: "damaged", // ERROR: a table is missing or of another shape
  3: "forbidden", // PERM
  5: "busy", // BUSY: another connection holds the lock just now
  6: "busy", // LOCKED
  8: "forbidden", // READONLY
  11: "damaged", // CORRUPT
  13: "full", // FULL
  14: "forbidden", // CANTOPEN
  23: "forbidden", // AUTH
  26: "damaged", // NOTADB
};

/** IOERR_SHMSIZE: the shared index of the write-ahead log could not grow, which a full disk does (seen on tmpfs). */
const IOERR_SHMSIZE = 4874;

/** What an error of node:sqlite means, or `undefined` for every other thrown thing. */
export function sqliteTroubleOf(thrown: unknown): SqliteTrouble | undefined {
  const isSqliteError = thrown instanceof Error && "code" in thrown && thrown.code === "ERR_SQLITE_ERROR";
  if (!isSqliteError || !("errcode" in thrown) || typeof thrown.errcode !== "number") {
    return undefined;
  }
  return thrown.errcode === IOERR_SHMSIZE ? "full" : (TROUBLES[thrown.errcode & 0xff] ?? "other");
}

/** How long one call waits, in all, for other connections to let go of a file. A holder needs milliseconds. */
const BUSY_LIMIT_MS = 10_000;
const BUSY_PAUSE_MIN_MS = 2;
const BUSY_PAUSE_MAX_MS = 40;

/**
 * Runs a short operation, again and again while another connection holds the lock.
 *
 * @throws what the operation throws; that the file is busy only after ten seconds. Rejects with the signal's reason.
 */
export async function whileBusy<Result>(
  operation: () => Result,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  signal?: AbortSignal,
): Promise<Result> {
  const deadlineMs = clock.monotonicMs() + BUSY_LIMIT_MS;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return operation();
    } catch (thrown) {
      if (sqliteTroubleOf(thrown) !== "busy" || clock.monotonicMs() >= deadlineMs) {
        throw thrown;
      }
    }
    // Asleep here, not in SQLite's busy handler: that would stop the event loop and every transfer with it.
    const pauseMs = BUSY_PAUSE_MIN_MS + random.fraction() * (BUSY_PAUSE_MAX_MS - BUSY_PAUSE_MIN_MS);
    await clock.sleep(pauseMs, signal);
  }
}
