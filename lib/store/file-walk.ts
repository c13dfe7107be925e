import type { Dirent, Stats } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";
import { unless } from "../domain/promises.ts";
import { isMissing } from "../files/errno.ts";
import type { ListedObject } from "../ports/object-store.ts";
import type { OpenUpload } from "../ports/store-sweeper.ts";
import {
  folderOfPrefix,
  isFileName,
  isForeign,
  isTemporaryFile,
  objectNameOfUpload,
  oddNameOf,
} from "./file-keys.ts";
import { type FileRoot, removeIfPresent } from "./file-root.ts";

interface Entry {
  /** Below the root, with `/` between names. */
  readonly key: string;
  readonly dirent: Dirent;
}

/** Every object below a prefix, and what is odd there. What vanishes meanwhile is left out. */
export async function* listObjects(
  root: FileRoot,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ListedObject> {
  signal.throwIfAborted();
  const instead = await insteadOfFolder(root, folderOfPrefix(root.folder, prefix));
  if (instead !== undefined) {
    yield* instead;
    return;
  }
  for await (const { key, dirent } of walk(root, prefix, signal)) {
    if (!key.startsWith(prefix) || isTemporaryFile(key, dirent.isFile())) {
      continue;
    }
    const oddName = oddNameOf(dirent.name);
    if (oddName !== undefined) {
      // Not looked at: the path of a name that is not UTF-8 is not known.
      yield { key, sizeBytes: 0, modifiedAtMs: 0, oddity: oddName };
      continue;
    }
    const stat = await unless(isMissing, lstat(join(root.folder, key)), undefined);
    if (stat !== undefined) {
      const oddity = oddityOf(stat);
      const sizeBytes = oddity === undefined ? stat.size : 0;
      const modifiedAtMs = Math.floor(stat.mtimeMs);
      yield { key, sizeBytes, modifiedAtMs, ...(oddity === undefined ? {} : { oddity }) };
    }
  }
}

/**
 * What a list shows where the folder is not there, or something else stands in its place or in that of one above it:
 * somebody may have meant something by it, and a file `holds` is not the same as no holds. `undefined` for a folder.
 */
async function insteadOfFolder(root: FileRoot, folder: string): Promise<readonly ListedObject[] | undefined> {
  await root.assertPresent();
  // A link that leads somewhere fails here, as it does for every other call.
  await root.assertWithin(join(root.folder, folder));
  const names = folder === "" ? [] : folder.split("/");
  for (const index of names.keys()) {
    const key = names.slice(0, index + 1).join("/");
    const stat = await unless(isMissing, lstat(join(root.folder, key)), undefined);
    if (stat === undefined) {
      // An unmounted disk has every folder missing.
      await root.assertPresent();
      return [];
    }
    if (stat.isFile() && isFileName(key)) {
      // An object of ours: below it is nothing, as in every other store.
      return [];
    }
    if (!stat.isDirectory()) {
      const oddity = `${oddityOf(stat) ?? "is a file"} where a folder belongs`;
      return [{ key, sizeBytes: 0, modifiedAtMs: Math.floor(stat.mtimeMs), oddity }];
    }
  }
  return undefined;
}

/** What an entry is that is not a file, after the words "the entry …". */
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
  if ((await insteadOfFolder(root, folderOfPrefix(root.folder, prefix))) !== undefined) {
    return;
  }
  for await (const { key, dirent } of walk(root, prefix, signal)) {
    const objectName = objectNameOfUpload(dirent.name);
    if (objectName === undefined || !dirent.isFile()) {
      continue;
    }
    const objectKey = siblingKey(key, objectName);
    const stat = objectKey.startsWith(prefix)
      ? await unless(isMissing, lstat(join(root.folder, key)), undefined)
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
 * Everything but folders, in and below the deepest folder of the prefix, which is a folder. A folder that is named like a file is an
 * entry, too. So is one with a name that no folder of ours has; nothing in it is looked at.
 */
async function* walk(root: FileRoot, prefix: string, signal: AbortSignal): AsyncGenerator<Entry> {
  const pending = [folderOfPrefix(root.folder, prefix)];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const directory = await unless(isMissing, opendir(join(root.folder, folder)), undefined);
    if (directory === undefined) {
      continue;
    }
    for await (const dirent of directory) {
      signal.throwIfAborted();
      const key = folder === "" ? dirent.name : `${folder}/${dirent.name}`;
      if (isForeign(key)) {
        continue;
      }
      const isOurs = dirent.isDirectory() && oddNameOf(dirent.name) === undefined;
      if (isOurs && key.startsWith(prefix)) {
        pending.push(key);
      }
      if (!isOurs || isFileName(key)) {
        yield { key, dirent };
      }
    }
  }
}
