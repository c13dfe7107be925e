import { chmodSync, closeSync, lstatSync, openSync } from "node:fs";

/** Read and write for the owner, read for the group (backup programs). The umask still takes its share. */
export const FILE_MODE = 0o640;
/** The same for folders. */
export const FOLDER_MODE = 0o750;

const EVERYBODY = 0o007;

/** What SQLite puts beside a database; each takes the mode of the database. */
const SQLITE_FILES = ["", "-wal", "-shm", "-journal"];

/**
 * Makes the file of a database that SQLite is about to open, with {@link FILE_MODE}, and takes away what everybody may
 * do with one that is there: SQLite itself asks for a file that everybody can read. Nothing is thrown: what stands in
 * the way here stands in SQLite's way too, which says so in its own codes.
 */
export function makeDatabaseFile(path: string): void {
  try {
    // Only a new file is made here, and closed before anything else happens in this process: closing a file drops the locks that
    // the process has on it, those of SQLite too.
    closeSync(openSync(path, "wx", FILE_MODE));
  } catch {
    for (const ending of SQLITE_FILES) {
      closeToEverybody(`${path}${ending}`);
    }
  }
}

function closeToEverybody(path: string): void {
  try {
    const about = lstatSync(path, { throwIfNoEntry: false });
    if (about?.isFile() === true && (about.mode & EVERYBODY) !== 0) {
      chmodSync(path, about.mode & ~EVERYBODY & 0o777);
    }
  } catch {
    // Only its owner may change a file's mode: whoever else works with it leaves it as it is.
  }
}
