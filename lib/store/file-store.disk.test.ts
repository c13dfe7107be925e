import { mkdir, readdir, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import { ManualClock, realRandom } from "../../test/contract/clocks.ts";
import { begin, bytesOf, KEY, keysBelow, put, readAll } from "../../test/contract/store-helpers.ts";
import { mountTinyDisk, type TinyDisk } from "../../test/contract/tiny-disk.ts";
import { StoreError } from "../ports/object-store.ts";
import { toStoreError } from "./file-errors.ts";
import { FileStore } from "./file-store.ts";

const { signal } = new AbortController();
const MIB = 1024 * 1024;

async function storeOnDisk(
  context: TestContext,
  size: string,
): Promise<{ store: FileStore; disk: TinyDisk }> {
  const disk = await mountTinyDisk(context, size);
  return { store: new FileStore(disk.folder, { clock: new ManualClock(), random: realRandom }), disk };
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

describe("a disk with little room", () => {
  test("of less than 32 MiB is refused by preflight", async (context) => {
    const { store } = await storeOnDisk(context, "31m");
    await expect(store.preflight({ signal })).rejects.toMatchObject({
      code: "store-full",
      scope: "system",
      retry: "later",
      hint: expect.stringContaining("Free space"),
    });
  });

  test("refuses an upload that cannot fit before a byte is written", async (context) => {
    const { store, disk } = await storeOnDisk(context, "64m");
    await store.preflight({ signal });
    const open = (expectedSizeBytes: number) =>
      store.openUpload(KEY, { metadata: {}, expectedSizeBytes, signal });
    await expect(open(33 * MIB)).rejects.toMatchObject({ code: "store-full" });
    await expect(open(Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({ code: "store-full" });
    expect(await store.abortUploadsUnder("", { signal })).toBe(0);
    await (await open(30 * MIB)).abort();
    await writeFile(join(disk.folder, "ballast"), Buffer.alloc(20 * MIB));
    await expect(begin(store, KEY)).rejects.toMatchObject({ code: "store-full" });
  });

  test("that becomes full fails the upload, and has its room back when it is aborted", async (context) => {
    const { store, disk } = await storeOnDisk(context, "64m");
    await store.preflight({ signal });
    const before = await freeBytes(disk.folder);
    const upload = await begin(store, KEY);
    const chunk = Buffer.alloc(4 * MIB - 1);
    const filling = async () => {
      for (let written = 0; written < 20; written += 1) {
        await upload.write(chunk);
      }
    };
    await expect(filling()).rejects.toMatchObject({ code: "store-full", scope: "system" });
    await expect(
      store.putDocument("state/x.json", "x".repeat(MIB), { kind: "always" }, { signal }),
    ).rejects.toMatchObject({
      code: "store-full",
    });
    await upload.abort();
    expect(await keysBelow(store, "")).toEqual([]);
    expect(before - (await freeBytes(disk.folder))).toBeLessThan(MIB);
    await store.putDocument("state/x.json", "x".repeat(MIB), { kind: "always" }, { signal });
  });

  test("that is full keeps the document that could not be replaced", async (context) => {
    const { store, disk } = await storeOnDisk(context, "64m");
    await store.preflight({ signal });
    await store.putDocument("state/x.json", "old", { kind: "always" }, { signal });
    await writeFile(join(disk.folder, "ballast"), Buffer.alloc(await freeBytes(disk.folder)));
    await expect(
      store.putDocument("state/x.json", "new", { kind: "always" }, { signal }),
    ).rejects.toMatchObject({
      code: "store-full",
    });
    expect((await store.getDocument("state/x.json", { signal }))?.text).toBe("old");
  });

  test("that has no inode left is called full", async (context) => {
    const { store, disk } = await storeOnDisk(context, "64m,nr_inodes=24");
    await store.preflight({ signal });
    await mkdir(join(disk.folder, "ballast"));
    const fill = async () => {
      for (let number = 0; number < 24; number += 1) {
        await writeFile(join(disk.folder, "ballast", String(number)), "");
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: "ENOSPC" });
    await expect(store.preflight({ signal })).rejects.toMatchObject({ code: "store-full" });
    await expect(begin(store, KEY)).rejects.toMatchObject({ code: "store-full" });
  });
});

describe("a disk that may not be written", () => {
  test("is forbidden to every writer, and readers go on", async (context) => {
    const { store, disk } = await storeOnDisk(context, "64m");
    await store.preflight({ signal });
    await put(store, KEY, bytesOf(1_000));
    disk.makeReadOnly();
    const forbidden = {
      code: "store-forbidden",
      scope: "system",
      hint: expect.stringContaining(disk.folder),
    };
    await expect(store.preflight({ signal })).rejects.toMatchObject(forbidden);
    await expect(begin(store, `${KEY}2`)).rejects.toMatchObject(forbidden);
    await expect(begin(store, "exports/new/folder/x.zip")).rejects.toMatchObject(forbidden);
    await expect(store.putDocument("state/x.json", "", { kind: "always" }, { signal })).rejects.toMatchObject(
      forbidden,
    );
    expect((await readAll(store, KEY)).equals(bytesOf(1_000))).toBe(true);
    expect(await keysBelow(store, "exports/")).toEqual([KEY]);
  });

  test("cannot get the store's folder", async (context) => {
    const disk = await mountTinyDisk(context, "64m");
    disk.makeReadOnly();
    const folder = join(disk.folder, "new", "store");
    const store = new FileStore(folder, { clock: new ManualClock(), random: realRandom });
    await expect(store.preflight({ signal })).rejects.toMatchObject({ code: "store-forbidden" });
  });
});

test("an unmounted disk is missed: its empty mount point is not an empty store", async (context) => {
  const { store, disk } = await storeOnDisk(context, "64m");
  await store.preflight({ signal });
  await put(store, KEY, bytesOf(10));
  disk.unmount();
  await expect(store.head(KEY, { signal })).rejects.toMatchObject({
    code: "store-forbidden",
    scope: "system",
  });
  await expect(keysBelow(store, "exports/")).rejects.toMatchObject({ code: "store-forbidden" });
  await expect(begin(store, KEY)).rejects.toMatchObject({ code: "store-forbidden" });
  expect(await readdir(disk.folder)).toEqual([]);
});

describe("errors that no test machine makes at will", () => {
  const failureOf = (code: string, syscall: string) =>
    Object.assign(new Error(`${code}: sensitive text`), { code, syscall });

  test.each([
    ["EPERM", "link", "store-misconfigured"],
    ["EPERM", "open", "store-forbidden"],
    ["EMLINK", "link", "store-misconfigured"],
    ["ENOTSUP", "link", "store-misconfigured"],
    ["EXDEV", "rename", "store-misconfigured"],
    ["EINVAL", "fsync", "store-misconfigured"],
    ["EDQUOT", "write", "store-full"],
    ["EIO", "write", "store-unavailable"],
    ["ESTALE", "read", "store-unavailable"],
  ])("%s of %s is %s", (errno, syscall, code) => {
    const error = toStoreError(failureOf(errno, syscall), "/root", "exports/x");
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code, message: expect.not.stringContaining("sensitive") });
  });

  test("a signal's reason and a bug stay what they are", () => {
    for (const thrown of [new DOMException("aborted", "AbortError"), new TypeError("bug"), "text"]) {
      expect(toStoreError(thrown, "/root")).toBe(thrown);
    }
  });
});
