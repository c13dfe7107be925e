import { describe, expect, test } from "vitest";
import { revisionOf } from "../../lib/domain/export-task.ts";
import { BodyCheck } from "../../lib/integrity/body-check.ts";
import type { PlatformErrorCode } from "../../lib/ports/platform.ts";
import { ALWAYS, collect } from "./example-archiver.ts";
import { exportFile, fileOf, sha256Hex } from "./export-file.ts";
import type { BodyDamage } from "./faults.ts";
import { platformError } from "./port-errors.ts";
import { type Runner, World, type WorldOptions } from "./world.ts";

function start(options: WorldOptions = {}): { world: World; runner: Runner } {
  const world = new World(options);
  return { world, runner: world.startRunner("a") };
}

const code = (expected: PlatformErrorCode) => expect.objectContaining({ code: expected });

describe("list and limits", () => {
  test("newest first, with what the platform says of each", async () => {
    const { world, runner } = start();
    const ids = [world.platform.addTask(), world.platform.addTask({ status: "Failed" })];
    const { tasks, platformDateMs } = await world.run(() => runner.platform.listExportTasks(ALWAYS));
    expect(tasks.map(({ exportTaskId, status }) => [exportTaskId, status])).toEqual([
      [ids[1], "Failed"],
      [ids[0], "Success"],
    ]);
    expect(tasks[1]?.source).toMatchObject({ export_task_id: ids[0], status: "Success", export_count: 1 });
    expect(platformDateMs).toBeLessThanOrEqual(world.clock.wallMs());
    expect((platformDateMs ?? 1) % 1000).toBe(0);
  });

  test("the 51st task destroys the earliest", async () => {
    const { world, runner } = start();
    const ids = Array.from({ length: 50 }, () => world.platform.addTask());
    expect(world.platform.evicted).toEqual([]);
    const request = { resourceCondition: { task_id: "one more" } };
    await world.run(() => runner.platform.createExportTask(request, ALWAYS));
    expect(world.platform.evicted).toEqual([ids[0]]);
    expect(world.platform.list()).toHaveLength(50);
    expect(world.platform.has(ids[0] ?? "")).toBe(false);
  });

  test("a sixth unfinished task is refused; finished ones make room", async () => {
    const { world, runner } = start({ platform: { processingMs: 20_000 } });
    const create = (name: string) =>
      runner.platform.createExportTask({ resourceCondition: { task_id: name } }, ALWAYS);
    await world.run(async () => {
      for (const name of ["1", "2", "3", "4", "5"]) {
        expect((await create(name)).status).toBe("Processing");
      }
      await expect(create("6")).rejects.toThrow(code("platform-rejected-request"));
      await runner.clock.sleep(20_000);
      await create("6");
    });
    expect(world.platform.list().map(({ task }) => task.status)).toEqual([
      "Processing",
      ...Array(5).fill("Success"),
    ]);
  });

  test("an export ends at its own time, not when somebody looks", async () => {
    const { world } = start({ clock: { startWallMs: 0 } });
    const id = world.platform.addTask({ status: "Processing", processingMs: 10_000 });
    expect(world.platform.list()[0]?.task).toMatchObject({ status: "Processing", endTime: undefined });
    expect(world.platform.fileOf(id)).toBeUndefined();
    await world.run(() => world.clock.sleep(60_000));
    expect(world.platform.list()[0]?.task).toMatchObject({
      status: "Success",
      endTime: "1970-01-01T00:00:10.000Z",
    });
  });

  test("a list never shows an older state than the platform's, however often it was asked", async () => {
    const { world, runner } = start({ platform: { sameCondition: "keeps-id" } });
    const { platform } = world;
    const resourceCondition = { task_id: "batch" };
    const failing = platform.addTask({
      status: "Processing",
      endsAs: "Failed",
      processingMs: 1_000,
      resourceCondition,
    });
    const file = exportFile(1);
    const finished = platform.addTask({ file, exportCount: 1 });
    const statusOf = (id: string) => platform.list().find(({ task }) => task.exportTaskId === id)?.task;
    expect([statusOf(failing)?.status, statusOf(finished)?.exportCount]).toEqual(["Processing", 1]);
    await world.run(() => runner.clock.sleep(1_000));
    expect(statusOf(failing)?.status).toBe("Failed");
    platform.overwriteTask(finished, file, 2);
    expect(statusOf(finished)?.exportCount).toBe(2);
    await world.run(() => runner.platform.createExportTask({ resourceCondition }, ALWAYS));
    expect(statusOf(failing)?.status).toBe("Processing");
  });

  test("a same-condition create that keeps the id gives it another revision and file", async () => {
    const { world, runner } = start({ platform: { sameCondition: "keeps-id", processingMs: 5_000 } });
    const resourceCondition = { task_id: "batch" };
    const id = world.platform.addTask({ resourceCondition });
    const before = world.platform.list()[0];
    await world.run(async () => {
      const created = await runner.platform.createExportTask({ resourceCondition }, ALWAYS);
      expect(created).toMatchObject({ exportTaskId: id, status: "Processing" });
      await runner.clock.sleep(5_000);
    });
    const [after, ...others] = world.platform.list();
    expect(others).toEqual([]);
    expect(after && before && revisionOf(after.task) !== revisionOf(before.task)).toBe(true);
    expect(after?.fileSha256).not.toBe(before?.fileSha256);
  });

  test("one with a new id overwrites the older task's file once it has finished, and a delete takes it from both", async () => {
    const { world, runner } = start({ platform: { sameCondition: "new-id", processingMs: 5_000 } });
    const resourceCondition = { task_id: "batch" };
    const older = world.platform.addTask({ resourceCondition });
    const oldFile = world.platform.fileOf(older);
    const { exportTaskId: newer } = await world.run(() =>
      runner.platform.createExportTask({ resourceCondition }, ALWAYS),
    );
    expect(newer).not.toBe(older);
    expect(world.platform.fileOf(older)).toBe(oldFile);
    await world.run(() => runner.clock.sleep(5_000));
    expect(world.platform.fileOf(older)).not.toBe(oldFile);
    expect(world.platform.fileOf(older)).toBe(world.platform.fileOf(newer));
    world.platform.removeTask(older);
    expect(world.platform.fileOf(newer)).toBeUndefined();
  });

  test("a delete removes; a second one finds no task", async () => {
    const { world, runner } = start();
    const id = world.platform.addTask();
    await world.run(async () => {
      await runner.platform.deleteExportTask(id, ALWAYS);
      await expect(runner.platform.deleteExportTask(id, ALWAYS)).rejects.toThrow(
        code("platform-task-not-found"),
      );
    });
    expect(world.effects.at("platform.deleteExportTask").map(({ outcome }) => outcome)).toEqual([
      "done",
      "refused",
    ]);
  });
});

describe("download", () => {
  test("gives the file, which passes the integrity check member by member", async () => {
    const { world, runner } = start();
    const file = exportFile(99, 5_000);
    const id = world.platform.addTask({ file });
    const [download, bytes] = await world.run(async () => {
      const opened = await runner.platform.showExportTask(id, ALWAYS);
      return [opened, await collect(opened.body)] as const;
    });
    expect(download.contentLengthBytes).toBe(file.bytes.length);
    expect(sha256Hex(bytes)).toBe(file.sha256);
    const { contentLengthBytes } = download;
    const check = new BodyCheck({ accept: "zip", membersLimitBytes: 1 << 20, contentLengthBytes });
    check.update(bytes);
    const verdict = await check.finish(ALWAYS);
    expect(verdict).toMatchObject({ kind: "whole", container: "members", sha256: file.sha256 });
  });

  test("a change of what was downloaded does not change the platform's file", async () => {
    const { world, runner } = start();
    const file = fileOf(Buffer.from(exportFile(2).bytes));
    const id = world.platform.addTask({ file });
    await world.run(async () => {
      for await (const chunk of (await runner.platform.showExportTask(id, ALWAYS)).body) {
        chunk.fill(0);
      }
    });
    expect(sha256Hex(file.bytes)).toBe(file.sha256);
  });

  test("a start too close to the last is throttled and counts itself", async () => {
    const { world, runner } = start({ platform: { connectLatency: 0, firstByteLatency: 0 } });
    const id = world.platform.addTask();
    const show = () => runner.platform.showExportTask(id, ALWAYS);
    await world.run(async () => {
      await show();
      await runner.clock.sleep(29_999);
      const refused = show();
      await expect(refused).rejects.toThrow(code("platform-throttled"));
      await expect(refused).rejects.toMatchObject({ httpStatus: 403, throttle: { intervals: 1 } });
      await runner.clock.sleep(29_999);
      world.platform.settings.throttleAnswer = "429";
      world.platform.settings.retryAfterMs = 90_000;
      await expect(show()).rejects.toMatchObject({ throttle: { intervals: 2, retryAfterMs: 90_000 } });
      await runner.clock.sleep(30_000);
      await show();
    });
    expect(world.findViolations().filter((violation) => violation.startsWith("I4"))).toHaveLength(2);
  });

  test("a request that beforeRequest stops is never sent", async () => {
    const { world, runner } = start();
    const id = world.platform.addTask();
    const stale = new Error("stale slot");
    const beforeRequest = () => {
      throw stale;
    };
    await world.run(async () => {
      await expect(runner.platform.showExportTask(id, { ...ALWAYS, beforeRequest })).rejects.toBe(stale);
      // The pace has not begun.
      await runner.platform.showExportTask(id, ALWAYS);
    });
    expect(world.findViolations()).toEqual([]);
  });

  const whole = fileOf(Buffer.from(exportFile(1).bytes));
  const wholeBytes = whole.bytes.length;
  test.each<[BodyDamage, { declared: number | undefined; sent: number }]>([
    [
      { kind: "short", keepBytes: 100, declared: "whole" },
      { declared: wholeBytes, sent: 100 },
    ],
    [
      { kind: "short", keepBytes: 100, declared: "none" },
      { declared: undefined, sent: 100 },
    ],
    [
      { kind: "short", keepBytes: 0, declared: "sent" },
      { declared: 0, sent: 0 },
    ],
    [
      { kind: "extra", extraBytes: 7, declared: "whole" },
      { declared: wholeBytes, sent: wholeBytes + 7 },
    ],
    [
      { kind: "flip", atByte: 1_000 },
      { declared: wholeBytes, sent: wholeBytes },
    ],
    [
      { kind: "replace", bytes: Buffer.from("<html>") },
      { declared: 6, sent: 6 },
    ],
    [{ kind: "no-length" }, { declared: undefined, sent: wholeBytes }],
  ])("a damaged body: %j", async (damage, expected) => {
    const { world, runner } = start();
    const id = world.platform.addTask({ file: whole });
    world.faults.plant({ site: "platform.body", form: "body", damage });
    const [declared, bytes] = await world.run(async () => {
      const download = await runner.platform.showExportTask(id, ALWAYS);
      return [download.contentLengthBytes, await collect(download.body)] as const;
    });
    expect({ declared, sent: bytes.length }).toEqual(expected);
    expect(sha256Hex(bytes) === whole.sha256).toBe(damage.kind === "no-length");
    expect(sha256Hex(whole.bytes)).toBe(whole.sha256);
  });

  test("a web page fails the call itself, a reset the iteration", async () => {
    const { world, runner } = start();
    const id = world.platform.addTask();
    world.faults.plant(
      { site: "platform.body", form: "body", damage: { kind: "html" } },
      { site: "platform.body", occurrence: 2, form: "body", damage: { kind: "reset", afterBytes: 1_500 } },
    );
    let receivedBytes = 0;
    await world.run(async () => {
      await expect(runner.platform.showExportTask(id, ALWAYS)).rejects.toThrow(
        code("platform-disguised-error"),
      );
      await runner.clock.sleep(31_000);
      const { body } = await runner.platform.showExportTask(id, ALWAYS);
      const reading = (async () => {
        for await (const chunk of body) {
          receivedBytes += chunk.length;
        }
      })();
      await expect(reading).rejects.toThrow(code("platform-unreachable"));
    });
    expect(receivedBytes).toBe(1_500);
  });

  test("a stalled body ends by cancel, by the caller's signal, or as a named deadlock", async () => {
    const { world, runner } = start();
    const id = world.platform.addTask();
    const damage = { kind: "stall", afterBytes: 10 } as const;
    world.faults.plant({ site: "platform.body", times: 3, form: "body", damage });
    const reason = new Error("idle for too long");
    await world.run(async () => {
      const cancelled = await runner.platform.showExportTask(id, ALWAYS);
      world.clock.schedule(40_000, () => cancelled.cancel());
      await expect(collect(cancelled.body)).rejects.toThrow(code("platform-unreachable"));
      const controller = new AbortController();
      const aborted = await runner.platform.showExportTask(id, controller);
      world.clock.schedule(40_000, () => controller.abort(reason));
      await expect(collect(aborted.body)).rejects.toBe(reason);
    });
    const forever = world.run(async () => collect((await runner.platform.showExportTask(id, ALWAYS)).body));
    await expect(forever).rejects.toThrow(`deadlock: nothing is scheduled and main has not settled`);
    expect(runner.process.callsInFlight).toEqual([`a platform.body ${id}`]);
  });

  test("a call that fails before the request is written does not count against the pace", async () => {
    const { world, runner } = start();
    const id = world.platform.addTask();
    const error = platformError("platform-unreachable");
    world.faults.plant({ site: "platform.showExportTask", form: "not-done", error });
    await world.run(async () => {
      await expect(runner.platform.showExportTask(id, ALWAYS)).rejects.toBe(error);
      await runner.platform.showExportTask(id, ALWAYS);
    });
    expect(world.findViolations()).toEqual([]);
  });
});
