import type { Dirent, Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { allEnded, unless } from "../domain/promises.ts";
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
  /** `undefined` for what was not looked at, and for what vanished meanwhile. */
  readonly stat: Stats | undefined;
}

/** Which entries a walk looks at. */
type LooksAt = (key: string, dirent: Dirent) => boolean;

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
  const isListed: LooksAt = (key, dirent) => key.startsWith(prefix) && !isTemporaryFile(key, dirent.isFile());
  // The path of a name that is not UTF-8 is not known.
  const looksAt: LooksAt = (key, dirent) => isListed(key, dirent) && oddNameOf(dirent.name) === undefined;
  for await (const { key, dirent, stat } of walk(root, prefix, looksAt, signal)) {
    if (!isListed(key, dirent)) {
      continue;
    }
    const oddName = oddNameOf(dirent.name);
    if (oddName !== undefined) {
      yield { key, sizeBytes: 0, modifiedAtMs: 0, oddity: oddName };
    } else if (stat !== undefined) {
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
  const looksAt: LooksAt = (key, dirent) => objectKeyOfUpload(key, dirent)?.startsWith(prefix) === true;
  for await (const { key, dirent, stat } of walk(root, prefix, looksAt, signal)) {
    const objectKey = objectKeyOfUpload(key, dirent);
    if (objectKey !== undefined && stat !== undefined) {
      yield { key: objectKey, uploadId: dirent.name, initiatedAtMs: Math.floor(stat.mtimeMs) };
    }
  }
}

/** The key that an upload's hidden file is for. */
function objectKeyOfUpload(key: string, dirent: Dirent): string | undefined {
  const objectName = dirent.isFile() ? objectNameOfUpload(dirent.name) : undefined;
  return objectName === undefined ? undefined : siblingKey(key, objectName);
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

/** This many folders are read ahead: a walk waits for the disk in most of its time. */
const FOLDERS_AHEAD = 16;

/** A folder that a walk comes to, and its content once it is being read. */
interface PendingFolder {
  readonly path: string;
  content?: Promise<FolderContent>;
}

interface FolderContent {
  readonly entries: readonly Entry[];
  readonly folders: readonly PendingFolder[];
}

/**
 * Everything but folders, in and below the deepest folder of the prefix, which is a folder. A folder that is named like a file is an
 * entry, too. So is one with a name that no folder of ours has; nothing in it is looked at.
 */
async function* walk(
  root: FileRoot,
  prefix: string,
  looksAt: LooksAt,
  signal: AbortSignal,
): AsyncGenerator<Entry> {
  const pending: PendingFolder[] = [{ path: folderOfPrefix(root.folder, prefix) }];
  while (pending.length > 0) {
    signal.throwIfAborted();
    for (const folder of pending.slice(-FOLDERS_AHEAD)) {
      folder.content ??= readAhead(root, prefix, looksAt, folder.path);
    }
    const content = await pending.pop()?.content;
    yield* content?.entries ?? [];
    // The folders of all tasks stand in one folder: more than a call takes as arguments.
    for (const folder of content?.folders ?? []) {
      pending.push(folder);
    }
  }
}

/** Reads a folder. A failure waits for the walk to come to it; a walk that ends before has no use for it. */
function readAhead(root: FileRoot, prefix: string, looksAt: LooksAt, folder: string): Promise<FolderContent> {
  const content = readFolder(root, prefix, looksAt, folder);
  content.catch(() => undefined);
  return content;
}

async function readFolder(
  root: FileRoot,
  prefix: string,
  looksAt: LooksAt,
  folder: string,
): Promise<FolderContent> {
  const dirents = await unless(isMissing, readdir(join(root.folder, folder), { withFileTypes: true }), []);
  const found = dirents
    .map((dirent) => ({ dirent, key: folder === "" ? dirent.name : `${folder}/${dirent.name}` }))
    .filter(({ key }) => !isForeign(key));
  const isOurFolder = ({ dirent }: { dirent: Dirent }) =>
    dirent.isDirectory() && oddNameOf(dirent.name) === undefined;
  const entries = found
    .filter((one) => !isOurFolder(one) || isFileName(one.key))
    .map(async ({ key, dirent }) => {
      const stat = looksAt(key, dirent)
        ? await unless(isMissing, lstat(join(root.folder, key)), undefined)
        : undefined;
      return { key, dirent, stat };
    });
  const folders = found.filter((one) => isOurFolder(one) && one.key.startsWith(prefix));
  return { entries: await allEnded(entries), folders: folders.map(({ key }) => ({ path: key })) };
}
