import { describe, expect, test } from "vitest";
import { PACING_STATE_KEY } from "../../lib/domain/key-layout.ts";
import { storeError } from "../world/port-errors.ts";
import { MINUTE_MS, Scene } from "./scene.ts";

async function expectRefused(scene: Scene, code: string, options = {}): Promise<void> {
  const [id] = scene.addTasks(1);
  const report = await scene.run(options);
  expect(report).toMatchObject({ stopReason: "system-failure", failure: { code }, tasks: [] });
  expect(report.failure?.hint).not.toBe("");
  expect(report.platform).toEqual({ limit: 50 });
  expect(scene.world.effects.at("queue.receive")).toEqual([]);
  expect(scene.bodies()).toEqual([id]);
}

describe("before the first message is received", () => {
  test.each([20, -20])("a clock %i min off the platform's stops the run", async (minutes) => {
    const scene = new Scene({ platform: { dateSkewMs: minutes * MINUTE_MS } });
    await expectRefused(scene, "clock-skew");
  });

  test("a runner whose own clock is 20 min off says so", async () => {
    const scene = new Scene();
    await expectRefused(scene, "clock-skew", { runner: { skewMs: 20 * MINUTE_MS } });
  });

  test.each([20, -20])("a clock %i min off the store's stops the run", async (minutes) => {
    const scene = new Scene({ store: { clockSkewMs: minutes * MINUTE_MS } });
    await expectRefused(scene, "clock-skew");
  });

  test("a skew of 4 min is worked with", async () => {
    const scene = new Scene({ platform: { dateSkewMs: 4 * MINUTE_MS } });
    const id = scene.addTask();
    await scene.run({ runner: { skewMs: 4 * MINUTE_MS } });
    scene.expectAllDone([id]);
  });

  test("a platform that sends no Date is not compared with", async () => {
    const scene = new Scene({ platform: { dateSkewMs: undefined } });
    const id = scene.addTask();
    await scene.run();
    scene.expectAllDone([id]);
  });

  test("a store that cannot be written", async () => {
    const scene = new Scene();
    const error = storeError("store-forbidden");
    scene.world.faults.plant({ site: "store.preflight", form: "not-done", error });
    await expectRefused(scene, "store-forbidden");
  });

  test("a pacing state that cannot be written", async () => {
    const scene = new Scene();
    scene.world.faults.plant({
      site: "store.putDocument",
      match: ({ subject }) => subject === PACING_STATE_KEY,
      times: 9,
      form: "not-done",
      error: storeError("store-full"),
    });
    await expectRefused(scene, "store-full");
  });

  test("verification by a digest that the store does not keep", async () => {
    await expectRefused(new Scene({ store: { verification: "read-back" } }), "store-keeps-no-digest", {
      settings: { verify: "stored" },
    });
  });

  test("verification by a digest that the store does keep", async () => {
    const scene = new Scene({ store: { verification: "stored" } });
    const id = scene.addTask();
    await scene.run({ settings: { verify: "stored" } });
    scene.expectAllDone([id]);
    expect(scene.record(id, "archived").verification?.level).toBe("stored");
  });

  test("reading back may be asked for where the store keeps a digest", async () => {
    const scene = new Scene({ store: { verification: "stored" } });
    const id = scene.addTask();
    await scene.run({ settings: { verify: "read-back" } });
    scene.expectAllDone([id]);
    expect(scene.record(id, "archived").verification?.level).toBe("read-back");
    expect(scene.count("store.confirmStored")).toBe(0);
  });

  test("an interrupt in the preflight is an aborted run", async () => {
    const scene = new Scene();
    scene.addTask();
    const interrupt = new AbortController();
    scene.world.clock.schedule(20, () => interrupt.abort(new Error("SIGINT")));
    expect(await scene.run({ signal: interrupt.signal })).toMatchObject({ stopReason: "aborted", tasks: [] });
  });

  test("a store without conditional writes paces one runner only and says so", async () => {
    const scene = new Scene({ store: { compareAndSwap: false, createOnce: false } });
    const ids = scene.addTasks(3);
    expect((await scene.run()).pacing).toBe("unshared");
    expect(scene.events).toContainEqual(expect.objectContaining({ code: "pacing-unshared" }));
    scene.expectAllDone(ids);
  });
});

describe("the report", () => {
  test("that cannot be stored is returned all the same, with a warning", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.faults.plant({
      site: "store.putDocument",
      match: ({ subject }) => subject.startsWith("runs/"),
      form: "not-done",
      error: storeError("store-full"),
    });
    const report = await scene.run();
    expect(report.counts.archived).toBe(1);
    expect(scene.events).toContainEqual(expect.objectContaining({ code: "report-not-stored" }));
    scene.expectAllDone([id]);
  });

  test("names no export that has its copy", async () => {
    const scene = new Scene();
    scene.addTasks(2);
    const report = await scene.run({ settings: { deletion: "never" } });
    expect(report.counts).toMatchObject({ archived: 2, kept: 2 });
    expect(report.platform).toEqual({ held: 2, limit: 50 });
  });

  test("names the oldest finished export without a copy, or warns when it cannot find out", async () => {
    const scene = new Scene();
    scene.world.platform.addTask({ status: "Failed" });
    const oldest = scene.world.platform.addTask();
    scene.world.platform.addTask();
    const report = await scene.run();
    expect(report.platform).toMatchObject({ held: 3, oldestUnarchived: { exportTaskId: oldest } });

    scene.world.faults.plant({
      site: "store.list",
      form: "not-done",
      error: storeError("store-unavailable"),
    });
    const second = await scene.run();
    expect(second.platform).toEqual({ held: 3, limit: 50 });
    expect(scene.events).toContainEqual(expect.objectContaining({ code: "oldest-unknown" }));
  });
});

describe("45 export slots used", () => {
  test.each([
    [
      "never",
      true,
      "45 of 50 export slots used. After 5 more, an export made destroys export-00, which is archived.",
    ],
    ["after-verify", undefined, undefined],
  ] as const)("with deletion %s", async (deletion, archived, message) => {
    const scene = new Scene();
    fill(scene, 45);
    scene.send({ exportTaskId: "export-00" });
    const report = await scene.run({ settings: { deletion } });
    expect(report.platform.nextToGo?.archived).toBe(archived);
    expect(slotsWarnings(scene)).toEqual(message === undefined ? [] : [message]);
  });

  test("and the store that cannot tell what is archived", async () => {
    const scene = new Scene();
    fill(scene, 50);
    scene.world.faults.plant({
      site: "store.list",
      times: 1_000,
      form: "not-done",
      error: storeError("store-unavailable"),
    });
    const report = await scene.run();
    expect(report.platform.nextToGo).toEqual({ exportTaskId: "export-00" });
    expect(slotsWarnings(scene)).toEqual([
      "50 of 50 export slots used. The next export made destroys export-00, and it is unknown whether that one is archived.",
    ]);
  });

  test("by exports that are not archived", async () => {
    const scene = new Scene();
    fill(scene, 50);
    const report = await scene.run({ settings: { deletion: "never" } });
    expect(report.platform.nextToGo).toEqual({ exportTaskId: "export-00", archived: false });
    expect(slotsWarnings(scene)).toHaveLength(1);
  });
});

function fill(scene: Scene, tasks: number): void {
  const { platform, clock } = scene.world;
  for (let number = 0; number < tasks; number += 1) {
    const exportTaskId = `export-${String(number).padStart(2, "0")}`;
    platform.addTask({ exportTaskId, createdAtMs: clock.wallMs() - MINUTE_MS * (100 - number) });
  }
}

function slotsWarnings(scene: Scene): readonly string[] {
  return scene.events.flatMap((event) =>
    event.kind === "warning" && event.code === "slots-nearly-used" ? [event.message] : [],
  );
}
