import { describe, expect, test } from "vitest";
import type { PlatformErrorCode } from "../../lib/ports/platform.ts";
import { parseBody } from "../../lib/queue/message-codec.ts";
import type { Site } from "../world/faults.ts";
import { platformError, queueError, storeError } from "../world/port-errors.ts";
import { expectSystemFailure, HOUR_MS, MINUTE_MS, Scene } from "./scene.ts";

const FOREVER = Number.POSITIVE_INFINITY;
const VERDICT_DELAY_MS = 15 * MINUTE_MS;

/** Messages that come back only after the 15 min of a verdict. */
function idsHeldBack(scene: Scene): readonly string[] {
  const fromMs = scene.world.clock.monotonicMs() + VERDICT_DELAY_MS - 2 * MINUTE_MS;
  return scene.world.queue.messages
    .filter(({ visibleAtMs }) => visibleAtMs > fromMs)
    .flatMap(({ body }) => {
      const parsed = parseBody(body);
      return parsed.kind === "task" ? [parsed.message.exportTaskId] : [];
    })
    .sort();
}

describe("the list fails", () => {
  test("in the preflight: nothing is received", async () => {
    const scene = new Scene();
    scene.addTask();
    const error = platformError("platform-unauthenticated");
    scene.world.faults.plant({ site: "platform.listExportTasks", times: FOREVER, form: "not-done", error });
    expectSystemFailure(await scene.run(), "platform-unauthenticated");
    expect(scene.count("queue.receive")).toBe(0);
    expect(scene.count("store.putDocument")).toBe(1); // the report
  });

  test.each<PlatformErrorCode>(["platform-unavailable", "platform-malformed-answer", "platform-forbidden"])(
    "in an attempt, %s: the messages are handed back unchanged",
    async (code) => {
      const scene = new Scene();
      const [first = "", second = ""] = scene.addTasks(2);
      scene.world.faults.plant({
        site: "platform.listExportTasks",
        occurrence: 2,
        times: FOREVER,
        form: "not-done",
        error: platformError(code),
      });
      expectSystemFailure(await scene.run(), code);
      expect([...scene.bodies()].sort()).toEqual([first, second].sort());
      scene.world.faults.clear();
      await scene.runUntilQueueIsEmpty(2);
      scene.expectAllDone([first, second]);
    },
  );

  test("one lost list is asked for again at once", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const error = platformError("platform-unreachable", { retry: "now" });
    scene.world.faults.plant({ site: "platform.listExportTasks", times: 2, form: "not-done", error });
    expect((await scene.run()).stopReason).toBe("drained");
    scene.expectAllDone([id]);
  });

  test("after the delete: handed back, the next run finds it gone", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.faults.plant({
      site: "platform.listExportTasks",
      occurrence: 5,
      times: FOREVER,
      form: "not-done",
      error: platformError("platform-unavailable"),
    });
    expectSystemFailure(await scene.run(), "platform-unavailable");
    expect(scene.bodies()).toEqual([id]);
    scene.world.faults.clear();
    await scene.run();
    scene.expectAllDone([id]);
    expect(scene.record(id, "deleted").outcome).toBe("already-gone");
  });
});

describe("permission and space", () => {
  test.each([
    ["store-forbidden", "store.openUpload", storeError("store-forbidden")],
    ["store-full", "store.write", storeError("store-full")],
    ["platform-forbidden", "platform.showExportTask", platformError("platform-forbidden")],
  ] as const)(
    "%s met by a second task stops the run; both come back after 15 min unchanged",
    async (code, site, error) => {
      const scene = new Scene();
      const ids = scene.addTasks(5);
      scene.world.faults.plant({ site, times: FOREVER, form: "not-done", error });
      const report = await scene.run();
      expectSystemFailure(report, code);
      expect(report.counts).toMatchObject({ retried: 0, postponed: 2, deadLettered: 0 });
      expect(idsHeldBack(scene)).toEqual(ids.slice(0, 2));
      for (const message of scene.messages()) {
        expect(message.attempts).toBeUndefined();
        expect(message.firstFailedAtMs).toBeUndefined();
      }
      expect(scene.world.store.openUploads).toEqual([]);
      scene.world.faults.clear();
      await scene.runUntilQueueIsEmpty(3);
      scene.expectAllDone(ids);
    },
  );

  test("met by one task only, with nothing else to do, is the system's failure as well", async () => {
    const scene = new Scene();
    scene.addTask();
    const error = storeError("store-full");
    scene.world.faults.plant({ site: "store.openUpload", times: FOREVER, form: "not-done", error });
    expectSystemFailure(await scene.run(), "store-full");
    expect(scene.message().attempts).toBeUndefined();
  });

  test("met by one task while another succeeds counts as its attempt", async () => {
    const scene = new Scene();
    const [healthyId = "", poisonedId = ""] = scene.addTasks(2);
    scene.world.faults.plant({
      site: "store.openUpload",
      match: ({ subject }) => subject.includes(poisonedId),
      times: FOREVER,
      form: "not-done",
      error: storeError("store-forbidden"),
    });
    const report = await scene.run();
    expect(report).toMatchObject({ stopReason: "drained", counts: { archived: 1, retried: 1 } });
    expect(scene.world.platform.has(healthyId)).toBe(false);
    expect(scene.message()).toMatchObject({ exportTaskId: poisonedId, attempts: 1 });
  });
});

describe("three tasks that fail alike", () => {
  test("stop the run; nothing counts", async () => {
    const scene = new Scene();
    const ids = scene.addTasks(6);
    const error = platformError("platform-unavailable");
    scene.world.faults.plant({ site: "platform.showExportTask", times: FOREVER, form: "not-done", error });
    const report = await scene.run();
    expectSystemFailure(report, "platform-unavailable");
    expect(report.counts).toMatchObject({ retried: 0, postponed: 3, deadLettered: 0 });
    expect(idsHeldBack(scene)).toEqual(ids.slice(0, 3));
    expect(scene.messages().every(({ attempts }) => attempts === undefined)).toBe(true);
    expect(scene.messages()).toHaveLength(6);
  });

  test("in different ways do not", async () => {
    const scene = new Scene();
    scene.addTasks(3);
    const codes: readonly PlatformErrorCode[] = [
      "platform-unavailable",
      "platform-unreachable",
      "platform-disguised-error",
    ];
    scene.world.faults.plant(
      ...codes
        .map((code) => ({
          site: "platform.showExportTask" as const,
          form: "not-done" as const,
          error: platformError(code),
        }))
        .map((fault, index) => ({ ...fault, occurrence: index + 1 })),
    );
    const report = await scene.run();
    expect(report).toMatchObject({ stopReason: "drained", counts: { retried: 3 } });
    expect(scene.messages().map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
  });

  test("the same task three times is one task", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.queue.send(id);
    scene.world.queue.send(id);
    const error = platformError("platform-unavailable");
    scene.world.faults.plant({ site: "platform.showExportTask", times: FOREVER, form: "not-done", error });
    expect((await scene.run()).stopReason).toBe("drained");
  });

  test("one that a proxy answers for all with the same page is not remembered as rejected", async () => {
    const scene = new Scene();
    const ids = scene.addTasks(4);
    const bytes = Buffer.from("The proxy is down for maintenance.");
    const page = { kind: "replace", bytes } as const;
    scene.world.faults.plant({ site: "platform.body", times: FOREVER, form: "body", damage: page });
    for (let run = 1; run <= 4; run += 1) {
      expectSystemFailure(await scene.run(), "body-not-accepted");
      expect(scene.messages().every(({ rejectedSha256 }) => rejectedSha256 === undefined)).toBe(true);
      await scene.wait(VERDICT_DELAY_MS + MINUTE_MS);
    }
    expect(scene.world.queue.deadLetters).toEqual([]);
    scene.world.faults.clear();
    await scene.runUntilQueueIsEmpty(3);
    scene.expectAllDone(ids);
  });
});

describe("one poisoned task among healthy ones", () => {
  test("never stops them and is counted each time", async () => {
    const scene = new Scene();
    const poisonedId = scene.addTask();
    const healthy: string[] = [];
    scene.world.faults.plant({
      site: "platform.showExportTask",
      match: ({ subject }) => subject === poisonedId,
      times: FOREVER,
      form: "not-done",
      error: platformError("platform-unavailable"),
    });
    let attempts = 0;
    for (let run = 1; run <= 6; run += 1) {
      healthy.push(...scene.addTasks(4));
      const report = await scene.run();
      expect(report.stopReason).toBe("drained");
      expect(report.counts).toMatchObject({ archived: 4, deleted: 4, deadLettered: 0 });
      expect(report.counts.retried).toBeGreaterThan(0);
      attempts += report.counts.retried;
      expect(scene.message()).toMatchObject({ exportTaskId: poisonedId, attempts });
      expect(healthy.some((id) => scene.world.platform.has(id))).toBe(false);
      await scene.wait(15 * MINUTE_MS);
    }
    expect(scene.world.queue.deadLetters).toEqual([]);
  });
});

describe("a fault of the system for hours dead-letters nothing (I5)", () => {
  const outages: readonly (readonly [name: string, site: Site, error: Error])[] = [
    ["wrong credentials", "platform.listExportTasks", platformError("platform-unauthenticated")],
    ["download endpoint down", "platform.showExportTask", platformError("platform-unavailable")],
    ["download forbidden", "platform.showExportTask", platformError("platform-forbidden")],
    ["delete forbidden", "platform.deleteExportTask", platformError("platform-forbidden")],
    ["store not reached", "store.preflight", storeError("store-unavailable")],
    ["store full", "store.openUpload", storeError("store-full")],
    ["store cannot be listed", "store.list", storeError("store-unavailable")],
    ["no record can be written", "store.putDocument", storeError("store-forbidden")],
    ["queue not reached", "queue.receive", queueError("queue-unavailable")],
    ["acknowledging forbidden", "queue.acknowledge", queueError("queue-forbidden")],
  ];

  test.each(outages)("%s, 100 runs", async (_name, site, error) => {
    const scene = new Scene();
    const ids = scene.addTasks(4);
    scene.world.faults.plant({ site, times: FOREVER, form: "not-done", error });
    for (let run = 1; run <= 100; run += 1) {
      await scene.run();
      await scene.wait(15 * MINUTE_MS);
    }
    expect(scene.world.queue.deadLetters).toEqual([]);
    scene.world.faults.clear();
    await scene.wait(15 * MINUTE_MS);
    await scene.runUntilQueueIsEmpty(10);
    scene.expectAllDone(ids);
    expect(scene.world.clock.monotonicMs()).toBeGreaterThan(25 * HOUR_MS);
  });
});

describe("the queue", () => {
  test.each(["queue.acknowledge", "queue.send"] as const)("%s that fails stops the run", async (site) => {
    const scene = new Scene();
    const [id = ""] = scene.addTasks(1);
    if (site === "queue.send") {
      scene.world.faults.plant({ site: "platform.body", form: "body", damage: { kind: "html" } });
    }
    scene.world.faults.plant({ site, form: "not-done", error: queueError("queue-unavailable") });
    expectSystemFailure(await scene.run(), "queue-unavailable");
    expect(scene.bodies()).toHaveLength(1);
    await scene.wait(2 * MINUTE_MS);
    await scene.run();
    scene.expectAllDone([id]);
  });

  test("an expired handle is harmless", async () => {
    const scene = new Scene();
    const ids = scene.addTasks(2);
    const error = queueError("queue-handle-expired");
    scene.world.faults.plant({ site: "queue.acknowledge", form: "not-done", error });
    const report = await scene.run();
    expect(report.stopReason).toBe("drained");
    expect(scene.events.filter(({ kind }) => kind === "lease-lost")).toHaveLength(1);
    expect(scene.bodies()).toHaveLength(1);
    await scene.wait(2 * MINUTE_MS);
    await scene.run();
    scene.expectAllDone(ids);
  });

  test("a message is kept invisible while it is worked on, and lost renewals are harmless", async () => {
    const scene = new Scene({ queue: { visibilityMs: 30_000 } });
    const ids = scene.addTasks(3);
    const error = queueError("queue-unavailable");
    scene.world.faults.plant({ site: "queue.renew", times: 2, form: "not-done", error });
    await scene.run();
    scene.expectAllDone(ids);
    expect(scene.count("queue.renew")).toBeGreaterThan(0);
    expect(scene.events).toContainEqual(expect.objectContaining({ kind: "warning", code: "renewal-failed" }));
    expect(scene.count("queue.receive")).toBeLessThan(40);
  });
});
