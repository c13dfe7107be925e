import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { link, open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { unless } from "../domain/promises.ts";
import { hasErrno } from "../files/errno.ts";
import { FILE_MODE, makeDatabaseFile } from "../files/own-files.ts";
import { whileBusy } from "../files/sqlite.ts";
import { MAX_DOCUMENT_BYTES, type StoredDocument, type WriteCondition } from "../ports/object-store.ts";
import { documentBytes, documentText } from "./document-text.ts";
import { toLockError } from "./file-errors.ts";
import { DRAFT_KEY, isFileName, LOCK_KEY, objectPath } from "./file-keys.ts";
import { etagOf, openObject, statEntry } from "./file-objects.ts";
import { type FileRoot, removeIfPresent } from "./file-root.ts";

/** Reads a small JSON document. Needs no lock: a document is replaced whole, never changed in place. */
export async function getDocument(root: FileRoot, key: string): Promise<StoredDocument | undefined> {
  const handle = await openObject(root, key);
  if (handle === undefined) {
    return await oddDocument(root, key);
  }
  try {
    const stat = await handle.stat({ bigint: true });
    await root.makeDurable(objectPath(root.folder, key), stat);
    if (stat.size > MAX_DOCUMENT_BYTES) {
      return { text: undefined, etag: etagOf(stat) };
    }
    const bytes = await handle.readFile();
    return { text: documentText(bytes), etag: etagOfContent(bytes) };
  } finally {
    await handle.close();
  }
}

/** What is not a file but stands at a document's key is an unreadable document: it is not absent. */
async function oddDocument(root: FileRoot, key: string): Promise<StoredDocument | undefined> {
  const stat = await statEntry(root, key);
  const isOdd = stat !== undefined && (!stat.isDirectory() || isFileName(key));
  return isOdd ? { text: undefined, etag: `odd-${etagOf(stat)}` } : undefined;
}

/** Writes a small JSON document. Its etag is the content's: a document rewritten alike keeps it. */
export async function putDocument(
  root: FileRoot,
  key: string,
  text: string,
  condition: WriteCondition,
  signal: AbortSignal,
): Promise<{ readonly etag: string } | "conflict"> {
  const path = objectPath(root.folder, key);
  const bytes = documentBytes(key, text);
  const write = async () => {
    if (!(await holds(root, condition, key))) {
      return "conflict";
    }
    await root.makeFolder(dirname(path));
    const draftPath = join(root.folder, DRAFT_KEY);
    try {
      await writeDraft(draftPath, bytes);
      signal.throwIfAborted();
      if (!(await moveIntoPlace(draftPath, path, condition))) {
        return "conflict";
      }
    } finally {
      await removeIfPresent(draftPath);
    }
    await root.syncDownTo(dirname(path));
    return { etag: etagOfContent(bytes) };
  };
  return await underLock(root, write, signal);
}

async function holds(root: FileRoot, condition: WriteCondition, key: string): Promise<boolean> {
  switch (condition.kind) {
    case "always":
      return true;
    case "if-absent":
      return (await statEntry(root, key)) === undefined;
    case "if-match":
      return (await getDocument(root, key))?.etag === condition.etag;
  }
}

async function writeDraft(draftPath: string, bytes: Uint8Array): Promise<void> {
  // Removed, not truncated: after a crash between link and unlink it still is the document it became.
  await removeIfPresent(draftPath);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(draftPath, flags, FILE_MODE);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** @returns false when the key turned out to be taken: `link` is exclusive even against programs without the lock. */
async function moveIntoPlace(draftPath: string, path: string, condition: WriteCondition): Promise<boolean> {
  if (condition.kind !== "if-absent") {
    await rename(draftPath, path);
    return true;
  }
  const linked = link(draftPath, path).then(() => true);
  return await unless(hasErrno("EEXIST"), linked, false);
}

function etagOfContent(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

/**
 * Runs an operation while no other process that shares the store holds its lock, a write transaction on an empty
 * SQLite file. The system releases it when its holder dies, however it dies: no process has to clean up, or to guess
 * from a time stamp. Not reentrant.
 *
 * @throws StoreError `store-unavailable` when the lock was not to be had for ten seconds. Rejects with the
 * signal's reason when it is aborted while waiting.
 */
export async function underLock<Result>(
  root: FileRoot,
  operation: () => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  signal.throwIfAborted();
  const path = join(root.folder, LOCK_KEY);
  await root.makeFolder(dirname(path));
  const database = await lockedDatabase(root, path, signal);
  try {
    return await operation();
  } finally {
    // Closing ends the transaction, which never wrote anything.
    database.close();
  }
}

/** A connection for each holder: two of one process then exclude each other as two processes do. */
async function lockedDatabase(root: FileRoot, path: string, signal: AbortSignal): Promise<DatabaseSync> {
  // A static import would fail on an old Node before the program can say which version it needs.
  const { DatabaseSync } = await import("node:sqlite");
  makeDatabaseFile(path);
  let database: DatabaseSync | undefined;
  try {
    const opened = new DatabaseSync(path);
    database = opened;
    // No journal file: nothing is ever written, and a full disk must not keep anybody from locking.
    await whileBusy(() => opened.exec("PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE"), root, signal);
    return opened;
  } catch (thrown) {
    database?.close();
    throw toLockError(thrown, root.folder);
  }
}
