import { join } from "node:path";
import { fileError, INVALID_KEY } from "./file-errors.ts";

/** The lock of all document writes; a SQLite file. Never opened as a file: closing it would drop the lock. */
export const LOCK_KEY = "state/lock.db";

/**
 * Where every document is written before it takes its place. One name is enough: only the holder of the
 * lock writes, and what a dead holder left is removed by the next.
 */
export const DRAFT_KEY = "state/.document";

/** What SQLite and `mkfs` put beside our objects; none of it is one. */
const FOREIGN_KEYS: ReadonlySet<string> = new Set([
  LOCK_KEY,
  `${LOCK_KEY}-journal`,
  `${LOCK_KEY}-wal`,
  `${LOCK_KEY}-shm`,
  "lost+found",
]);

const UPLOAD_NAME = /^\.(.+)\.[0-9a-f]{12}\.upload$/s;

/**
 * Whether the key can be an object's. Hidden names are the store's own: uploads under way live there.
 */
export function isObjectKey(key: string): boolean {
  return isPlainPath(key) && key.split("/").every((name) => name !== "" && !name.startsWith("."));
}

/** Whether a key ends like a file of ours; no folder of ours does. */
export function isFileName(key: string): boolean {
  return /\.(?:json|zip)$/.test(key);
}

function isPlainPath(key: string): boolean {
  return !key.includes("\0") && !key.includes("\\") && !isForeign(key);
}

/** Whether the path below the root is something that other programs put there. */
export function isForeign(key: string): boolean {
  return FOREIGN_KEYS.has(key) || key.startsWith("lost+found/");
}

/**
 * The path of an object.
 *
 * @throws StoreError `store-misconfigured` for a key that would leave the root or name no object.
 */
export function objectPath(rootFolder: string, key: string): string {
  if (!isObjectKey(key)) {
    throw fileError(INVALID_KEY, rootFolder);
  }
  return join(rootFolder, key);
}

/**
 * The deepest folder that holds every key with this prefix, as a path below the root without slashes at its ends.
 *
 * @throws StoreError `store-misconfigured` for a prefix that no key can have.
 */
export function folderOfPrefix(rootFolder: string, prefix: string): string {
  const folder = prefix.slice(0, Math.max(0, prefix.lastIndexOf("/")));
  const lastName = prefix.slice(prefix.lastIndexOf("/") + 1);
  const isValid =
    !prefix.startsWith("/") &&
    (folder === "" || isObjectKey(folder)) &&
    (lastName === "" || isObjectKey(lastName));
  if (!isValid) {
    throw fileError(INVALID_KEY, rootFolder);
  }
  return folder;
}

/** The hidden name under which an object is written before it is complete. */
export function uploadName(objectName: string, nonceHex12: string): string {
  return `.${objectName}.${nonceHex12}.upload`;
}

/** What is wrong with a name that no object and no folder of ours has, after the words "the entry …". */
export function oddNameOf(name: string): string | undefined {
  if (name.startsWith(".")) {
    return "has a hidden name";
  }
  if (name.includes("\\")) {
    return "has a backslash in its name";
  }
  // What Node shows for bytes that it cannot decode.
  return name.includes("\ufffd") ? "has a name that is not UTF-8" : undefined;
}

/** Whether what stands at this key is one of the store's own hidden files: an upload under way, or a draft. */
export function isTemporaryFile(key: string, isFile: boolean): boolean {
  const objectName = objectNameOfUpload(key.slice(key.lastIndexOf("/") + 1));
  const isUpload = objectName !== undefined && oddNameOf(objectName) === undefined;
  return isFile && (isUpload || key === DRAFT_KEY);
}

/** The name of the object that a hidden file was to become, or `undefined` when it is not an upload. */
export function objectNameOfUpload(fileName: string): string | undefined {
  return UPLOAD_NAME.exec(fileName)?.[1];
}
