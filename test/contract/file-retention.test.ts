import { join } from "node:path";
import { expect, test } from "vitest";
import { FileStore } from "../../lib/store/file-store.ts";
import { realClock, realRandom } from "./clocks.ts";
import { bytesOf, collect, KEY, keysBelow, put } from "./store-helpers.ts";
import { temporaryFolder } from "./temp-folder.ts";

const { signal } = new AbortController();

async function openStore(): Promise<FileStore> {
  const store = new FileStore(join(await temporaryFolder(), "store"), {
    clock: realClock,
    random: realRandom,
  });
  await store.preflight({ signal });
  return store;
}

test("a folder can neither lock nor tag, says so, and removes exactly one export", async () => {
  const store = await openStore();
  expect(await store.retentionAbilities({ signal })).toEqual({ canLock: false, canTag: false });
  const body = bytesOf(10_000);
  const object = await put(store, KEY, body);
  const other = KEY.replace("0a1b2c", "ffffff");
  await put(store, other, body);
  const free = { lock: undefined, legalHold: false, tags: {} };
  expect(await store.readProtection(object, { signal })).toEqual(free);
  await expect(store.lockVersion()).rejects.toMatchObject({ code: "store-misconfigured" });
  await expect(store.tagVersion()).rejects.toMatchObject({ code: "store-misconfigured" });
  expect(Buffer.concat(await collect(store.readVersion(object, { signal }))).equals(body)).toBe(true);
  await store.removeVersion(object, { signal });
  await store.removeVersion(object, { signal });
  expect(await keysBelow(store, "exports/")).toEqual([other]);
  expect(await store.readProtection(object, { signal })).toBeUndefined();
  await expect(collect(store.readVersion(object, { signal }))).rejects.toMatchObject({
    code: "store-copy-differs",
  });
});

test("nothing but exports is ever removed", async () => {
  const store = await openStore();
  await store.putDocument("records/a.json", "{}", { kind: "always" }, { signal });
  for (const key of ["records/a.json", "exports/../records/a.json"]) {
    await expect(store.removeVersion({ key }, { signal })).rejects.toMatchObject({
      code: "store-misconfigured",
    });
  }
  expect(await keysBelow(store, "records/")).toEqual(["records/a.json"]);
});
