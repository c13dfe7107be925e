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
