import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { PACING_STATE_KEY } from "../../lib/domain/key-layout.ts";
import { exportFile } from "../world/export-file.ts";
import { platformError, queueError } from "../world/port-errors.ts";
import { HOUR_MS, MINUTE_MS, onlyEntry, Scene, SECOND_MS } from "./scene.ts";

const FOREVER = Number.POSITIVE_INFINITY;

/** Another run has this scene's only message in its hands, renews its lease, and gives it up in the end. */
function givenUpElsewhere({ world }: Scene, alsoThen: () => void, afterMs = 30 * SECOND_MS): void {
  const taken = world.queueApart.take();
  if (taken === undefined) {
    throw new Error("the scene has no message");
  }
  const renewEveryMs = world.queue.settings.visibilityMs / 3;
  for (let atMs = renewEveryMs; atMs < afterMs; atMs += renewEveryMs) {
    world.clock.schedule(atMs, () => world.queueApart.renew(taken.handle));
  }
  world.clock.schedule(afterMs, () => {
    const { body, handle } = taken;
    world.queueApart.addDeadLetter({
      body,
      reason: "export-failed",
      detail: "",
      attempts: 0,
      runId: "theirs",
    });
    world.queueApart.remove(handle);
    alsoThen();
  });
}

function startedIds(scene: Scene): readonly string[] {
  return scene.events.flatMap((event) => (event.kind === "task-started" ? [event.exportTaskId] : []));
}

describe("a run that has too little time", () => {
  test("for any task asks for nothing", async () => {
    const scene = new Scene();
    scene.addTask();
    await scene.run({ limitMs: 59 * SECOND_MS });
    expect(scene.count("store.preflight")).toBe(0);
    expect(scene.count("platform.listExportTasks")).toBe(0);
  });

  test("for more than the preflight makes it, and receives nothing", async () => {
    const scene = new Scene();
    scene.addTask();
    const report = await scene.run({ limitMs: MINUTE_MS });
    expect(report).toMatchObject({
      stopReason: "time-budget",
      counts: { received: 0 },
      platform: { held: 1 },
    });
    expect(scene.count("queue.receive")).toBe(0);
  });

  test("because its preflight stalls ends in time, its report stored or not", async () => {
    const scene = new Scene();
    scene.addTask();
    scene.world.faults.plant(
      { site: "platform.listExportTasks", times: FOREVER, form: "stall" },
      { site: "store.putDocument", times: FOREVER, form: "stall" },
    );
    // Of 3 s, two thirds for the preflight and half of the rest for the report.
    const report = await scene.run({ limitMs: 3 * SECOND_MS, settings: { minTaskMs: SECOND_MS } });
    expect(report).toMatchObject({ stopReason: "time-budget", tasks: [] });
    expect(report.platform).toEqual({ limit: 50 });
    expect(scene.world.clock.monotonicMs()).toBe(2_500);
  });

  test("because the queue stalls ends with its grace, however little a task needs", async () => {
    const scene = new Scene();
    scene.addTask();
    scene.world.faults.plant({ site: "queue.receive", times: FOREVER, form: "stall" });
    const report = await scene.run({ limitMs: MINUTE_MS, settings: { minTaskMs: SECOND_MS } });
    expect(report).toMatchObject({ stopReason: "time-budget", counts: { received: 0 } });
    expect(scene.world.clock.monotonicMs()).toBeLessThan(41 * SECOND_MS);
  });
});

describe("a run that is stopped", () => {
  test("by the system: failures held until then do not count, though something else failed", async () => {
    const scene = new Scene();
    const [failedId = "", waitingId = ""] = scene.addTasks(2);
    const isLater = () => scene.world.clock.monotonicMs() > 10 * SECOND_MS;
    scene.world.faults.plant(
      { site: "platform.showExportTask", form: "not-done", error: platformError("platform-unavailable") },
      {
        site: "queue.receive",
        match: isLater,
        times: FOREVER,
        form: "not-done",
        error: queueError("queue-unavailable"),
      },
    );
    const report = await scene.run();
    expect(report).toMatchObject({ stopReason: "system-failure", failure: { code: "queue-unavailable" } });
    expect(onlyEntry(report)).toMatchObject({
      exportTaskId: failedId,
      outcome: "postponed",
      reason: "system-failure",
    });
    expect(scene.messages().map(({ exportTaskId }) => exportTaskId)).toEqual([waitingId, failedId]);
    expect(scene.messages().every(({ attempts }) => attempts === undefined)).toBe(true);
  });

  test("by an operator in its last minute was stopped by the operator, not by its time", async () => {
    const scene = new Scene();
    scene.world.platform.settings.chunkLatency = 2 * MINUTE_MS;
    scene.addTasks(2);
    const interrupt = new AbortController();
    scene.world.clock.schedule(150 * SECOND_MS, () => interrupt.abort(new Error("SIGINT")));
    const report = await scene.run({ signal: interrupt.signal, limitMs: 3 * MINUTE_MS });
    expect(report).toMatchObject({ stopReason: "aborted", tasks: [], counts: { received: 2 } });
  });

  test("by an operator whose message cannot be handed back tells of that failure", async () => {
    const scene = new Scene();
    scene.world.platform.settings.chunkLatency = 10 * SECOND_MS;
    scene.addTask();
    const interrupt = new AbortController();
    scene.world.clock.schedule(15 * SECOND_MS, () => interrupt.abort(new Error("SIGINT")));
    const error = queueError("queue-unavailable");
    scene.world.faults.plant({ site: "queue.send", times: FOREVER, form: "not-done", error });
    const report = await scene.run({ signal: interrupt.signal });
    expect(report).toMatchObject({ stopReason: "system-failure", failure: { code: "queue-unavailable" } });
  });

  test("because no slot comes starts no work on the repeated message that waited for the first", async () => {
    const scene = new Scene();
    const nextAt = scene.world.clock.wallMs() + 5 * MINUTE_MS;
    scene.world.store.plantObject(
      PACING_STATE_KEY,
      Buffer.from(JSON.stringify({ nextAt, nonce: "00000000", runId: "other" })),
    );
    const id = scene.addTask();
    scene.world.queue.send(id);
    const report = await scene.run({ limitMs: 3 * MINUTE_MS });
    expect(report).toMatchObject({ stopReason: "time-budget", tasks: [], counts: { received: 2 } });
    expect(startedIds(scene)).toEqual([id]);
    expect(scene.bodies()).toEqual([id, id]);
  });

  test("starts no work on the repeated message that waited for the first", async () => {
    const scene = new Scene();
    scene.world.platform.settings.chunkLatency = 10 * SECOND_MS;
    const id = scene.addTask();
    scene.world.queue.send(id);
    const interrupt = new AbortController();
    scene.world.clock.schedule(15 * SECOND_MS, () => interrupt.abort(new Error("SIGINT")));
    const report = await scene.run({ signal: interrupt.signal });
    expect(report).toMatchObject({ stopReason: "aborted", counts: { received: 2 } });
    expect(startedIds(scene)).toEqual([id]);
    expect(scene.bodies()).toEqual([id, id]);
  });
});

test("a run that ends on its own leaves nothing behind on the operator's signal, which may outlive many", async () => {
  const scene = new Scene();
  scene.addTask();
  const { signal } = new AbortController();
  expect((await scene.run({ signal })).stopReason).toBe("drained");
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

describe("a run under way", () => {
  test("does its prepared work first, and then what came of it", async () => {
    const scene = new Scene();
    const ids: string[] = [];
    const prepare = async () => {
      expect(scene.count("queue.receive")).toBe(0);
      ids.push(scene.addTask());
    };
    await scene.run({ prepare });
    expect(ids).toHaveLength(1);
    scene.expectAllDone(ids);
  });

  test("has two tasks in flight, never more", async () => {
    const scene = new Scene();
    const ids = scene.addTasks(6);
    await scene.run();
    scene.expectAllDone(ids);
    const inFlight = new Set<string>();
    let most = 0;
    for (const event of scene.events) {
      if (event.kind === "task-started") {
        inFlight.add(event.exportTaskId);
      } else if (event.kind === "task-ended") {
        inFlight.delete(event.entry.exportTaskId);
      }
      most = Math.max(most, inFlight.size);
    }
    expect(most).toBe(2);
  });

  test("tells how often a task was tried before, and how long this time took", async () => {
    const scene = new Scene();
    await scene.wait(HOUR_MS);
    const id = scene.world.platform.addTask({ file: exportFile(3) });
    scene.send({ exportTaskId: id, attempts: 2 });
    const first = scene.addTask();
    const report = await scene.run();
    expect(scene.events.filter(({ kind }) => kind === "task-started")).toEqual([
      { kind: "task-started", exportTaskId: id, attempts: 2 },
      { kind: "task-started", exportTaskId: first, attempts: 0 },
    ]);
    for (const { durationMs } of report.tasks) {
      expect(durationMs).toBeGreaterThan(0);
      expect(durationMs).toBeLessThan(MINUTE_MS);
    }
  });

  test("waits no longer for a message that another run settles, and sees the places of its own end", async () => {
    const scene = new Scene();
    const { platform, clock } = scene.world;
    const theirs = scene.addTask({ status: "Failed" });
    platform.addTask();
    givenUpElsewhere(scene, () => platform.removeTask(theirs));
    const report = await scene.run({ waitForDueMs: 15 * MINUTE_MS });
    expect(report).toMatchObject({ stopReason: "drained", tasks: [], platform: { held: 1 } });
    expect(report.platform).not.toHaveProperty("seenAt");
    expect(clock.monotonicMs()).toBeLessThan(MINUTE_MS);
    expect(scene.events).toContainEqual({
      kind: "idle",
      untilMs: expect.any(Number),
      delayed: 0,
      inFlight: 1,
      isNew: true,
    });
  });

  test("says once that it waits, however often another run renews its lease, and again after work of its own", async () => {
    const scene = new Scene();
    const { clock, platform } = scene.world;
    scene.addTask({ status: "Failed" });
    givenUpElsewhere(scene, () => undefined, 11 * MINUTE_MS);
    const toldNew = () => scene.events.filter((event) => event.kind === "idle" && event.isNew);
    let toldBefore = 0;
    clock.schedule(6 * MINUTE_MS, () => {
      toldBefore = toldNew().length;
      scene.send({ exportTaskId: platform.addTask() });
    });
    const report = await scene.run({ limitMs: HOUR_MS, waitForDueMs: 15 * MINUTE_MS });
    expect(report).toMatchObject({ stopReason: "drained", counts: { received: 1, archived: 1 } });
    expect(clock.monotonicMs()).toBeGreaterThan(10 * MINUTE_MS);
    expect([toldBefore, toldNew().length]).toEqual([1, 2]);
    // What a live view counts down to goes along.
    expect(scene.events.filter(({ kind }) => kind === "idle").length).toBeGreaterThan(10);
  });

  test("whose last list fails says when it saw the places", async () => {
    const scene = new Scene();
    scene.addTask({ status: "Failed" });
    givenUpElsewhere(scene, () => {
      const error = platformError("platform-unavailable");
      scene.world.faults.plant({ site: "platform.listExportTasks", times: FOREVER, form: "not-done", error });
    });
    const { platform } = await scene.run({ waitForDueMs: 15 * MINUTE_MS });
    expect(platform).toMatchObject({ held: 1, seenAt: expect.stringMatching(/^2026-11-22T01:00:0/) });
  });

  test("looks for a delayed message once it is due, not a moment before", async () => {
    const scene = new Scene({ queue: { callLatency: 0, longPollMs: 10 } });
    const id = scene.world.platform.addTask();
    scene.send({ exportTaskId: id }, 4 * MINUTE_MS);
    const report = await scene.run({ waitForDueMs: 5 * MINUTE_MS });
    expect(onlyEntry(report).exportTaskId).toBe(id);
    expect(scene.events.filter(({ kind }) => kind === "idle")).toHaveLength(1);
  });

  test("that is not to wait does not ask what is due", async () => {
    const scene = new Scene();
    scene.send({ exportTaskId: scene.world.platform.addTask() }, MINUTE_MS);
    const report = await scene.run();
    expect(report).toMatchObject({ stopReason: "drained", tasks: [] });
    expect(report).not.toHaveProperty("failure");
    expect(scene.count("queue.depth")).toBe(0);
  });

  test("settles a failure before it waits, and tries that task again when it is due", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const error = platformError("platform-unavailable");
    scene.world.faults.plant({ site: "platform.showExportTask", form: "not-done", error });
    const report = await scene.run({ waitForDueMs: 5 * MINUTE_MS });
    expect(report.tasks.map(({ outcome }) => outcome)).toEqual(["retried", "archived-deleted"]);
    scene.expectAllDone([id]);
  });

  test("takes a message that came while it asked what is due", async () => {
    const scene = new Scene();
    const id = scene.world.platform.addTask();
    scene.world.faults.plant({
      site: "queue.depth",
      form: "race",
      act: () => scene.send({ exportTaskId: id }),
    });
    const report = await scene.run({ waitForDueMs: 5 * MINUTE_MS });
    expect(onlyEntry(report)).toMatchObject({ exportTaskId: id, outcome: "archived-deleted" });
  });
});
