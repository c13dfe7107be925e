import { describe, expect, test } from "vitest";
import { checkInvariants } from "../world/world.ts";
import { MINUTE_MS, onlyEntry, Scene, SECOND_MS } from "./scene.ts";

/** Runs two runners at once, again and again, until the queue is empty. */
async function runPairsUntilEmpty(scene: Scene, maxPairs: number): Promise<void> {
  for (let pair = 1; scene.bodies().length > 0; pair += 1) {
    expect(pair).toBeLessThanOrEqual(maxPairs);
    await scene.world.run(() => Promise.all([scene.start(), scene.start()]));
    checkInvariants(scene.world);
    await scene.wait(6 * MINUTE_MS);
  }
}

function expectArchivedOnce(scene: Scene, ids: readonly string[]): void {
  scene.expectAllDone(ids);
  for (const id of ids) {
    const deletes = scene.world.effects
      .at("platform.deleteExportTask")
      .filter(({ subject, outcome }) => subject === id && outcome === "done");
    expect(deletes).toHaveLength(1);
  }
}

describe.each([
  { name: "a store with conditional writes", capable: true },
  { name: "a store without", capable: false },
])("two runners at once on $name", ({ capable }) => {
  const store = { createOnce: capable, compareAndSwap: capable };

  test.each([1, 2, 3, 4])("10 tasks, each sent twice (seed %i)", async (seed) => {
    const scene = new Scene({ seed, store, queue: { receiveWindow: 5 } });
    const ids = scene.addTasks(10);
    for (const id of ids) {
      scene.world.queue.send(id);
    }
    await runPairsUntilEmpty(scene, 6);
    expectArchivedOnce(scene, ids);
  });

  test.each([1, 2, 3, 4])("a queue that hands half of all messages out twice (seed %i)", async (seed) => {
    const scene = new Scene({ seed, store, queue: { duplicateFraction: 0.5, receiveWindow: 4 } });
    const ids = scene.addTasks(10);
    await runPairsUntilEmpty(scene, 8);
    expectArchivedOnce(scene, ids);
  });

  test.each([1, 2, 3, 4])("leases that run out in the middle of the work (seed %i)", async (seed) => {
    const scene = new Scene({ seed, store, queue: { visibilityMs: 20_000 } });
    const ids = scene.addTasks(10);
    for (const site of ["store.complete", "store.putDocument", "platform.deleteExportTask"] as const) {
      scene.world.faults.plant(
        ...[2, 5, 9].map((occurrence) => ({ site, occurrence, form: "slow" as const, extraMs: 45_000 })),
      );
    }
    // Renewals do not come through either, so that the other runner gets the message meanwhile.
    scene.world.faults.plant({ site: "queue.renew", times: 20, form: "slow", extraMs: 60_000 });
    await runPairsUntilEmpty(scene, 8);
    expectArchivedOnce(scene, ids);
  });

  test("the same task worked on twice, side by side: one record wins, the other copy is an orphan", async () => {
    // Without a shared pace both start at once, which the platform would throttle.
    const scene = new Scene({ store, ...(capable ? {} : { platform: { minSpacingMs: 0 } }) });
    const id = scene.addTask();
    // Three messages: a runner takes up to two, and works on one of them at a time.
    scene.world.queue.send(id);
    scene.world.queue.send(id);
    // The first to verify stands still until the other, who waited for its slot, has got as far.
    scene.world.faults.plant({ site: "store.read", form: "slow", extraMs: 40 * SECOND_MS });
    await runPairsUntilEmpty(scene, 4);
    expectArchivedOnce(scene, [id]);
    expect(scene.objects(id)).toHaveLength(2);
    // The loser goes on with the winner's record as its own: one archive counted, no further attempt needed.
    expect(scene.events.filter(({ kind }) => kind === "archived")).toHaveLength(1);
    const postponed = scene.events.filter(
      (event) => event.kind === "task-ended" && event.entry.outcome === "postponed",
    );
    expect(postponed).toEqual([]);
  });
});

describe("another runner takes our upload away", () => {
  test("the live loser postpones, attempts unchanged", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const act = () => scene.world.store.abortUploadsUnder("exports/");
    scene.world.faults.plant({ site: "store.write", occurrence: 2, form: "race", act });
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "lost-race" });
    expect(scene.message().attempts).toBeUndefined();
    await scene.wait(6 * MINUTE_MS);
    await scene.run();
    scene.expectAllDone([id]);
  });
});

test("two messages for one task in one run cost one download", async () => {
  const scene = new Scene();
  const id = scene.addTask();
  scene.send({ exportTaskId: id });
  const report = await scene.run();
  expect(report.tasks.map(({ outcome }) => outcome)).toEqual(["archived-deleted", "already-done"]);
  expect(scene.count("platform.showExportTask")).toBe(1);
  scene.expectAllDone([id]);
});
