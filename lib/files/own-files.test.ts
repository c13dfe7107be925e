import { chmod, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { ManualClock, realRandom } from "../../test/contract/clocks.ts";
import { temporaryFolder } from "../../test/contract/temp-folder.ts";
import { SqliteQueue } from "../queue/sqlite-queue.ts";
import { FileStore } from "../store/file-store.ts";
import { makeDatabaseFile } from "./own-files.ts";

const { signal } = new AbortController();

function underUmask(mask: number): void {
  const before = process.umask(mask);
  onTestFinished(() => void process.umask(before));
}

async function modeOf(...path: readonly string[]): Promise<string> {
  return ((await stat(join(...path))).mode & 0o777).toString(8);
}

async function openQueue(file: string): Promise<void> {
  const parts = { visibilityMs: 120_000, clock: new ManualClock(), random: realRandom };
  const queue = await SqliteQueue.open(file, parts);
  onTestFinished(() => queue.close());
  await queue.sendBodies(["task-1"], { signal, delayMs: 0 });
}

describe.each([
  [0o000, "640", "750"],
  [0o022, "640", "750"],
  [0o077, "600", "700"],
])("under the umask %i", (mask, file, folder) => {
  test("the queue and what SQLite puts beside it is for owner and group alone", async () => {
    underUmask(mask);
    const root = await temporaryFolder();
    await openQueue(join(root, "queue", "queue.db"));
    expect(await modeOf(root, "queue")).toBe(folder);
    for (const name of ["queue.db", "queue.db-wal", "queue.db-shm"]) {
      expect(await modeOf(root, "queue", name), name).toBe(file);
    }
  });

  test("so is the lock of the store", async () => {
    underUmask(mask);
    const root = await temporaryFolder();
    const store = new FileStore(join(root, "store"), { clock: new ManualClock(), random: realRandom });
    await store.preflight({ signal });
    await store.putDocument("state/pacing.json", "{}", { kind: "always" }, { signal });
    expect(await modeOf(root, "store", "state")).toBe(folder);
    expect(await modeOf(root, "store", "state", "lock.db")).toBe(file);
  });
});

test("a queue that everybody could read so far is closed to them; what its group may do stays", async () => {
  underUmask(0o022);
  const file = join(await temporaryFolder(), "queue.db");
  await openQueue(file);
  await chmod(file, 0o666);
  await chmod(`${file}-wal`, 0o644);
  await openQueue(file);
  expect(await modeOf(file)).toBe("660");
  expect(await modeOf(`${file}-wal`)).toBe("640");
});

test("no other program's file is changed through a link, and a missing folder is SQLite's to tell", async () => {
  const folder = await temporaryFolder();
  const other = join(folder, "other");
  await writeFile(other, "", { mode: 0o644 });
  await chmod(other, 0o644);
  await symlink(other, join(folder, "link.db"));
  makeDatabaseFile(join(folder, "link.db"));
  expect(await modeOf(other)).toBe("644");
  expect(() => makeDatabaseFile(join(folder, "missing", "x.db"))).not.toThrow();
});
