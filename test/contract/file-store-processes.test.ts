import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { FileStore } from "../../lib/store/file-store.ts";
import { patientClock, realRandom } from "./clocks.ts";
import { FOLDER, KEY, keysBelow, put, readAll } from "./store-helpers.ts";
import { temporaryFolder } from "./temp-folder.ts";
import { startWorker } from "./worker-process.ts";

const { signal } = new AbortController();

async function openStore(): Promise<{ store: FileStore; folder: string }> {
  const folder = await temporaryFolder();
  const store = new FileStore(folder, { clock: patientClock, random: realRandom });
  await store.preflight({ signal });
  return { store, folder };
}

describe("the file store shared by real processes", () => {
  test("compare-and-swap from two processes loses no increment", async () => {
    const { store, folder } = await openStore();
    const workers = [1, 2].map(() => startWorker("store-worker.ts", folder, "increment", "100"));
    await Promise.all(workers.map((worker) => worker.remainingLines()));
    expect((await store.getDocument("state/counter.json", { signal }))?.text).toBe("200");
  });

  test("each of 100 documents is created by exactly one of two processes", async () => {
    const { store, folder } = await openStore();
    const workers = [1, 2].map(() => startWorker("store-worker.ts", folder, "create", "100"));
    const said = (await Promise.all(workers.map((worker) => worker.remainingLines()))).flat();
    expect(said).toHaveLength(100);
    for (const line of said) {
      const [number, processId] = line.split(" ");
      expect((await store.getDocument(`records/${number}.json`, { signal }))?.text).toBe(processId);
    }
  });

  test("a killed holder of the lock blocks no other", async () => {
    const { store, folder } = await openStore();
    const holder = startWorker("store-worker.ts", folder, "hold-lock");
    expect(await holder.nextLine()).toBe("held");
    let isWritten = false;
    const writing = store
      .putDocument("state/x.json", "1", { kind: "if-absent" }, { signal })
      .then((written) => {
        isWritten = true;
        return written;
      });
    await delay(200);
    expect(isWritten).toBe(false);
    await holder.kill();
    expect(await writing).not.toBe("conflict");
  });

  test("the upload of a killed process never shows, and is removed by aborting the uploads of its task", async () => {
    const { store, folder } = await openStore();
    const uploader = startWorker("store-worker.ts", folder, "upload", KEY);
    expect(await uploader.nextLine()).toBe("written");
    await uploader.kill();
    expect(await keysBelow(store, "exports/")).toEqual([]);
    expect(await store.abortUploadsUnder(FOLDER, { signal })).toBe(1);
    expect(await store.abortUploadsUnder("", { signal })).toBe(0);
    await put(store, KEY, Buffer.from("again"));
  });

  test("a process killed anywhere leaves whole objects, whole documents and a working store", async () => {
    const { store, folder } = await openStore();
    for (let round = 0; round < 5; round += 1) {
      const name = `round-${round}`;
      const worker = startWorker("store-worker.ts", folder, "churn", name);
      const said = [await worker.nextLine()];
      // Another moment of the loop in each round.
      await delay(3 + round * 7);
      await worker.kill();
      said.push(...(await worker.remainingLines().catch(() => [])));

      const objects = await keysBelow(store, `exports/${name}/`);
      expect(objects).toEqual(expect.arrayContaining(said));
      for (const key of objects) {
        expect((await readAll(store, key)).toString()).toBe(key.repeat(1_000));
      }
      for (const key of await keysBelow(store, `records/${name}/`)) {
        expect(JSON.parse((await store.getDocument(key, { signal }))?.text ?? "")).toHaveProperty("key");
      }
      await store.putDocument("state/last.json", '{"key":"parent"}', { kind: "always" }, { signal });
      await store.abortUploadsUnder("", { signal });
      await store.preflight({ signal });
    }
  });
});
