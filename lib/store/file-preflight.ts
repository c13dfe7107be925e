import { opendir } from "node:fs/promises";
import { join } from "node:path";
import { unless } from "../domain/promises.ts";
import {
  type ObjectStore,
  type StoreAbilities,
  type StoredObject,
  StoreError,
} from "../ports/object-store.ts";
import { underLock } from "./file-documents.ts";
import { type FileRoot, removeIfPresent } from "./file-root.ts";
import { KEY_TAKEN, MISCONFIGURED } from "./store-errors.ts";

const PROBE_FOLDER = "state";
const PROBE_FILE = /^(?:preflight-[0-9a-f]{12}|\.preflight-[0-9a-f]{12}\.[0-9a-f]{12}\.upload)$/;

/** What every folder that passes the preflight can do. */
export const FOLDER_ABILITIES: StoreAbilities = {
  createOnce: true,
  compareAndSwap: true,
  verification: "read-back",
};

type ProbedStore = Pick<ObjectStore, "openUpload" | "head" | "read" | "list">;

/**
 * Does once what archiving does all the time: makes folders, writes, links, refuses to link again, reads,
 * lists, removes. Under the lock, so that what an earlier probe left is known to be dead.
 *
 * @throws StoreError of the first step that fails.
 */
export async function probeFileStore(
  store: ProbedStore,
  root: FileRoot,
  signal: AbortSignal,
): Promise<StoreAbilities> {
  await root.create();
  await root.assertSpaceFor(0n);
  const probe = async () => {
    try {
      await exercise(store, `${PROBE_FOLDER}/preflight-${root.random.hex(6)}`, signal);
    } finally {
      await removeProbeFiles(root);
    }
    return FOLDER_ABILITIES;
  };
  return await underLock(root, probe, signal);
}

async function exercise(store: ProbedStore, key: string, signal: AbortSignal): Promise<void> {
  const body = Buffer.from(key);
  const stored = await writeProbe(store, key, body, signal);
  const isKeyTaken = (thrown: unknown) => thrown instanceof StoreError && thrown.code === KEY_TAKEN.code;
  const second = await unless(isKeyTaken, writeProbe(store, key, body, signal), undefined);
  demand(second === undefined, "it lets an object be replaced");
  demand(
    (await store.head(key, { signal }))?.etag === stored.etag,
    "it shows a different file from the one that was written",
  );
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(key, { signal })) {
    chunks.push(chunk);
  }
  demand(Buffer.concat(chunks).equals(body), "it returns different bytes from those written");
  const listed: string[] = [];
  for await (const object of store.list(key, { signal })) {
    listed.push(object.key);
  }
  demand(listed.length === 1 && listed[0] === key, "it does not list the file that was written");
}

async function writeProbe(
  store: ProbedStore,
  key: string,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<StoredObject> {
  const upload = await store.openUpload(key, { metadata: {}, expectedSizeBytes: 0, signal });
  try {
    await upload.write(body);
    return await upload.complete({ sizeBytes: body.length, sha256: "" });
  } finally {
    await upload.abort();
  }
}

function demand(holds: boolean, problem: string): void {
  if (!holds) {
    throw new StoreError({
      ...MISCONFIGURED,
      problem: `the store cannot work on this file system: ${problem}`,
      hint: "Keep the store on a local file system such as ext4, XFS or Btrfs.",
    });
  }
}

async function removeProbeFiles(root: FileRoot): Promise<void> {
  const folder = join(root.folder, PROBE_FOLDER);
  for await (const { name } of await opendir(folder)) {
    if (PROBE_FILE.test(name)) {
      await removeIfPresent(join(folder, name));
    }
  }
}
