import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ManualClock, realRandom } from "../../test/contract/clocks.ts";
import { begin, collect, keysBelow, readAll } from "../../test/contract/store-helpers.ts";
import { temporaryFolder } from "../../test/contract/temp-folder.ts";
import { FileStore } from "./file-store.ts";

const { signal } = new AbortController();
const ALWAYS = { kind: "always" } as const;

async function openStore(at?: string): Promise<{ store: FileStore; folder: string }> {
  const folder = at ?? (await temporaryFolder());
  const store = new FileStore(folder, { clock: new ManualClock(), random: realRandom });
  await store.preflight({ signal });
  return { store, folder };
}

const ODD_PLACE = { code: "store-misconfigured", scope: "task", hint: expect.stringMatching(/\w/) };
const RECORD = "records/p/default/t/0123abcd/archived.json";

async function makeOdd(what: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  switch (what) {
    case "a symbolic link":
      return await symlink("/etc/hostname", path);
    case "a symbolic link to nowhere":
      return await symlink("/nowhere/at/all", path);
    case "a directory":
      return void (await mkdir(path));
    default:
      expect(spawnSync("mkfifo", [path]).status).toBe(0);
  }
}

test.each(["a symbolic link", "a symbolic link to nowhere", "a pipe", "a directory"])(
  "%s in a document's place is an unreadable document, and no object",
  async (what) => {
    const { store, folder } = await openStore();
    await makeOdd(what, join(folder, RECORD));
    await store.putDocument("records/p/default/u/x.json", "{}", ALWAYS, { signal });
    expect(await store.getDocument(RECORD, { signal })).toMatchObject({ text: undefined });
    expect(await store.head(RECORD, { signal })).toBeUndefined();
    await expect(readAll(store, RECORD)).rejects.toMatchObject({
      code: "store-copy-differs",
      scope: "task",
    });
    expect(await store.putDocument(RECORD, "{}", { kind: "if-absent" }, { signal })).toBe("conflict");
    const listed = await collect(store.list("records/", { signal }));
    expect(listed.map(({ key, oddity }) => [key, oddity]).sort()).toEqual([
      [RECORD, `is ${what.replace(" to nowhere", "")}`],
      ["records/p/default/u/x.json", undefined],
    ]);
  },
);

test("a socket shows in the list, too", async () => {
  const { store, folder } = await openStore();
  const server = createServer().listen(join(folder, "state/x.json"));
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const [entry] = await collect(store.list("state/x", { signal }));
  expect(entry).toMatchObject({ oddity: "is a socket" });
  expect(await store.getDocument("state/x.json", { signal })).toMatchObject({ text: undefined });
});

test("a link or a pipe gives way to a document that is written over it, a directory does not", async () => {
  const { store, folder } = await openStore();
  const other = join(await temporaryFolder(), "other");
  await writeFile(other, "other");
  await symlink(other, join(folder, "state/x.json"));
  await store.putDocument("state/x.json", "{}", ALWAYS, { signal });
  expect(await store.getDocument("state/x.json", { signal })).toMatchObject({ text: "{}" });
  expect(await readFile(other, "utf8")).toBe("other");
  await mkdir(join(folder, "state/y.json"));
  await expect(store.putDocument("state/y.json", "{}", ALWAYS, { signal })).rejects.toMatchObject(ODD_PLACE);
});

test("a folder that is a symbolic link is neither read nor written, nor taken for empty", async () => {
  const { store, folder } = await openStore();
  const outside = await temporaryFolder();
  await writeFile(join(outside, "x.json"), "{}");
  await symlink(outside, join(folder, "holds"));
  const failing = [
    () => store.getDocument("holds/x.json", { signal }),
    () => store.head("holds/none.json", { signal }),
    () => store.putDocument("holds/y.json", "{}", ALWAYS, { signal }),
    () => store.removeObject("holds/x.json", { signal }),
    () => keysBelow(store, "holds/"),
    () => begin(store, "holds/z.zip"),
  ];
  for (const call of failing) {
    await expect(call()).rejects.toMatchObject(ODD_PLACE);
  }
  expect(await readdir(outside)).toEqual(["x.json"]);
  const listed = await collect(store.list("", { signal }));
  expect(listed).toMatchObject([{ key: "holds", oddity: "is a symbolic link" }]);
});

test("a root that is reached over a symbolic link is a root like any other", async () => {
  const { folder } = await openStore();
  const link = join(await temporaryFolder(), "link");
  await symlink(folder, link);
  const { store } = await openStore(link);
  await store.putDocument("state/x.json", "{}", ALWAYS, { signal });
  expect(await keysBelow(store, "")).toEqual(["state/x.json"]);
});
