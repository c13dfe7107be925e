import { readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { ManualClock, realRandom } from "../../test/contract/clocks.ts";
import { temporaryFolder } from "../../test/contract/temp-folder.ts";
import { mountTinyDisk } from "../../test/contract/tiny-disk.ts";
import { QueueError } from "../ports/task-queue.ts";
import { SqliteQueue } from "./sqlite-queue.ts";

const { signal } = new AbortController();
const NOW = { signal, delayMs: 0 };
const DAY_MS = 24 * 3_600_000;

async function openQueue(
  filePath?: string,
  clock = new ManualClock(),
): Promise<{ queue: SqliteQueue; clock: ManualClock; filePath: string }> {
  const path = filePath ?? join(await temporaryFolder(), "queue.db");
  const queue = await SqliteQueue.open(path, { visibilityMs: 120_000, clock, random: realRandom });
  onTestFinished(() => queue.close());
  return { queue, clock, filePath: path };
}

function rawDatabase(filePath: string): DatabaseSync {
  const database = new DatabaseSync(filePath);
  let open = true;
  onTestFinished(() => {
    if (open) {
      open = false;
      database.close();
    }
  });
  return database;
}

describe("messages", () => {
  test("survive a restart, delays and receive counts included", async () => {
    const clock = new ManualClock();
    const { queue, filePath } = await openQueue(undefined, clock);
    await queue.sendBodies(["held"], NOW);
    await queue.receive({ signal });
    await queue.sendBodies(["ready"], NOW);
    await queue.sendBodies(["late"], { signal, delayMs: 30 * DAY_MS });
    queue.close();
    queue.close();

    const { queue: reopened } = await openQueue(filePath, clock);
    expect(await reopened.receive({ signal })).toMatchObject({ body: "ready", receiveCount: 1 });
    expect(await reopened.receive({ signal })).toBeUndefined();
    clock.advance(120_001);
    expect(await reopened.receive({ signal })).toMatchObject({ body: "held", receiveCount: 2 });
    clock.advance(29 * DAY_MS);
    expect(await reopened.depth({ signal })).toMatchObject({ delayed: 1, ready: 2 });
    clock.advance(DAY_MS);
    expect(await reopened.depth({ signal })).toMatchObject({ delayed: 0, ready: 3 });
  });

  test("that are sent again go to the back", async () => {
    const { queue } = await openQueue();
    await queue.sendBodies(["a"], NOW);
    await queue.sendBodies(["b"], NOW);
    const first = await queue.receive({ signal });
    expect(first?.body).toBe("a");
    await queue.sendBodies(["a"], NOW);
    expect((await queue.receive({ signal }))?.body).toBe("b");
    expect((await queue.receive({ signal }))?.body).toBe("a");
  });

  test("say when the next one is due", async () => {
    const { queue, clock } = await openQueue();
    expect((await queue.depth({ signal })).nextDueAtMs).toBeUndefined();
    await queue.sendBodies(["ready"], NOW);
    expect((await queue.depth({ signal })).nextDueAtMs).toBeUndefined();
    await queue.sendBodies(["later"], { signal, delayMs: 90_000 });
    await queue.sendBodies(["late"], { signal, delayMs: 60_000.5 });
    expect((await queue.depth({ signal })).nextDueAtMs).toBe(clock.wallMs() + 60_001);
  });
});

describe("handles", () => {
  test("whose visibility ran out still acknowledge while no other runner received the message", async () => {
    const { queue, clock } = await openQueue();
    await queue.sendBodies(["task-1"], NOW);
    const received = await queue.receive({ signal });
    if (received === undefined) {
      throw new Error("nothing received");
    }
    clock.advance(DAY_MS);
    await queue.acknowledge(received, { signal });
    expect(await queue.depth({ signal })).toMatchObject({ ready: 0, inFlight: 0 });
    await expect(queue.acknowledge(received, { signal })).rejects.toMatchObject({
      code: "queue-handle-expired",
    });
  });

  test.each(["", "1", "1.", "1.ff", "' OR 1=1 --.x", "999999999999999999.x"])(
    "like %j settle nothing",
    async (handle) => {
      const { queue } = await openQueue();
      await queue.sendBodies(["task-1"], NOW);
      const received = {
        handle,
        receiveCount: 1,
        body: "",
        parsed: { kind: "unreadable", problem: "" },
      } as const;
      await expect(queue.acknowledge(received, { signal })).rejects.toMatchObject({
        code: "queue-handle-expired",
      });
      await expect(queue.renew(received, { signal })).rejects.toMatchObject({ code: "queue-handle-expired" });
      expect((await queue.depth({ signal })).ready).toBe(1);
    },
  );
});

describe("the long poll", () => {
  test("looks for 250 ms and then gives up", async () => {
    const { queue, clock } = await openQueue();
    const startedMs = clock.monotonicMs();
    expect(await queue.receive({ signal })).toBeUndefined();
    expect(clock.monotonicMs() - startedMs).toBe(250);
  });

  test("finds a message that becomes visible meanwhile", async () => {
    const { queue, clock } = await openQueue();
    await queue.sendBodies(["task-1"], { signal, delayMs: 120 });
    const startedMs = clock.monotonicMs();
    expect((await queue.receive({ signal }))?.body).toBe("task-1");
    expect(clock.monotonicMs() - startedMs).toBe(150);
  });

  test("ends when it is aborted while it sleeps", async () => {
    const controller = new AbortController();
    const reason = new Error("time is up");
    class AbortingClock extends ManualClock {
      override sleep(ms: number, sleepSignal?: AbortSignal): Promise<void> {
        controller.abort(reason);
        return super.sleep(ms, sleepSignal);
      }
    }
    const { queue } = await openQueue(undefined, new AbortingClock());
    await expect(queue.receive({ signal: controller.signal })).rejects.toBe(reason);
  });
});

describe("a file that is locked by another process", () => {
  test("is waited for, asleep", async () => {
    class ReleasingClock extends ManualClock {
      release: (() => void) | undefined;
      override sleep(ms: number): Promise<void> {
        this.release?.();
        return super.sleep(ms);
      }
    }
    const clock = new ReleasingClock();
    const { queue, filePath } = await openQueue(undefined, clock);
    const blocker = rawDatabase(filePath);
    blocker.exec("BEGIN IMMEDIATE");
    clock.release = () => {
      clock.release = undefined;
      blocker.exec("COMMIT");
    };
    await queue.sendBodies(["task-1"], NOW);
    expect(clock.release).toBeUndefined();
    expect((await queue.receive({ signal }))?.body).toBe("task-1");
  });

  test("is given up after ten seconds, and can be used when it is free again", async () => {
    const { queue, clock, filePath } = await openQueue();
    const blocker = rawDatabase(filePath);
    blocker.exec("BEGIN IMMEDIATE");
    const startedMs = clock.monotonicMs();
    await expect(queue.sendBodies(["task-1"], NOW)).rejects.toMatchObject({
      code: "queue-unavailable",
      scope: "system",
      retry: "later",
    });
    expect(clock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(10_000);
    expect(clock.monotonicMs() - startedMs).toBeLessThan(10_100);
    blocker.exec("ROLLBACK");
    await queue.sendBodies(["task-1"], NOW);
    expect((await queue.depth({ signal })).ready).toBe(1);
  });

  test("can be opened by many at once when it is new", async () => {
    const filePath = join(await temporaryFolder(), "new", "folder", "queue.db");
    const opened = await Promise.all(Array.from({ length: 8 }, () => openQueue(filePath)));
    await Promise.all(opened.map(({ queue }, index) => queue.sendBodies([`task-${index}`], NOW)));
    expect(await opened[0]?.queue.depth({ signal })).toMatchObject({ ready: 8 });
  });
});

describe("a file that is not a queue of this program", () => {
  test("is refused when a newer version wrote it, and left as it is", async () => {
    const { queue, filePath } = await openQueue();
    await queue.sendBodies(["task-1"], NOW);
    queue.close();
    const database = rawDatabase(filePath);
    database.exec("PRAGMA user_version = 2");
    await expect(openQueue(filePath)).rejects.toMatchObject({
      code: "queue-misconfigured",
      message: expect.stringContaining("newer version"),
    });
    expect(database.prepare("SELECT count(*) AS count FROM messages").get()).toMatchObject({ count: 1 });
  });

  test("is refused when it is another program's database", async () => {
    const filePath = join(await temporaryFolder(), "other.db");
    rawDatabase(filePath).exec("CREATE TABLE songs (title TEXT)");
    await expect(openQueue(filePath)).rejects.toMatchObject({
      code: "queue-misconfigured",
      message: expect.stringContaining("another program"),
    });
  });

  test("is refused when it is not a database at all, and left as it is", async () => {
    const filePath = join(await temporaryFolder(), "notes.txt");
    const text = "These are my notes, and not a queue.\n".repeat(100);
    await writeFile(filePath, text);
    const clock = new ManualClock();
    const startedMs = clock.monotonicMs();
    await expect(openQueue(filePath, clock)).rejects.toMatchObject({
      code: "queue-misconfigured",
      scope: "system",
    });
    expect(clock.monotonicMs(), "trying again cannot help").toBe(startedMs);
    expect(await readFile(filePath, "utf8")).toBe(text);
  });

  test("is refused when it is a folder", async () => {
    await expect(openQueue(await temporaryFolder())).rejects.toMatchObject({ code: "queue-forbidden" });
  });

  test("is refused when its folder is a file", async () => {
    const file = join(await temporaryFolder(), "file");
    await writeFile(file, "");
    await expect(openQueue(join(file, "queue.db"))).rejects.toMatchObject({ code: "queue-misconfigured" });
  });

  test("is called damaged when it is cut short", async () => {
    const { queue, filePath } = await openQueue();
    await queue.sendBodies(["task-1"], NOW);
    queue.close();
    await truncate(filePath, 5_000);
    await expect(
      openQueue(filePath).then(({ queue: damaged }) => damaged.receive({ signal })),
    ).rejects.toMatchObject({ code: "queue-misconfigured" });
  });
});

describe("the disk", () => {
  test("that is read-only forbids the queue, and the hint names the folder", async (context) => {
    const disk = await mountTinyDisk(context, "4m");
    disk.makeReadOnly();
    await expect(openQueue(join(disk.folder, "queue.db"))).rejects.toMatchObject({
      code: "queue-forbidden",
      scope: "system",
      hint: expect.stringContaining(disk.folder),
    });
    await expect(openQueue(join(disk.folder, "new", "queue.db"))).rejects.toMatchObject({
      code: "queue-forbidden",
    });
  });

  test("that becomes full refuses the message, keeps the others, and takes it when there is room", async (context) => {
    const disk = await mountTinyDisk(context, "1m");
    const ballast = join(disk.folder, "ballast");
    await writeFile(ballast, Buffer.alloc(500_000));
    const { queue } = await openQueue(join(disk.folder, "queue.db"));
    const big = "x".repeat(100_000);
    let accepted = 0;
    let refused: unknown;
    while (accepted < 20 && refused === undefined) {
      refused = await queue.sendBodies([big], NOW).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      accepted += refused === undefined ? 1 : 0;
    }
    expect(refused).toMatchObject({ code: "queue-full", scope: "system", retry: "later" });
    expect((await queue.depth({ signal })).ready).toBe(accepted);

    await rm(ballast);
    await queue.sendBodies([big], NOW);
    expect((await queue.depth({ signal })).ready).toBe(accepted + 1);
  });

  test("that becomes full gives out no message whose lease it cannot keep", async (context) => {
    const disk = await mountTinyDisk(context, "1m");
    const { queue } = await openQueue(join(disk.folder, "queue.db"));
    await queue.sendBodies(["task-1"], NOW);
    const ballast = join(disk.folder, "ballast");
    await writeFile(ballast, Buffer.alloc(2 * 1024 * 1024)).catch(() => undefined);
    await expect(queue.receive({ signal })).rejects.toMatchObject({ code: "queue-full", scope: "system" });

    await rm(ballast);
    const received = await queue.receive({ signal });
    expect(received).toMatchObject({ body: "task-1", receiveCount: 1 });
  });

  test("that is full before the queue is opened is called full", async (context) => {
    const disk = await mountTinyDisk(context, "1m");
    const ballast = join(disk.folder, "ballast");
    const codes: unknown[] = [];
    // Page by page, so that each step of opening a queue meets the full disk once.
    for (let freePages = 0; freePages < 32; freePages += 1) {
      await writeFile(ballast, Buffer.alloc(1024 * 1024 - freePages * 4096));
      const filePath = join(disk.folder, "queue.db");
      codes.push(
        await openQueue(filePath).then(
          ({ queue }) => queue.close(),
          (thrown: unknown) => (thrown instanceof QueueError ? thrown.code : thrown),
        ),
      );
      await Promise.all(["", "-wal", "-shm"].map((suffix) => rm(filePath + suffix, { force: true })));
    }
    expect(codes[0]).toBe("queue-full");
    expect(codes.at(-1)).toBeUndefined();
    expect(new Set(codes)).toEqual(new Set(["queue-full", undefined]));
  });
});
