import { link, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { ManualClock, realRandom } from "../../test/contract/clocks.ts";
import {
  begin,
  bytesOf,
  FOLDER,
  KEY,
  keysBelow,
  put,
  readAll,
  sha256Of,
} from "../../test/contract/store-helpers.ts";
import { temporaryFolder } from "../../test/contract/temp-folder.ts";
import { underLock } from "./file-documents.ts";
import { FileRoot } from "./file-root.ts";
import { FileStore } from "./file-store.ts";

const { signal } = new AbortController();
const ALWAYS = { kind: "always" } as const;
const MISCONFIGURED = { code: "store-misconfigured", scope: "system", hint: expect.stringMatching(/\w/) };

async function openStore(at?: string): Promise<{ store: FileStore; folder: string; clock: ManualClock }> {
  const folder = at ?? (await temporaryFolder());
  const clock = new ManualClock();
  const store = new FileStore(folder, { clock, random: realRandom });
  await store.preflight({ signal });
  return { store, folder, clock };
}

/** The hidden files below a folder: uploads under way, drafts, probes. */
async function hiddenFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true });
  return entries.filter((path) => path.split("/").some((name) => name.startsWith(".")));
}

describe("the folder", () => {
  test("is made with its parents by preflight", async () => {
    const folder = join(await temporaryFolder(), "a", "b", "store");
    const store = new FileStore(folder, { clock: new ManualClock(), random: realRandom });
    await expect(store.head(KEY, { signal })).rejects.toMatchObject({
      code: "store-missing",
      message: `the store's folder does not exist (${folder})`,
      hint: expect.stringContaining("For a new store, run iotda-archiver init"),
    });
    await store.preflight({ signal });
    expect(await store.head(KEY, { signal })).toBeUndefined();
  });

  test("must be an absolute path", () => {
    const make = () => new FileStore("exports", { clock: new ManualClock(), random: realRandom });
    expect(make).toThrow(expect.objectContaining({ code: "store-misconfigured" }));
  });

  test("that is a file is refused", async () => {
    const file = join(await temporaryFolder(), "file");
    await writeFile(file, "");
    const store = new FileStore(file, { clock: new ManualClock(), random: realRandom });
    await expect(store.preflight({ signal })).rejects.toMatchObject(MISCONFIGURED);
    const fresh = new FileStore(file, { clock: new ManualClock(), random: realRandom });
    await expect(fresh.getDocument("archive.json", { signal })).rejects.toMatchObject(MISCONFIGURED);
  });

  test("that is another one while the program runs is missed, not taken for an empty store", async () => {
    const { store, folder } = await openStore();
    const aside = `${folder}-aside`;
    await rename(folder, aside);
    onTestFinished(() => rm(aside, { recursive: true }));
    await expect(store.head(KEY, { signal })).rejects.toMatchObject({
      code: "store-forbidden",
      message: expect.stringContaining("vanished or changed while the program ran"),
    });
    await mkdir(folder);
    await expect(store.head(KEY, { signal })).rejects.toMatchObject({
      code: "store-forbidden",
      scope: "system",
    });
    await expect(keysBelow(store, "")).rejects.toMatchObject({ code: "store-forbidden" });
    await expect(store.getDocument("state/x.json", { signal })).rejects.toMatchObject({
      code: "store-forbidden",
    });
    await expect(store.putDocument("state/x.json", "", ALWAYS, { signal })).rejects.toMatchObject({
      code: "store-forbidden",
    });
    await expect(begin(store, KEY)).rejects.toMatchObject({ code: "store-forbidden" });
    expect(await readdir(folder)).toEqual([]);
  });

  test("holds files that the group may read and no other user, as far as the umask lets it", async () => {
    const { store, folder } = await openStore();
    await put(store, KEY, bytesOf(10));
    await store.putDocument("state/x.json", "{}", ALWAYS, { signal });
    const umask = process.umask();
    expect((await stat(join(folder, KEY))).mode & 0o777).toBe(0o640 & ~umask);
    expect((await stat(join(folder, "state/x.json"))).mode & 0o777).toBe(0o640 & ~umask);
    expect((await stat(join(folder, "exports"))).mode & 0o777).toBe(0o750 & ~umask);
  });
});

describe("after a crash", () => {
  test("between linking and removing the hidden name, aborting uploads leaves the object", async () => {
    const { store, folder } = await openStore();
    await put(store, KEY, Buffer.from("whole"));
    await link(join(folder, KEY), join(folder, FOLDER, ".fe8e44f7-0a1b2c.zip.0123456789ab.upload"));
    expect(await keysBelow(store, "exports/")).toEqual([KEY]);
    expect(await store.abortUploadsUnder(FOLDER, { signal })).toBe(1);
    expect((await readAll(store, KEY)).toString()).toBe("whole");
    expect(await hiddenFiles(folder)).toEqual([]);
  });

  test("between linking and removing a draft, the next document leaves the first alone", async () => {
    const { store, folder } = await openStore();
    await store.putDocument("records/a.json", "first", { kind: "if-absent" }, { signal });
    await link(join(folder, "records/a.json"), join(folder, "state/.document"));
    await store.putDocument("records/b.json", "second", { kind: "if-absent" }, { signal });
    await store.putDocument("records/c.json", "third", ALWAYS, { signal });
    expect(await readFile(join(folder, "records/a.json"), "utf8")).toBe("first");
    expect(await hiddenFiles(folder)).toEqual([]);
  });

  test("before the folder was synced, what is found is made durable before it is shown", async () => {
    const { store, folder, clock } = await openStore();
    await mkdir(join(folder, FOLDER), { recursive: true });
    await writeFile(join(folder, KEY), "whole");
    await clock.sleep(Date.now() - clock.wallMs());
    const probe = await open(folder);
    const sync = vi.spyOn(Object.getPrototypeOf(probe), "sync");
    onTestFinished(async () => {
      sync.mockRestore();
      await probe.close();
    });
    const syncedBy = async (look: () => Promise<unknown>): Promise<number> => {
      sync.mockClear();
      expect(await look()).toBeDefined();
      return sync.mock.calls.length;
    };
    // Each folder on the way, and the root.
    const folders = FOLDER.split("/").length;
    expect(await syncedBy(() => store.head(KEY, { signal }))).toBe(folders);
    expect(await syncedBy(() => store.getDocument(KEY, { signal }))).toBe(folders);
    await clock.sleep(11 * 60_000);
    expect(await syncedBy(() => store.head(KEY, { signal }))).toBe(0);
  });

  test("preflight removes what dead probes left, and nothing else", async () => {
    const { store, folder } = await openStore();
    const dead = ["preflight-0123456789ab", ".preflight-0123456789ab.0123456789ab.upload"];
    for (const name of [...dead, "preflight-notes.txt"]) {
      await writeFile(join(folder, "state", name), "");
    }
    await store.preflight({ signal });
    expect(await keysBelow(store, "state/")).toEqual(["state/preflight-notes.txt"]);
    expect(await hiddenFiles(folder)).toEqual([]);
  });
});

describe("completing", () => {
  test("again after the object was linked finds it to be its own", async () => {
    const { store, folder } = await openStore();
    const body = bytesOf(1_000);
    const upload = await begin(store, KEY);
    await upload.write(body);
    const [hidden = ""] = await hiddenFiles(folder);
    await link(join(folder, hidden), join(folder, KEY));
    const proof = { sizeBytes: body.length, sha256: sha256Of(body) };
    const stored = await upload.complete(proof);
    expect(await upload.complete(proof)).toEqual(stored);
    expect(await store.head(KEY, { signal })).toMatchObject({ etag: stored.etag });
    expect(await hiddenFiles(folder)).toEqual([]);
  });

  test("changes the etag of the key when the file is another one, even of equal size", async () => {
    const { store, folder } = await openStore();
    const { etag } = await put(store, KEY, Buffer.from("12345"));
    await writeFile(join(folder, KEY), "54321");
    expect((await store.head(KEY, { signal }))?.etag).not.toBe(etag);
  });
});

describe("what is not a file of the store", () => {
  test("the lock and lost+found are not listed, and nothing in a hidden folder", async () => {
    const { store, folder } = await openStore();
    await store.putDocument("state/x.json", "{}", ALWAYS, { signal });
    for (const name of [".snapshot", "lost+found"]) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, "file"), "");
    }
    expect(await readdir(join(folder, "state"))).toContain("lock.db");
    expect(await keysBelow(store, "")).toEqual([".snapshot", "state/x.json"]);
  });

  test("an object where a key needs a folder is said to be in the way", async () => {
    const { store } = await openStore();
    await put(store, "exports/a", bytesOf(1));
    await expect(begin(store, "exports/a/b")).rejects.toMatchObject({ ...MISCONFIGURED, scope: "task" });
    expect(await store.head("exports/a/b", { signal })).toBeUndefined();
  });
});

describe("the lock", () => {
  function heldLock(folder: string): DatabaseSync {
    const holder = new DatabaseSync(join(folder, "state/lock.db"));
    onTestFinished(() => holder.close());
    holder.exec("BEGIN IMMEDIATE");
    return holder;
  }

  test("that another process holds is given up after ten seconds, and can be had when it is free", async () => {
    const { store, folder, clock } = await openStore();
    const holder = heldLock(folder);
    const startedMs = clock.monotonicMs();
    await expect(store.putDocument("state/x.json", "", ALWAYS, { signal })).rejects.toMatchObject({
      code: "store-unavailable",
      scope: "system",
      retry: "later",
      hint: expect.stringContaining("lock.db"),
    });
    expect(clock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(10_000);
    expect(clock.monotonicMs() - startedMs).toBeLessThan(10_100);
    holder.exec("ROLLBACK");
    expect(await store.putDocument("state/x.json", "", ALWAYS, { signal })).not.toBe("conflict");
  });

  test("writes nothing, so that a dead holder leaves nothing and a full disk does not matter", async () => {
    const { folder, clock } = await openStore();
    const root = new FileRoot(folder, { clock, random: realRandom });
    const whileHeld = await underLock(root, async () => await readdir(join(folder, "state")), signal);
    expect(whileHeld).toEqual(["lock.db"]);
    expect((await stat(join(folder, "state/lock.db"))).size).toBe(0);
  });

  test("is not waited for by readers and uploads", async () => {
    const { store, folder } = await openStore();
    await store.putDocument("state/x.json", "{}", ALWAYS, { signal });
    heldLock(folder);
    await put(store, KEY, bytesOf(10));
    expect((await store.getDocument("state/x.json", { signal }))?.text).toBe("{}");
  });

  test("ends waiting when the signal is aborted", async () => {
    const { store, folder } = await openStore();
    heldLock(folder);
    const controller = new AbortController();
    const reason = new Error("time is up");
    const writing = store.putDocument("state/x.json", "", ALWAYS, { signal: controller.signal });
    setImmediate(() => controller.abort(reason));
    await expect(writing).rejects.toBe(reason);
  });

  test("whose file is damaged is refused with a way out", async () => {
    const { store, folder } = await openStore();
    await writeFile(join(folder, "state/lock.db"), "no database".repeat(100));
    await expect(store.putDocument("state/x.json", "", ALWAYS, { signal })).rejects.toMatchObject({
      ...MISCONFIGURED,
      hint: expect.stringContaining("lock.db"),
    });
  });
});
