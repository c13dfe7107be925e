import { spawnSync } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { HoldsReader } from "../../lib/records/holds.ts";
import { FileStore } from "../../lib/store/file-store.ts";
import { ManualClock, realRandom } from "./clocks.ts";
import { collect, put } from "./store-helpers.ts";
import { temporaryFolder } from "./temp-folder.ts";

const { signal } = new AbortController();

async function openStore(): Promise<{ store: FileStore; folder: string }> {
  const folder = await temporaryFolder();
  const store = new FileStore(folder, { clock: new ManualClock(), random: realRandom });
  await store.preflight({ signal });
  return { store, folder };
}

async function oddities(store: FileStore, prefix: string) {
  const listed = await collect(store.list(prefix, { signal }));
  return listed.map(({ key, oddity }) => [key, oddity]).sort();
}

async function makeFile(folder: string, key: string | Buffer): Promise<void> {
  const path = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(key)]);
  await mkdir(path.subarray(0, path.lastIndexOf("/")), { recursive: true });
  await writeFile(path, "{}");
}

const IN_ITS_PLACE: readonly (readonly [string, (path: string) => Promise<void>])[] = [
  ["is a file", (path) => writeFile(path, "export-01")],
  ["is a symbolic link", (path) => symlink("/nowhere/at/all", path)],
  ["is a pipe", async (path) => expect(spawnSync("mkfifo", [path]).status).toBe(0)],
];

describe.each(IN_ITS_PLACE)("what %s where a folder belongs", (what, make) => {
  test("is listed instead of what would lie in the folder", async () => {
    const { store, folder } = await openStore();
    await make(join(folder, "records"));
    const entry = ["records", `${what} where a folder belongs`];
    expect(await oddities(store, "records/")).toEqual([entry]);
    expect(await oddities(store, "records/p/default/t/")).toEqual([entry]);
    expect(await oddities(store, "requests/")).toEqual([]);
    expect(await store.abortUploadsUnder("records/p/", { signal })).toBe(0);
  });

  test("holds every task when it stands for the holds", async () => {
    const { store, folder } = await openStore();
    await make(join(folder, "holds"));
    const holds = await new HoldsReader(store).read({ signal });
    expect(holds.isHeld("export-01")).toBe(true);
    expect(holds.leftAlone).toMatchObject([{ key: "holds", problem: expect.stringContaining(what) }]);
  });
});

test("without a folder of holds there is no hold", async () => {
  const { store } = await openStore();
  expect((await new HoldsReader(store).read({ signal })).all).toEqual([]);
});

const HIDDEN = "has a hidden name";
const ODD_NAMES: readonly (readonly [string, string | Buffer, string, string])[] = [
  ["a hidden file", ".export-01.json", ".export-01.json", HIDDEN],
  ["a hidden folder", ".x/export-01.json", ".x", HIDDEN],
  ["nearly an upload", ".export-01.json.0123.upload", ".export-01.json.0123.upload", HIDDEN],
  ["a draft elsewhere", ".document", ".document", HIDDEN],
  ["a backslash", "a\\export-01.json", "a\\export-01.json", "has a backslash in its name"],
  ["a folder with one", "a\\b/export-01.json", "a\\b", "has a backslash in its name"],
  ["no UTF-8", Buffer.from("ff2e6a736f6e", "hex"), "\ufffd.json", "has a name that is not UTF-8"],
  ["a folder of none", Buffer.from("ff2f782e6a736f6e", "hex"), "\ufffd", "has a name that is not UTF-8"],
];

describe.each(ODD_NAMES)("the name of %s", (_what, name, shown, oddity) => {
  test.each(["holds/", "records/p/default/t/", "exports/p/default/", "requests/", "dead-letters/2026/"])(
    "shows as odd below %s",
    async (prefix) => {
      const { store, folder } = await openStore();
      await makeFile(folder, `${prefix}plain.json`);
      await makeFile(folder, Buffer.concat([Buffer.from(prefix), Buffer.from(name)]));
      expect(await oddities(store, prefix)).toEqual(
        [
          [`${prefix}plain.json`, undefined],
          [prefix + shown, oddity],
        ].sort(),
      );
    },
  );

  test("holds every task", async () => {
    const { store, folder } = await openStore();
    await makeFile(folder, Buffer.concat([Buffer.from("holds/"), Buffer.from(name)]));
    const holds = await new HoldsReader(store).read({ signal });
    expect(holds.isHeld("export-02")).toBe(true);
    expect(holds.leftAlone).toMatchObject([{ key: `holds/${shown}` }]);
  });
});

test("the program's own hidden files do not show", async () => {
  const { store, folder } = await openStore();
  await put(store, "exports/p/a.zip", Buffer.from("whole"));
  await makeFile(folder, "exports/p/.b.zip.0123456789ab.upload");
  await makeFile(folder, "state/.document");
  await makeFile(folder, "state/.preflight-0123456789ab.0123456789ab.upload");
  expect(await oddities(store, "")).toEqual([["exports/p/a.zip", undefined]]);
});

test("a folder with the name of an upload is none", async () => {
  const { store, folder } = await openStore();
  const name = ".b.zip.0123456789ab.upload";
  await mkdir(join(folder, "exports", name), { recursive: true });
  expect(await oddities(store, "exports/")).toEqual([[`exports/${name}`, HIDDEN]]);
  expect(await store.abortUploadsUnder("exports/", { signal })).toBe(0);
});
