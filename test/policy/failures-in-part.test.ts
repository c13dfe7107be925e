import { describe, expect, test } from "vitest";
import { platformError, storeError } from "../world/port-errors.ts";
import { expectSystemFailure, HOUR_MS, MINUTE_MS, Scene } from "./scene.ts";

const FOREVER = Number.POSITIVE_INFINITY;

describe("deletes are forbidden while all else works (I5)", () => {
  test.each([1, 3])(
    "%i new exports a night, for a week: all are archived, none is given up",
    async (perNight) => {
      const scene = new Scene();
      const error = platformError("platform-forbidden");
      scene.world.faults.plant({
        site: "platform.deleteExportTask",
        times: FOREVER,
        form: "not-done",
        error,
      });
      const ids: string[] = [];
      for (let night = 1; night <= 7; night += 1) {
        ids.push(...scene.addTasks(perNight));
        const report = await scene.run();
        expectSystemFailure(report, "platform-forbidden");
        expect(report.counts).toMatchObject({ archived: perNight, retried: 0, deadLettered: 0 });
        await scene.wait(24 * HOUR_MS);
      }
      expect(scene.messages().every(({ attempts }) => attempts === undefined)).toBe(true);
      scene.world.faults.clear();
      await scene.runUntilQueueIsEmpty(10);
      scene.expectAllDone(ids);
    },
  );

  test("what cannot be deleted is put aside at once, not when the run ends", async () => {
    const scene = new Scene();
    const error = platformError("platform-forbidden");
    scene.world.faults.plant({ site: "platform.deleteExportTask", times: FOREVER, form: "not-done", error });
    const ids = scene.addTasks(6);
    expectSystemFailure(await scene.run(), "platform-forbidden");
    const kinds = scene.events.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "task-ended")).toHaveLength(ids.length);
    const endedBeforeLastBegan = kinds
      .slice(0, kinds.lastIndexOf("task-started"))
      .filter((kind) => kind === "task-ended");
    // The first waits for the second; one more may be in flight.
    expect(endedBeforeLastBegan.length).toBeGreaterThanOrEqual(ids.length - 2);
  });
});

describe("a run without limit that archived one task and can archive no other (I5)", () => {
  const faults = [
    ["platform.showExportTask", platformError("platform-unavailable")],
    ["store.openUpload", storeError("store-full")],
  ] as const;
  // 40 that fail keep it so busy that it never pauses.
  test.each(faults.flatMap((fault) => [4, 40].map((others) => [...fault, others] as const)))(
    "%s, %s, %i others",
    async (site, error, count) => {
      const scene = new Scene();
      const [healthy = "", ...others] = scene.addTasks(1 + count);
      const match = ({ subject }: { readonly subject: string }) => !subject.includes(healthy);
      scene.world.faults.plant({ site, match, times: FOREVER, form: "not-done", error });
      const report = await scene.run({ waitForDueMs: 15 * MINUTE_MS, limitMs: FOREVER });
      expectSystemFailure(report, error.code);
      expect(report.counts).toMatchObject({ archived: 1, deadLettered: 0 });
      expect(scene.world.clock.monotonicMs()).toBeLessThan(HOUR_MS);
      scene.world.faults.clear();
      await scene.wait(15 * MINUTE_MS);
      await scene.runUntilQueueIsEmpty(10);
      scene.expectAllDone([healthy, ...others]);
    },
  );
});
