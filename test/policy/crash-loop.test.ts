import { describe, expect, test } from "vitest";
import { platformError, storeError } from "../world/port-errors.ts";
import { MINUTE_MS, onlyEntry, Scene } from "./scene.ts";

const FOREVER = Number.POSITIVE_INFINITY;

describe("messages that kill their runner", () => {
  /** Kills every runner that asks for this task's file. */
  function killerTask(scene: Scene, times = FOREVER): string {
    const id = scene.addTask();
    scene.world.faults.plant({
      site: "platform.showExportTask",
      match: ({ subject }) => subject === id,
      times,
      form: "crash",
      when: "before",
    });
    return id;
  }

  async function dieOften(scene: Scene, times: number, settings = { maxReceives: 4 }): Promise<void> {
    for (let death = 1; death <= times; death += 1) {
      await scene.crash({ settings });
      await scene.wait(3 * MINUTE_MS);
    }
  }

  test("at MAX_RECEIVES it is worked alone, then dead-lettered at the third receive", async () => {
    const scene = new Scene();
    const settings = { maxReceives: 4 };
    const id = killerTask(scene);
    await dieOften(scene, 3);
    expect(scene.messages().map(({ alone }) => alone)).toEqual([undefined]);
    await scene.crash({ settings }); // the fourth receive isolates it; alone, it kills the first time
    expect(scene.message()).toMatchObject({ exportTaskId: id, alone: true });
    await scene.wait(3 * MINUTE_MS);
    await scene.crash({ settings });
    await scene.wait(3 * MINUTE_MS);
    const report = await scene.run({ settings });
    expect(onlyEntry(report)).toMatchObject({ outcome: "dead-lettered", reason: "crash-loop" });
    expect(scene.world.queue.deadLetters).toMatchObject([{ reason: "crash-loop" }]);
    expect(scene.bodies()).toEqual([]);
    expect(scene.world.platform.has(id)).toBe(true);
  });

  test("alone means that nothing else is in flight", async () => {
    const scene = new Scene();
    const others = [...scene.addTasks(3)];
    const id = scene.world.platform.addTask();
    scene.send({ exportTaskId: id, alone: true });
    others.push(...scene.addTasks(2));
    await scene.run();
    let inFlight = 0;
    for (const event of scene.events) {
      if (event.kind === "task-started") {
        inFlight += 1;
        expect(event.exportTaskId !== id || inFlight === 1).toBe(true);
      } else if (event.kind === "task-ended") {
        expect(event.entry.exportTaskId !== id || inFlight === 1).toBe(true);
        inFlight -= 1;
      }
    }
    scene.expectAllDone([...others, id]);
  });

  test("a report from before it was isolated does not keep it in the loop", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const error = platformError("platform-unavailable");
    scene.world.faults.plant({ site: "platform.showExportTask", form: "not-done", error });
    expect(onlyEntry(await scene.run())).toMatchObject({ exportTaskId: id, outcome: "retried" });
    await scene.wait(3 * MINUTE_MS);
    scene.world.faults.clear();
    scene.world.faults.plant({
      site: "platform.showExportTask",
      times: FOREVER,
      form: "crash",
      when: "before",
    });
    await dieOften(scene, 5);
    const report = await scene.run({ settings: { maxReceives: 4 } });
    expect(onlyEntry(report)).toMatchObject({ outcome: "dead-lettered", reason: "crash-loop" });
  });

  test("a try that ended on its own starts the count of deaths again", async () => {
    const scene = new Scene();
    const id = scene.world.platform.addTask();
    scene.send({ exportTaskId: id, alone: true });
    const site = "platform.showExportTask";
    scene.world.faults.plant({ site, times: 2, form: "crash", when: "before" });
    await dieOften(scene, 1);
    scene.world.faults.clear();
    scene.world.faults.plant({ site, form: "not-done", error: platformError("platform-unavailable") });
    await scene.run();
    expect(scene.message()).toMatchObject({ alone: true, attempts: 1 });
    await scene.wait(3 * MINUTE_MS);
    scene.world.faults.plant({ site, times: FOREVER, form: "crash", when: "before" });
    await dieOften(scene, 2);
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ outcome: "dead-lettered", reason: "crash-loop" });
  });

  test("its letter and record tell of the deaths, the tries before them and the revision asked for", async () => {
    const scene = new Scene();
    const id = scene.world.platform.addTask();
    const revision = scene.revision(id);
    scene.send({ exportTaskId: id, revision, attempts: 2, alone: true });
    const site = "platform.showExportTask";
    scene.world.faults.plant({ site, times: 2, form: "crash", when: "before" });
    await dieOften(scene, 2);
    await scene.run();
    expect(scene.world.queue.deadLetters).toMatchObject([
      { reason: "crash-loop", attempts: 2, detail: expect.stringContaining("crashed 2 times") },
    ]);
    expect(scene.records(id)).toMatchObject({ [`${revision}/dead-letter.json`]: { attempts: 2 } });
  });

  test("one that a run report names is not a crash loop", async () => {
    const scene = new Scene();
    const id = scene.world.platform.addTask();
    const requestedAtMs = scene.world.clock.wallMs();
    scene.send({ exportTaskId: id, requestedAtMs });
    // A run that ended on its own worked on it: the deaths may be anything.
    await scene.run({ settings: { deletion: "never" } });
    scene.send({ exportTaskId: id, requestedAtMs, alone: true });
    scene.world.faults.plant({ site: "store.head", times: 3, form: "crash", when: "before" });
    await dieOften(scene, 3);
    const report = await scene.run();
    expect(onlyEntry(report).outcome).toBe("deleted");
    scene.expectAllDone([id]);
  });

  test.each([
    ["fails", { form: "not-done", error: storeError("store-unavailable") }, "system-failure"],
    ["stalls", { form: "stall" }, "time-budget"],
  ] as const)(
    "reports that cannot be read, the store %s: handed back, not judged",
    async (_how, fault, stopReason) => {
      const scene = new Scene();
      const id = scene.world.platform.addTask();
      scene.send({ exportTaskId: id, alone: true });
      scene.world.faults.plant({ site: "store.head", times: 2, form: "crash", when: "before" });
      await dieOften(scene, 2);
      const match = ({ subject }: { subject: string }) => subject.startsWith("runs/");
      scene.world.faults.plant({ site: "store.list", match, ...fault });
      expect((await scene.run({ settings: { minTaskMs: 10_000 } })).stopReason).toBe(stopReason);
      expect(scene.message()).toMatchObject({ exportTaskId: id, alone: true });
      await scene.run();
      scene.expectAllDone([id]);
    },
  );

  test("hand-backs do not count as deaths", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const error = platformError("platform-unavailable");
    for (let run = 1; run <= 30; run += 1) {
      scene.world.faults.plant({
        site: "platform.listExportTasks",
        occurrence: 2,
        times: 9,
        form: "not-done",
        error,
      });
      await scene.run();
      scene.world.faults.clear();
      await scene.wait(MINUTE_MS);
    }
    expect(scene.bodies()).toEqual([id]);
    expect(scene.world.queue.messages[0]?.receiveCount).toBe(0);
  });
});
