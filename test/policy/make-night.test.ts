import { describe, expect, test } from "vitest";
import { inventoryStateKey, REPORTS_OWNER_KEY } from "../../lib/domain/key-layout.ts";
import type { ReportSettings } from "../../lib/report/make-night.ts";
import { writeReport } from "../../lib/report/write-report.ts";
import { platformError, queueError, storeError } from "../world/port-errors.ts";
import { nightIn } from "./report-scene.ts";
import { HOUR_MS, Scene } from "./scene.ts";

const DAY_MS = 24 * HOUR_MS;
const { signal } = new AbortController();
const ABILITIES = { createOnce: true, compareAndSwap: true };

let writers = 0;

/** Makes the report of the night that has just ended, and stores it. */
async function reportIn(scene: Scene, changes: Partial<ReportSettings> = {}) {
  const made = await nightIn(scene, changes);
  writers += 1;
  const { store } = scene.world.startRunner(`writer-${writers}`);
  const pages = { day: "<p>day", latest: "<p>latest" };
  const written = await scene.world.run(() => writeReport(store, ABILITIES, made.night, pages, { signal }));
  return { ...made, ...written };
}

function storedKeys(scene: Scene): readonly string[] {
  return scene.world.store.keysUnder("reports/");
}

function jsonKeyOf(date: string): string {
  return `reports/${date.replaceAll("-", "/")}.json`;
}

function dateOf(scene: Scene): string {
  return new Date(scene.world.clock.wallMs()).toISOString().slice(0, 10);
}

describe("the night that has just ended", () => {
  test("is made of run reports, records and the platform's list", async () => {
    const scene = new Scene();
    scene.addTasks(2);
    scene.addTask({ status: "Failed" });
    await scene.run();
    const waiting = scene.world.platform.addTask({});
    const { night, isLatest } = await nightIn(scene);
    expect(isLatest).toBe(true);
    expect(night.counts).toMatchObject({ finished: 4, archived: 2, deleted: 2, givenUp: 1, waiting: 1 });
    expect(night.exports.map(({ standing }) => standing)).toEqual([
      "given-up",
      "waiting",
      "archived-deleted",
      "archived-deleted",
    ]);
    expect(night.exports[1]?.exportTaskId).toBe(waiting);
    expect(night.places).toMatchObject({ held: 2, archived: 0 });
    expect(night.runs).toHaveLength(1);
    expect(night.verdict).toBe("look");
    expect(night.findings).toContainEqual({ kind: "dead-letters", count: 1 });
    expect(night.unknown).toEqual({});
  });

  test("says what did not answer, and shows the rest", async () => {
    const scene = new Scene();
    scene.addTasks(2);
    await scene.run();
    const error = platformError("platform-unreachable");
    const times = Number.POSITIVE_INFINITY;
    scene.world.faults.plant({ site: "platform.listExportTasks", times, form: "not-done", error });
    const { night } = await nightIn(scene);
    expect(night.unknown.platform).toMatchObject({ code: expect.any(String), hint: expect.any(String) });
    expect(night.counts.archived).toBe(2);
    expect(night.places.held).toBe(0);
  });

  test("says that the queue did not answer", async () => {
    const scene = new Scene();
    await scene.run();
    const error = queueError("queue-unavailable");
    scene.world.faults.plant({ site: "queue.depth", form: "not-done", error });
    const { night } = await nightIn(scene);
    expect(night.unknown).toEqual({ queue: expect.objectContaining({ code: "queue-unavailable" }) });
    expect(night.places.held).toBe(0);
  });

  test("is not made without the store, and leaves no call behind", async () => {
    const scene = new Scene();
    scene.addTasks(2);
    await scene.run();
    const error = storeError("store-unavailable");
    for (const site of ["store.list", "store.getDocument"] as const) {
      scene.world.faults.plant({ site, form: "not-done", error });
      await expect(nightIn(scene)).rejects.toMatchObject({ code: "store-unavailable" });
      expect(scene.world.clock.countPending()).toBe(0);
      scene.world.faults.clear();
    }
  });

  test("says how long no run has ended", async () => {
    const scene = new Scene();
    await scene.run();
    const { night: first } = await nightIn(scene);
    await scene.wait(2 * DAY_MS);
    const { night } = await nightIn(scene);
    expect(night).toMatchObject({ verdict: "none", lastRunAt: first.lastRunAt, runs: [], streak: 0 });
    expect(first.lastRunAt).toBeDefined();
  });

  test("counts an inventory whose clock is ahead, with the damage that it found", async () => {
    const scene = new Scene();
    await scene.run();
    const damage = { exportTaskId: "export-1", revision: "0123abcd", key: "exports/1.zip", kind: "missing" };
    for (const aheadMs of [60_000, 400 * DAY_MS]) {
      const state = {
        startedAt: new Date(scene.world.clock.wallMs() + aheadMs).toISOString(),
        stopReason: "done",
        counts: { exports: 1 },
        damage: [damage],
      };
      scene.world.store.plantObject(inventoryStateKey(scene.world.scope), Buffer.from(JSON.stringify(state)));
      const { night } = await nightIn(scene);
      expect(night.findings).toContainEqual(
        expect.objectContaining({ kind: "damaged", exportTaskId: "export-1" }),
      );
      expect(night.verdict).toBe("look");
    }
  });

  test("lasts as long as the day, when clocks are set back", async () => {
    const scene = new Scene({ clock: { startWallMs: Date.parse("2026-10-25T06:00:00Z") } });
    const { night } = await nightIn(scene, { timeZone: "Europe/Berlin" });
    expect(night.date).toBe("2026-10-25");
    expect(Date.parse(night.madeAt) - Date.parse(night.from)).toBe(25 * HOUR_MS);
  });

  test("leaves out the runs of another project that shares the store", async () => {
    const scene = new Scene();
    scene.addTasks(1);
    await scene.run();
    const { night } = await nightIn(scene, { scope: { projectId: "project-2", instanceId: undefined } });
    expect(night.runs).toEqual([]);
    expect(night.verdict).not.toBe("ok");
  });
});

describe("nights after each other", () => {
  test("show those before, and count the nights without anything to do", async () => {
    const scene = new Scene();
    for (let day = 0; day < 3; day += 1) {
      scene.addTasks(2);
      await scene.run();
      await reportIn(scene);
      await scene.wait(DAY_MS);
    }
    const date = dateOf(scene);
    const { night } = await nightIn(scene);
    const shown = night.nights.filter(({ verdict }) => verdict !== "unreported");
    expect(shown.map(({ verdict, made }) => ({ verdict, made }))).toEqual([
      { verdict: "ok", made: 2 },
      { verdict: "ok", made: 2 },
      { verdict: "ok", made: 2 },
      { verdict: "none", made: 0 },
    ]);
    expect(night.date).toBe(date);
    expect(night.lastRunAt).toBeDefined();
  });

  test("leave out no run, when a report comes later than that of the day before", async () => {
    const scene = new Scene();
    const { night: first } = await reportIn(scene);
    scene.addTasks(1);
    await scene.run();
    await scene.wait(DAY_MS + HOUR_MS);
    const { night } = await nightIn(scene);
    expect(night.from).toBe(first.madeAt);
    expect(night.counts.archived).toBe(1);
    expect(night.runs).toHaveLength(1);
  });

  test("hostile files in the place of reports are passed over", async () => {
    const scene = new Scene();
    scene.addTasks(1);
    await scene.run();
    const { night } = await reportIn(scene);
    await scene.wait(DAY_MS);
    const key = jsonKeyOf(night.date);
    const stored: unknown = JSON.parse(JSON.stringify(night));
    for (const text of [
      "",
      "{",
      "[]",
      JSON.stringify({ ...(stored as object), streak: -1 }),
      JSON.stringify({ ...(stored as object), madeAt: "2099-01-01T00:00:00Z" }),
      JSON.stringify({ ...(stored as object), madeAt: "2026-11-22T01:00:00+08" }),
      "[".repeat(100_000),
    ]) {
      scene.world.store.plantObject(key, Buffer.from(text));
      const made = await nightIn(scene);
      expect(made.night.nights.filter(({ verdict }) => verdict !== "unreported")).toHaveLength(1);
    }
  });
});

test("a report knows of no run that came after it", async () => {
  const scene = new Scene();
  await scene.run();
  const { night: first } = await reportIn(scene);
  await scene.wait(5 * DAY_MS);
  const claimed = JSON.stringify({ ...first, lastRunAt: "2099-01-01T00:00:00.000Z" });
  expect((await nightIn(scene)).night.lastRunAt).toBe(first.lastRunAt);
  scene.world.store.plantObject(jsonKeyOf(first.date), Buffer.from(claimed));
  expect((await nightIn(scene)).night.lastRunAt).toBeUndefined();
});

describe("an earlier night", () => {
  test("is what its report said, with what platform and inventory showed then", async () => {
    const scene = new Scene();
    scene.addTasks(2);
    await scene.run();
    const error = platformError("platform-unreachable");
    scene.world.faults.plant({ site: "platform.listExportTasks", times: 9, form: "not-done", error });
    const { night: first } = await reportIn(scene);
    scene.world.faults.clear();
    await scene.wait(DAY_MS);
    scene.addTasks(2);
    await scene.run();
    await reportIn(scene);
    const { night, isLatest } = await nightIn(scene, { date: first.date, deletion: "never" });
    expect(isLatest).toBe(false);
    expect(JSON.stringify(night)).toBe(JSON.stringify(first));
    expect(night.unknown.platform).toBeDefined();
  });

  test("whose report is lost is made of the archive alone, each time with the same bytes", async () => {
    const scene = new Scene();
    scene.addTasks(2);
    await scene.run();
    scene.world.platform.addTask({});
    const { night: first } = await reportIn(scene);
    expect(first.counts.waiting).toBe(1);
    await scene.wait(DAY_MS);
    scene.world.store.removeObject(jsonKeyOf(first.date));
    const again = await nightIn(scene, { date: first.date });
    scene.addTasks(2);
    await scene.run();
    await reportIn(scene);
    await scene.wait(DAY_MS);
    const later = await nightIn(scene, { date: first.date });
    expect(again.isLatest).toBe(false);
    expect(JSON.stringify(later.night)).toBe(JSON.stringify(again.night));
    expect(again.night.counts).toMatchObject({ archived: 2, deleted: 2, waiting: 0 });
    expect(again.night.places.seenAt).toBeDefined();
  });

  test("does not miss an inventory that a later one has overwritten", async () => {
    const scene = new Scene();
    await scene.run();
    const date = dateOf(scene);
    await scene.wait(2 * DAY_MS);
    const kinds = async () => (await nightIn(scene, { date })).night.findings.map(({ kind }) => kind);
    expect(await kinds()).toContain("no-inventory");
    const state = {
      startedAt: new Date(scene.world.clock.wallMs()).toISOString(),
      stopReason: "done",
      counts: { exports: 0, orphans: 3 },
      damage: [],
    };
    scene.world.store.plantObject(inventoryStateKey(scene.world.scope), Buffer.from(JSON.stringify(state)));
    expect(await kinds()).toEqual([]);
    expect((await nightIn(scene)).night.findings).toContainEqual({ kind: "orphans", count: 3 });
  });

  test("without a report of its own ends at the time of day of the report before it", async () => {
    const scene = new Scene();
    const { night: first } = await reportIn(scene);
    await scene.wait(3 * DAY_MS);
    const date = new Date(Date.parse(first.madeAt) + DAY_MS).toISOString().slice(0, 10);
    const { night } = await nightIn(scene, { date });
    expect(Date.parse(night.madeAt) - Date.parse(first.madeAt)).toBe(DAY_MS);
    expect(night.verdict).toBe("none");
  });

  test.each([
    ["2026-03-29", "2026-03-28T22:59:59.999Z", "2026-03-29T21:59:59.999Z"],
    ["2026-10-25", "2026-10-24T21:59:59.999Z", "2026-10-25T22:59:59.999Z"],
  ])(
    "of an archive without reports ends with the day, also when clocks change: %s",
    async (date, from, madeAt) => {
      const { night } = await nightIn(new Scene(), { date, timeZone: "Europe/Berlin" });
      expect(night).toMatchObject({ date, from, madeAt });
    },
  );
});

describe("where reports lie", () => {
  test("by the day, and the newest as latest.html", async () => {
    const scene = new Scene();
    const { night, pageKey } = await reportIn(scene);
    const day = `reports/${night.date.replaceAll("-", "/")}`;
    expect(pageKey).toBe("reports/latest.html");
    expect(storedKeys(scene)).toEqual([
      `${day}.html`,
      `${day}.json`,
      "reports/latest.html",
      REPORTS_OWNER_KEY,
    ]);
  });

  test("a second project of the store has a folder of its own", async () => {
    const scene = new Scene();
    await reportIn(scene);
    const second = { scope: { projectId: "project-2", instanceId: "instance-1" } };
    expect((await reportIn(scene, second)).pageKey).toBe("reports/project-2/instance-1/latest.html");
    expect((await reportIn(scene)).pageKey).toBe("reports/latest.html");
    await scene.wait(DAY_MS);
    const { night } = await nightIn(scene, second);
    expect(night.nights.filter(({ verdict }) => verdict !== "unreported")).toHaveLength(2);
  });
});
