import { createHash } from "node:crypto";
import type { ObjectStore, StoreAbilities, StoredObject, Upload } from "../../lib/ports/object-store.ts";

export interface StoreUnderTest {
  readonly store: ObjectStore;
  /** The same store, as another runner sees it. */
  readonly other: ObjectStore;
  /** What time it is for the store; the real one by default. */
  nowMs?(): number;
  close(): Promise<void>;
}

/** What not every store can promise. */
export interface StoreTraits {
  readonly abilities: StoreAbilities;
  /** A second upload to a key that is taken is refused. */
  readonly exclusiveKeys: boolean;
}

export const FILE_STORE_TRAITS: StoreTraits = {
  abilities: { createOnce: true, compareAndSwap: true, verification: "read-back" },
  exclusiveKeys: true,
};

const { signal } = new AbortController();

/** The key of an export, as the layout has it (architecture §6.3). */
export const FOLDER = "exports/project/default/2026/11/22/task-1/";
export const KEY = `${FOLDER}fe8e44f7-0a1b2c.zip`;

export async function begin(store: ObjectStore, key: string, uploadSignal = signal): Promise<Upload> {
  const metadata = { "export-task-id": "task-1" };
  return await store.openUpload(key, { metadata, expectedSizeBytes: undefined, signal: uploadSignal });
}

export async function put(store: ObjectStore, key: string, body: Uint8Array): Promise<StoredObject> {
  const upload = await begin(store, key);
  for (let start = 0; start < body.length; start += 65_536) {
    await upload.write(body.subarray(start, start + 65_536));
  }
  return await upload.complete({ sizeBytes: body.length, sha256: sha256Of(body) });
}

export async function readAll(
  store: ObjectStore,
  key: string,
  range?: { readonly startByte: number; readonly endByteExclusive: number },
): Promise<Buffer> {
  return Buffer.concat(await collect(store.read(key, range === undefined ? { signal } : { signal, range })));
}

export async function keysBelow(store: ObjectStore, prefix: string): Promise<readonly string[]> {
  const listed = await collect(store.list(prefix, { signal }));
  return listed.map(({ key }) => key).toSorted();
}

/** Bytes in which no two places look alike, the same for each call. */
export function bytesOf(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let index = 0; index < sizeBytes; index += 1) {
    bytes[index] = (index * 31 + (index >> 8) * 17 + (index >> 16)) & 0xff;
  }
  return bytes;
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Everything an iterable gives, in one array. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) {
    collected.push(item);
  }
  return collected;
}
