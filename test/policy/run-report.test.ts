import { describe, expect, test } from "vitest";
import type { ArchiveEvent } from "../../lib/archive/events.ts";
import { platformError, queueError, storeError } from "../world/port-errors.ts";
import { HOUR_MS, MINUTE_MS, onlyEntry, Scene } from "./scene.ts";

const FOREVER = Number.POSITIVE_INFINITY;

/** The events of these kinds, in order. */
function eventsOf<Kind extends ArchiveEvent["kind"]>(scene: Scene, ...kinds: readonly Kind[]) {
  return scene.events.filter((event): event is Extract<ArchiveEvent, { kind: Kind }> =>
    (kinds as readonly string[]).includes(event.kind),
  );
}

/** The downloads of these tasks fail, for ever. */
function failDownloads(scene: Scene, ids: readonly string[], error: Error): void {
  const match = ({ subject }: { subject: string }) => ids.includes(subject);
  scene.world.faults.plant({
    site: "platform.showExportTask",
    match,
    times: FOREVER,
    form: "not-done",
    error,
  });
}

describe("a report's entry", () => {
  test("of an archived task names its revision and its size, and no reason", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const revision = scene.revision(id);
    const entry = onlyEntry(await scene.run());
    const { sizeBytes } = scene.record(id, "archived").object ?? {};
    expect(entry).toStrictEqual({
      exportTaskId: id,
      revision,
      outcome: "archived-deleted",
      sizeBytes,
      durationMs: expect.any(Number),
    });
  });

  test("of an unreadable message names neither revision nor size", async () => {
    const scene = new Scene();
    scene.world.queue.send("not json {");
    expect(onlyEntry(await scene.run())).toStrictEqual({
      exportTaskId: "(unreadable)",
      outcome: "dead-lettered",
      reason: "unreadable",
      durationMs: 0,
    });
  });

  test("of a task that was gone already does not count it as deleted", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    await scene.run({ settings: { deletion: "never" } });
    scene.world.platform.removeTask(id);
    scene.world.queue.send(id);
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ outcome: "already-done", reason: "already-gone" });
    expect(report.counts.deleted).toBe(0);
  });
});

describe("a failure is told", () => {
  test("with its code and hint: held while nothing has worked, an attempt after that", async () => {
    const scene = new Scene();
    const [early = "", , late = ""] = scene.addTasks(3);
    failDownloads(scene, [early, late], platformError("platform-unavailable"));
    await scene.run();
    const failure = { code: "platform-unavailable", message: expect.any(String), hint: expect.any(String) };
    expect(eventsOf(scene, "failed", "verification-failed")).toEqual([
      { kind: "failed", exportTaskId: early, failure, verdict: "held" },
      { kind: "failed", exportTaskId: late, failure, verdict: "attempt" },
    ]);
  });

  test("what was not foreseen has a hint, too", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    failDownloads(scene, [id], new TypeError("x is not a function"));
    await scene.run();
    const failure = { code: "internal-error", message: expect.any(String), hint: expect.any(String) };
    expect(eventsOf(scene, "failed")).toMatchObject([{ failure }]);
  });

  test("a copy that the store says is another is a failed verification", async () => {
    const scene = new Scene({ store: { verification: "stored" } });
    const id = scene.addTask();
    scene.world.faults.plant({
      site: "store.confirmStored",
      form: "not-done",
      error: storeError("store-copy-differs"),
    });
    await scene.run();
    expect(eventsOf(scene, "verification-failed")).toMatchObject([
      { exportTaskId: id, failure: { code: "store-copy-differs" } },
    ]);
  });

  test("an upload that could not even be opened is none that was left open", async () => {
    const scene = new Scene();
    scene.addTask();
    scene.world.faults.plant({
      site: "store.openUpload",
      form: "not-done",
      error: storeError("store-unavailable"),
    });
    await scene.run();
    expect(eventsOf(scene, "failed")).toHaveLength(1);
    expect(eventsOf(scene, "warning")).toEqual([]);
  });
});

describe("a failure that was held", () => {
  test("counts as soon as something has worked, not only when the run ends", async () => {
    const scene = new Scene();
    const [poisoned = "", , third = ""] = scene.addTasks(3);
    failDownloads(scene, [poisoned], platformError("platform-unavailable"));
    await scene.run();
    const settledAt = scene.events.findIndex(
      (event) => event.kind === "task-ended" && event.entry.exportTaskId === poisoned,
    );
    const thirdEndedAt = scene.events.findIndex(
      (event) => event.kind === "task-ended" && event.entry.exportTaskId === third,
    );
    expect(settledAt).toBeGreaterThan(-1);
    expect(settledAt).toBeLessThan(thirdEndedAt);
  });

  test("is handed back as it was when an operator stops the run, and accuses no task", async () => {
    const scene = new Scene();
    const [ill = "", healthy = ""] = scene.addTasks(2);
    const stop = new AbortController();
    failDownloads(scene, [ill], platformError("platform-forbidden"));
    // The first one has failed; the second is on its way.
    const act = () => stop.abort(new Error("SIGINT"));
    scene.world.faults.plant({ site: "store.openUpload", form: "race", act });
    const report = await scene.run({ signal: stop.signal });
    expect(eventsOf(scene, "failed")).toMatchObject([{ exportTaskId: ill, verdict: "held" }]);
    expect(report).toMatchObject({ stopReason: "aborted", tasks: [] });
    expect(report.failure).toBeUndefined();
    expect([...scene.bodies()].sort()).toEqual([ill, healthy].sort());
  });

  test.each([
    ["archived and kept", { deletion: "never" }],
    ["deleted that was archived before", { deletion: "after-verify" }],
  ] as const)("does not accuse the system once a task was %s", async (_what, settings) => {
    const scene = new Scene();
    const healthy = scene.addTask();
    if (settings.deletion === "after-verify") {
      await scene.run({ settings: { deletion: "never" } });
      scene.world.queue.send(healthy);
    }
    const ill = scene.addTasks(3);
    failDownloads(scene, ill, platformError("platform-unavailable"));
    const report = await scene.run({ settings });
    expect(report).toMatchObject({ stopReason: "drained", counts: { postponed: 0 } });
    // Those that come back within the run fail once more.
    expect(Math.min(...scene.messages().map(({ attempts = 0 }) => attempts))).toBeGreaterThan(0);
  });
});

describe("settling", () => {
  test("a task is given up at the very moment its patience ends", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    failDownloads(scene, [id], platformError("platform-unavailable"));
    await scene.run({ settings: { maxAttempts: 1, giveUpAfterMs: 0 } });
    expect(scene.world.queue.deadLetters).toMatchObject([{ reason: "max-attempts", attempts: 1 }]);
  });

  test("the letter of an unreadable message names no task and looks for no upload", async () => {
    const scene = new Scene();
    scene.world.queue.send("not json {");
    await scene.run();
    const [key = ""] = scene.world.store.keysUnder("dead-letters/");
    expect(JSON.parse(scene.world.store.textAt(key) ?? "")).not.toHaveProperty("exportTaskId");
    expect(scene.world.effects.at("store.abortUploadsUnder")).toEqual([]);
  });

  test("a message that is sent again says when it is due only where its task is worked alone", async () => {
    const scene = new Scene();
    scene.addTask({ status: "Processing" });
    await scene.run();
    expect(scene.message()).not.toHaveProperty("notBeforeMs");
  });

  test("a lease that was lost is told with the task it was about", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.faults.plant({
      site: "queue.acknowledge",
      form: "not-done",
      error: queueError("queue-handle-expired"),
    });
    await scene.run();
    expect(eventsOf(scene, "lease-lost")).toEqual([{ kind: "lease-lost", exportTaskId: id }]);
  });

  test("a completed upload is not aborted", async () => {
    const scene = new Scene();
    scene.addTask();
    await scene.run();
    expect(scene.world.effects.at("store.abort")).toEqual([]);
  });
});

describe("a store that is slow to say what is archived", () => {
  test.each([100, 250, 2_000])("costs no report: calls take %i ms, and 49 exports are kept", async (ms) => {
    const scene = new Scene({ maxCalls: 100_000, store: { callLatency: { minMs: ms, maxMs: ms } } });
    for (let count = 0; count < 49; count += 1) {
      scene.addTask();
    }
    const settings = { deletion: "never" } as const;
    const first = await scene.run({ settings, limitMs: 3 * HOUR_MS });
    expect(first.counts).toMatchObject({ archived: 49, kept: 49 });
    await scene.wait(15 * MINUTE_MS);
    await scene.run({ settings });
    expect(scene.world.store.keysUnder("runs/")).toHaveLength(2);
    expect(eventsOf(scene, "warning").filter(({ code }) => code === "report-not-stored")).toEqual([]);
  });
});
