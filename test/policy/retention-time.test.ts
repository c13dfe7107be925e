import { describe, expect, test } from "vitest";
import { DAY_MS, RetentionScene, sceneDefaults } from "./retention-scene.ts";

const ID = "night-01";

describe("an archive that is too large to be read in one run", () => {
  /** Ten seconds beside those kept free at the end: enough to read some 200 revisions. */
  const LIMIT_MS = 30_000;

  function largeScene() {
    const scene = new RetentionScene();
    scene.keepPlatformBusy();
    scene.limitMs = LIMIT_MS;
    return scene;
  }

  /** Where there is a catalogue, some files tell of all exports. */
  const testOfRecords = test.runIf(sceneDefaults.source === "records");

  testOfRecords(
    "is read for half of the time, and what is due of that goes, the most overdue first",
    async () => {
      const scene = largeScene();
      for (let index = 0; index < 300; index += 1) {
        const archivedAtMs = scene.startedAtMs - (11 + ((index * 7) % 300)) * DAY_MS;
        scene.plant({ exportTaskId: `old-${String(index).padStart(3, "0")}`, archivedAtMs });
      }
      const { stopReason, counts, removed } = await scene.expire();
      expect(stopReason).toBe("time-budget");
      expect(counts.checked).toBeGreaterThan(50);
      expect(counts.checked).toBeLessThan(200);
      expect(counts.removed).toBeGreaterThan(2);
      expect(removed).toEqual(removed.toSorted((a, b) => a.keepUntil.localeCompare(b.keepUntil)));
    },
  );

  testOfRecords("says so also when it removed as many as it may", async () => {
    const scene = largeScene();
    for (let index = 0; index < 300; index += 1) {
      scene.plant({ exportTaskId: `old-${index}`, archivedAtMs: scene.startedAtMs - 20 * DAY_MS });
    }
    scene.maxRemovals = 1;
    expect(await scene.expire()).toMatchObject({ stopReason: "time-budget", counts: { removed: 1 } });
  });

  test.runIf(sceneDefaults.source === "catalogue")("is looked at as a whole by its catalogue", async () => {
    const scene = largeScene();
    for (let index = 0; index < 300; index += 1) {
      const archivedAtMs = scene.startedAtMs - (11 + ((index * 7) % 300)) * DAY_MS;
      scene.plant({ exportTaskId: `old-${String(index).padStart(3, "0")}`, archivedAtMs });
    }
    const { stopReason, source, counts, removed } = await scene.expire();
    expect({ stopReason, source }).toEqual({ stopReason: "time-budget", source: "catalogue" });
    expect(counts).toMatchObject({ checked: 300, due: 300 });
    expect(counts.removed).toBeGreaterThan(2);
    const oldestFirst = removed.map(({ keepUntil }) => Date.parse(keepUntil));
    expect(oldestFirst).toEqual(
      Array.from({ length: removed.length }, (_, n) => scene.startedAtMs - (300 - n) * DAY_MS),
    );
  });

  test("is not kept by a month of held nights that are overdue most", async () => {
    const scene = largeScene();
    for (let index = 0; index < 60; index += 1) {
      scene.plant({ exportTaskId: `case-7-${index}`, archivedAtMs: scene.startedAtMs - 30 * DAY_MS });
    }
    const key = scene.plant({ exportTaskId: ID, archivedAtMs: scene.startedAtMs - 20 * DAY_MS });
    scene.hold("case-7-*");
    scene.hold("case-7-1");
    await scene.wait(1_000);
    const { stopReason, counts, stayed } = await scene.expire();
    expect({ stopReason, counts }).toMatchObject({ stopReason: "done", counts: { due: 61, removed: 1 } });
    expect(stayed.map(({ reason }) => reason)).toEqual(Array(60).fill("held"));
    expect(scene.has(key)).toBe(false);
  });

  test("whose locked exports use up the time says of what is behind them that no time was left", async () => {
    const scene = largeScene();
    for (let index = 0; index < 60; index += 1) {
      const exportTaskId = `locked-${index}`;
      const key = scene.plant({ exportTaskId, archivedAtMs: scene.startedAtMs - 30 * DAY_MS });
      scene.retention.lock(key, undefined, { mode: "governance", untilMs: scene.startedAtMs + DAY_MS });
    }
    scene.plant({ exportTaskId: ID, archivedAtMs: scene.startedAtMs - 20 * DAY_MS });
    const { stopReason, stayed } = await scene.expire();
    expect(stopReason).toBe("time-budget");
    expect(stayed).toHaveLength(61);
    expect(new Set(stayed.map(({ reason }) => reason))).toEqual(new Set(["locked", "no-time"]));
    expect(stayed.at(-1)).toMatchObject({ exportTaskId: ID, reason: "no-time" });
  });

  test("loses what is due all the same, wherever it lies, within days", async () => {
    const scene = largeScene();
    const due = new Set([0, 100, 200, 299]);
    const keys = Array.from({ length: 300 }, (_, index) => {
      const days = due.has(index) ? -20 : 1_000;
      const archivedAtMs = scene.startedAtMs + days * DAY_MS;
      return scene.plant({ exportTaskId: `task-${String(index).padStart(3, "0")}`, archivedAtMs });
    });
    for (let night = 0; night < 8; night += 1) {
      await scene.expire();
      await scene.wait(DAY_MS);
    }
    expect(keys.filter((key) => !scene.has(key))).toEqual([...due].map((index) => keys[index]));
  });
});

test("when time is too short for the records of evicted tasks, the next run goes on", async () => {
  const scene = new RetentionScene();
  scene.keepPlatformBusy();
  scene.limitMs = 26_000;
  for (let index = 0; index < 60; index += 1) {
    scene.plant({ exportTaskId: `gone-${String(index).padStart(2, "0")}`, deletedAtMs: undefined });
  }
  const site = "store.putDocument";
  const match = ({ subject }: { subject: string }) => subject.endsWith("/deleted.json");
  scene.world.faults.plant({ site, match, form: "slow", extraMs: 200, times: Number.POSITIVE_INFINITY });
  const first = await scene.expire();
  expect(first.stopReason).toBe("time-budget");
  expect(Date.parse(first.endedAt) - Date.parse(first.startedAt)).toBeLessThan(7_000);
  expect(first.counts.markedGone).toBeGreaterThan(5);
  const second = await scene.expire();
  expect(second.counts.markedGone).toBeGreaterThan(5);
  expect(first.counts.markedGone + second.counts.markedGone).toBeLessThanOrEqual(60);
});
