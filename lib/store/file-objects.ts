import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, lstat, open } from "node:fs/promises";
import { dirname } from "node:path";
import { unless } from "../domain/promises.ts";
import { hasErrno } from "../files/errno.ts";
import { type ObjectInfo, type ReadOptions, StoreError } from "../ports/object-store.ts";
import { objectPath } from "./file-keys.ts";
import type { FileRoot } from "./file-root.ts";
import { OBJECT_GONE } from "./store-errors.ts";

const READ_CHUNK_BYTES = 256 * 1024;

/** No symbolic link is followed, and a pipe in an object's place cannot make `open` wait for ever. */
const OPEN_FOR_READING = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Inode, size and time of change of the content: any other file at the same path has another one. */
export function etagOf(stat: BigIntStats): string {
  return [stat.ino, stat.size, stat.mtimeNs].map((value) => value.toString(16)).join("-");
}

/** The file's facts, or `undefined` when there is none: a folder, link or pipe is not an object. */
export async function statObject(root: FileRoot, key: string): Promise<BigIntStats | undefined> {
  const stat = await statEntry(root, key);
  return stat?.isFile() === true ? stat : undefined;
}

/** The facts of whatever stands at a key. */
export async function statEntry(root: FileRoot, key: string): Promise<BigIntStats | undefined> {
  const path = objectPath(root.folder, key);
  await root.assertWithin(dirname(path));
  return await presentIn(root, lstat(path, { bigint: true }));
}

/** What HEAD shows of a file. */
export async function headObject(root: FileRoot, key: string): Promise<ObjectInfo | undefined> {
  const stat = await statObject(root, key);
  if (stat === undefined) {
    return undefined;
  }
  await root.makeDurable(objectPath(root.folder, key), stat);
  return { sizeBytes: Number(stat.size), etag: etagOf(stat) };
}

/** Opens an object for reading, or gives `undefined` when there is none. The caller closes the handle. */
export async function openObject(root: FileRoot, key: string): Promise<FileHandle | undefined> {
  // Looked at first: opening a device may do something.
  if ((await statObject(root, key)) === undefined) {
    return undefined;
  }
  const opening = open(objectPath(root.folder, key), OPEN_FOR_READING);
  // ELOOP, ENXIO: a link or a pipe came in its place just now.
  const handle = await presentIn(root, unless(hasErrno("ELOOP", "ENXIO"), opening, undefined));
  let isFile = false;
  try {
    isFile = (await handle?.stat())?.isFile() === true;
  } finally {
    if (!isFile) {
      await handle?.close();
    }
  }
  return isFile ? handle : undefined;
}

/** Missing is an answer only while the root is there: an unmounted disk has every object missing. */
async function presentIn<Found>(root: FileRoot, call: Promise<Found>): Promise<Found | undefined> {
  // ENOTDIR: a parent in the key is an object itself, so that this key can be none.
  const found = await unless(hasErrno("ENOENT", "ENOTDIR"), call, undefined);
  if (found === undefined) {
    await root.assertPresent();
  }
  return found;
}

/** The bytes of an object, in fresh buffers; the file is closed when the reader stops early. */
export async function* readObject(
  root: FileRoot,
  key: string,
  options: ReadOptions,
): AsyncGenerator<Uint8Array> {
  const { signal, range } = options;
  signal.throwIfAborted();
  const handle = await openObject(root, key);
  if (handle === undefined) {
    throw new StoreError(OBJECT_GONE, key);
  }
  try {
    let position = range?.startByte ?? 0;
    const end = range?.endByteExclusive ?? Number.POSITIVE_INFINITY;
    while (position < end) {
      signal.throwIfAborted();
      const chunk = Buffer.allocUnsafeSlow(Math.min(READ_CHUNK_BYTES, end - position));
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
      if (bytesRead === 0) {
        return;
      }
      position += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
