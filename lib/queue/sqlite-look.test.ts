import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { VirtualClock } from "../../test/world/virtual-clock.ts";
import { SqliteArchiveMemory } from "./sqlite-archive-memory.ts";
import { LookingArchiveMemory, lookIntoQueueFile } from "./sqlite-look.ts";
import { SqliteQueue } from "./sqlite-queue.ts";

const ARCHIVE_ID = "6d1f0a52-9c1e-4a0b-8f53-2f6f3d1b7c10";
const { signal } = new AbortController();
const clock = new VirtualClock();
const random = { hex: (bytes: number) => "0".repeat(bytes * 2), fraction: () => 0 };

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "archiver-look-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A queue with two messages, one of them due later, and a dead letter; still open. */
async function openQueue(file: string): Promise<SqliteQueue> {
  const queue = await SqliteQueue.open(file, { visibilityMs: 1_000, clock, random });
  await queue.send([{ exportTaskId: "export-01" }], { signal, delayMs: 0 });
  await queue.send([{ exportTaskId: "export-02" }], { signal, delayMs: 60_000 });
  const letter = { body: "export-03", reason: "max-attempts", detail: "", attempts: 1, runId: "r" } as const;
  await queue.deadLetter(letter, { signal });
  return queue;
}

/** Every file of a folder with its time, mode and content. */
async function filesOf(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).sort();
  return await Promise.all(
    names.map(async (name) => {
      const { mode, mtimeMs } = await stat(join(folder, name));
      const digest = createHash("sha256")
        .update(await readFile(join(folder, name)))
        .digest("hex");
      return `${name} ${mode} ${mtimeMs} ${digest}`;
    }),
  );
}

const FULL = { isMade: true, isWritable: true, messages: 2, deadLetters: 1, readySinceMs: clock.wallMs() };

describe("a look", () => {
  test("sees what lies in a queue that is at rest, and makes no file beside it", async () => {
    const folder = await newFolder();
    const file = join(folder, "queue.db");
    (await openQueue(file)).close();
    const before = await filesOf(folder);
    expect(before).toHaveLength(1);
    expect(await lookIntoQueueFile(file, clock.wallMs())).toEqual({ ...FULL, archiveId: undefined });
    expect(await filesOf(folder)).toEqual(before);
  });

  test("sees what a runner has only written to the log yet", async () => {
    const folder = await newFolder();
    const file = join(folder, "queue.db");
    const queue = await openQueue(file);
    onTestFinished(() => queue.close());
    expect((await stat(`${file}-wal`)).size).toBeGreaterThan(0);
    const queueFiles = async () => (await filesOf(folder)).filter((one) => !one.includes("-shm"));
    const before = await queueFiles();
    expect(await lookIntoQueueFile(file, clock.wallMs())).toMatchObject(FULL);
    expect(await queueFiles()).toEqual(before);
  });

  test("makes no queue", async () => {
    const folder = await newFolder();
    expect(await lookIntoQueueFile(join(folder, "queue.db"), 0)).toMatchObject({ isMade: false });
    expect(await filesOf(folder)).toEqual([]);
  });

  test("sees which archive the queue remembers; to remember is left to others", async () => {
    const folder = await newFolder();
    const file = join(folder, "queue.db");
    const looking = new LookingArchiveMemory(file);
    expect(await looking.recall()).toBeUndefined();
    await new SqliteArchiveMemory(file, { clock, random }).remember(ARCHIVE_ID, { signal });
    expect(await looking.recall()).toBe(ARCHIVE_ID);
    expect(await lookIntoQueueFile(file, 0)).toMatchObject({ archiveId: ARCHIVE_ID, messages: 0 });
    expect(await looking.rememberFirst("another")).toBe("another");
    expect(await looking.recall()).toBe(ARCHIVE_ID);
  });

  test("refuses the database of another program", async () => {
    const file = join(await newFolder(), "queue.db");
    const database = new DatabaseSync(file);
    database.exec("CREATE TABLE theirs (id INTEGER)");
    database.close();
    await expect(lookIntoQueueFile(file, 0)).rejects.toMatchObject({ code: "queue-misconfigured" });
    expect(await new LookingArchiveMemory(file).recall()).toBeUndefined();
  });
});
