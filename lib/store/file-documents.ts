import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { link, open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errnoOf } from "../files/errno.ts";
import { FILE_MODE } from "../files/own-files.ts";
import { MAX_DOCUMENT_BYTES, type StoredDocument, type WriteCondition } from "../ports/object-store.ts";
import { documentBytes, documentText } from "./document-text.ts";
import { DRAFT_KEY, isFileName, objectPath } from "./file-keys.ts";
import type { FileLock } from "./file-lock.ts";
import { etagOf, openObject, statEntry } from "./file-objects.ts";
import type { FileRoot } from "./file-root.ts";
import { removeIfPresent } from "./file-upload.ts";

/** The small JSON documents of a file store. Its etag is the content's: a document rewritten alike keeps it. */
export class FileDocuments {
  readonly #root: FileRoot;
  readonly #lock: FileLock;

  constructor(root: FileRoot, lock: FileLock) {
    this.#root = root;
    this.#lock = lock;
  }

  /** Needs no lock: a document is replaced whole, never changed in place. */
  async get(key: string): Promise<StoredDocument | undefined> {
    const handle = await openObject(this.#root, key);
    if (handle === undefined) {
      return await this.#oddDocument(key);
    }
    try {
      const stat = await handle.stat({ bigint: true });
      await this.#root.makeDurable(objectPath(this.#root.folder, key), stat);
      if (stat.size > MAX_DOCUMENT_BYTES) {
        return { text: undefined, etag: etagOf(stat) };
      }
      const bytes = await handle.readFile();
      return { text: documentText(bytes), etag: etagOfContent(bytes) };
    } finally {
      await handle.close();
    }
  }

  /** What is not a file but stands at a document's key is a document that nobody can read: it is not absent. */
  async #oddDocument(key: string): Promise<StoredDocument | undefined> {
    const stat = await statEntry(this.#root, key);
    const isOdd = stat !== undefined && (!stat.isDirectory() || isFileName(key));
    return isOdd ? { text: undefined, etag: `odd-${etagOf(stat)}` } : undefined;
  }

  async put(
    key: string,
    text: string,
    condition: WriteCondition,
    signal: AbortSignal,
  ): Promise<{ readonly etag: string } | "conflict"> {
    const path = objectPath(this.#root.folder, key);
    const bytes = documentBytes(key, text);
    return await this.#lock.hold(async () => {
      if (!(await this.#holds(condition, key))) {
        return "conflict";
      }
      await this.#root.makeFolder(dirname(path));
      const draftPath = join(this.#root.folder, DRAFT_KEY);
      try {
        await writeDraft(draftPath, bytes);
        signal.throwIfAborted();
        if (!(await moveIntoPlace(draftPath, path, condition))) {
          return "conflict";
        }
      } finally {
        await removeIfPresent(draftPath);
      }
      await this.#root.syncDownTo(dirname(path));
      return { etag: etagOfContent(bytes) };
    }, signal);
  }

  async #holds(condition: WriteCondition, key: string): Promise<boolean> {
    switch (condition.kind) {
      case "always":
        return true;
      case "if-absent":
        return (await statEntry(this.#root, key)) === undefined;
      case "if-match":
        return (await this.get(key))?.etag === condition.etag;
    }
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
  try {
    await link(draftPath, path);
    return true;
  } catch (thrown) {
    if (errnoOf(thrown) === "EEXIST") {
      return false;
    }
    throw thrown;
  }
}

function etagOfContent(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}
