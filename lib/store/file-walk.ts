import type { Dirent, Stats } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";
import type { ListedObject } from "../ports/object-store.ts";
import type { OpenUpload } from "../ports/store-sweeper.ts";
import { errnoOf } from "./file-errors.ts";
import { folderOfPrefix, isFileName, isForeign, isObjectKey, objectNameOfUpload } from "./file-keys.ts";
import type { FileRoot } from "./file-root.ts";
import { removeIfPresent } from "./file-upload.ts";

interface Entry {
  /** Below the root, with `/` between names. */
  readonly key: string;
  readonly dirent: Dirent;
}

/** Every object below a prefix. What vanishes meanwhile is left out. */
export async function* listObjects(
  root: FileRoot,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ListedObject> {
  for await (const { key } of walk(root, prefix, signal)) {
    if (!isObjectKey(key) || !key.startsWith(prefix)) {
      continue;
    }
    const stat = await unlessVanished(lstat(join(root.folder, key)));
    if (stat !== undefined) {
      const oddity = oddityOf(stat);
      const sizeBytes = oddity === undefined ? stat.size : 0;
      const modifiedAtMs = Math.floor(stat.mtimeMs);
      yield { key, sizeBytes, modifiedAtMs, ...(oddity === undefined ? {} : { oddity }) };
    }
  }
}

/** What an entry is that is no file, after the words "the entry …". */
function oddityOf(stat: Stats): string | undefined {
  if (stat.isFile()) {
    return undefined;
  }
  if (stat.isSymbolicLink()) {
    return "is a symbolic link";
  }
  if (stat.isDirectory()) {
    return "is a directory";
  }
  if (stat.isFIFO()) {
    return "is a pipe";
  }
  return stat.isSocket() ? "is a socket" : "is a device";
}

/** The hidden file of every upload whose key begins with the prefix. Its name is the upload's id. */
export async function* listUploads(
  root: FileRoot,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<OpenUpload> {
  for await (const { key, dirent } of walk(root, prefix, signal)) {
    const objectName = objectNameOfUpload(dirent.name);
    if (objectName === undefined || !dirent.isFile()) {
      continue;
    }
    const objectKey = siblingKey(key, objectName);
    const stat = objectKey.startsWith(prefix)
      ? await unlessVanished(lstat(join(root.folder, key)))
      : undefined;
    if (stat !== undefined) {
      yield { key: objectKey, uploadId: dirent.name, initiatedAtMs: Math.floor(stat.mtimeMs) };
    }
  }
}

/** Removes the hidden file of one upload; returns whether it was there. */
export async function removeUpload(root: FileRoot, key: string, uploadId: string): Promise<boolean> {
  const isOfKey = objectNameOfUpload(uploadId) === key.slice(key.lastIndexOf("/") + 1);
  return isOfKey && (await removeIfPresent(join(root.folder, siblingKey(key, uploadId))));
}

/** The key of another name in the same folder. */
function siblingKey(key: string, name: string): string {
  return key.slice(0, key.lastIndexOf("/") + 1) + name;
}

/**
 * Everything but folders, in and below the deepest folder of the prefix; hidden folders are not ours. A folder that is
 * named like a file is an entry, too.
 */
async function* walk(root: FileRoot, prefix: string, signal: AbortSignal): AsyncGenerator<Entry> {
  signal.throwIfAborted();
  const pending = [folderOfPrefix(root.folder, prefix)];
  await root.assertPresent();
  await root.assertWithin(join(root.folder, pending[0] ?? ""));
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const directory = await unlessVanished(opendir(join(root.folder, folder)));
    if (directory === undefined) {
      continue;
    }
    for await (const dirent of directory) {
      signal.throwIfAborted();
      const key = folder === "" ? dirent.name : `${folder}/${dirent.name}`;
      if (!dirent.isDirectory()) {
        if (!isForeign(key)) {
          yield { key, dirent };
        }
      } else if (isObjectKey(key) && key.startsWith(prefix)) {
        pending.push(key);
        if (isFileName(key)) {
          yield { key, dirent };
        }
      }
    }
  }
}

async function unlessVanished<Result>(call: Promise<Result>): Promise<Result | undefined> {
  try {
    return await call;
  } catch (thrown) {
    // ENOTDIR: a name in the prefix is an object, below which there is nothing.
    const errno = errnoOf(thrown);
    if (errno === "ENOENT" || errno === "ENOTDIR") {
      return undefined;
    }
    throw thrown;
  }
}
