import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ManualClock, realRandom } from "../../test/contract/clocks.ts";
import { temporaryFolder } from "../../test/contract/temp-folder.ts";
import { SqliteArchiveMemory } from "./sqlite-archive-memory.ts";
import { SqliteQueue } from "./sqlite-queue.ts";

const ONE = "11111111-1111-4111-8111-111111111111";
const OTHER = "22222222-2222-4222-8222-222222222222";
const { signal } = new AbortController();
const parts = { clock: new ManualClock(), random: realRandom };

async function queueFile(): Promise<string> {
  return join(await temporaryFolder(), "state", "queue.db");
}

test("a queue that is not there remembers nothing, and is not made to find out", async () => {
  const file = await queueFile();
  expect(await new SqliteArchiveMemory(file, parts).recall({ signal })).toBeUndefined();
  await expect(access(file)).rejects.toThrow("ENOENT");
});

test("the archive outlives the process, and the next one takes its place", async () => {
  const file = await queueFile();
  await new SqliteArchiveMemory(file, parts).remember(ONE, { signal });
  expect(await new SqliteArchiveMemory(file, parts).recall({ signal })).toBe(ONE);
  await new SqliteArchiveMemory(file, parts).remember(OTHER, { signal });
  expect(await new SqliteArchiveMemory(file, parts).recall({ signal })).toBe(OTHER);
});

test("of two first archives the first stands", async () => {
  const file = await queueFile();
  const rememberFirst = (archiveId: string) =>
    new SqliteArchiveMemory(file, parts).rememberFirst(archiveId, { signal });
  expect(await rememberFirst(ONE)).toBe(ONE);
  expect(await rememberFirst(OTHER)).toBe(ONE);
  expect(await new SqliteArchiveMemory(file, parts).recall({ signal })).toBe(ONE);
});

test("the file is the queue's own", async () => {
  const file = await queueFile();
  const queue = await SqliteQueue.open(file, { visibilityMs: 1_000, ...parts });
  await queue.send([{ exportTaskId: "task-1" }], { signal, delayMs: 0 });
  expect(await new SqliteArchiveMemory(file, parts).recall({ signal })).toBeUndefined();
  await new SqliteArchiveMemory(file, parts).remember(ONE, { signal });
  expect(await queue.depth({ signal })).toMatchObject({ ready: 1 });
  queue.close();
});

test("another program's file, or one that cannot be looked at, is not an empty memory", async () => {
  const file = join(await temporaryFolder(), "queue.db");
  await writeFile(file, "no database at all, of more bytes than a header of SQLite has".repeat(40));
  const recalled = new SqliteArchiveMemory(file, parts).recall({ signal });
  await expect(recalled).rejects.toMatchObject({ code: "queue-misconfigured" });
  const below = new SqliteArchiveMemory(join(file, "queue.db"), parts).recall({ signal });
  await expect(below).rejects.toMatchObject({ scope: "system" });
});

test("what is not an id is not a memory either", async () => {
  const file = await queueFile();
  const memory = new SqliteArchiveMemory(file, parts);
  await memory.remember("x".repeat(1_000_000), { signal });
  await expect(memory.recall({ signal })).rejects.toMatchObject({
    code: "queue-misconfigured",
    message: expect.not.stringContaining("xxxx"),
  });
});
