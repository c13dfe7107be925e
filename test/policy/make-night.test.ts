import { describe, expect, test } from "vitest";
import { REPORTS_OWNER_KEY } from "../../lib/domain/key-layout.ts";
import { makeNight, type ReportSettings } from "../../lib/report/make-night.ts";
import { writeReport } from "../../lib/report/write-report.ts";
import { platformError } from "../world/port-errors.ts";
import { HOUR_MS, Scene } from "./scene.ts";

const DAY_MS = 24 * HOUR_MS;
const { signal } = new AbortController();
const ABILITIES = { createOnce: true, compareAndSwap: true };

let reports = 0;

function settingsOf(scene: Scene, changes: Partial<ReportSettings> = {}): ReportSettings {
  return {
    scope: scene.world.scope,
    endpoint: "https://iotda.example",
    timeZone: "UTC",
    deletion: "after-verify",
    downloadIntervalMs: 31_000,
    rules: [],
    targets: [],
    ...changes,
  };
}

/** Makes a night as a report does, in a process of its own. */
async function nightIn(
  scene: Scene,
  { date, ...changes }: Partial<ReportSettings> & { readonly date?: string } = {},
) {
  reports += 1;
  const runner = scene.world.startRunner(`report-${reports}`);
  const { store, platform, queue, clock } = runner;
  return await scene.world.run(() =>
    makeNight({ store, platform, queue, clock }, settingsOf(scene, changes), { signal, date }),
  );
}

/** Makes the report of the night that has just ended, and stores it. */
async function reportIn(scene: Scene, changes: Partial<ReportSettings> = {}) {
  const made = await nightIn(scene, changes);
  reports += 1;
  const { store } = scene.world.startRunner(`report-${reports}`);
  const pages = { day: "<p>day", latest: "<p>latest" };
  const written = await scene.world.run(() => writeReport(store, ABILITIES, made.night, pages, { signal }));
  return { ...made, ...written };
}

function storedKeys(scene: Scene): readonly string[] {
  return scene.world.store.keysUnder("reports/");
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

  test("hostile files in the place of reports are passed over", async () => {
    const scene = new Scene();
    scene.addTasks(1);
    await scene.run();
    const { night } = await reportIn(scene);
    await scene.wait(DAY_MS);
    const key = `reports/${night.date.replaceAll("-", "/")}.json`;
    const stored: unknown = JSON.parse(JSON.stringify(night));
    for (const text of [
      "",
      "{",
      "[]",
      JSON.stringify({ ...(stored as object), streak: -1 }),
      "[".repeat(100_000),
    ]) {
      scene.world.store.plantObject(key, Buffer.from(text));
      const made = await nightIn(scene);
      expect(made.night.nights.filter(({ verdict }) => verdict !== "unreported")).toHaveLength(1);
    }
  });
});

describe("an earlier night", () => {
  test("made twice has the same bytes, whatever happened since", async () => {
    const scene = new Scene();
    scene.addTasks(2);
    await scene.run();
    const { night: first } = await reportIn(scene);
    await scene.wait(DAY_MS);
    const again = await nightIn(scene, { date: first.date });
    scene.addTasks(2);
    await scene.run();
    await reportIn(scene);
    const later = await nightIn(scene, { date: first.date });
    expect(again.isLatest).toBe(false);
    expect(JSON.stringify(later.night)).toBe(JSON.stringify(again.night));
    expect(again.night).toMatchObject({ madeAt: first.madeAt, from: first.from, counts: first.counts });
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

  test("of an archive without reports ends with the day, also when clocks change", async () => {
    const scene = new Scene();
    const { night } = await nightIn(scene, { date: "2026-03-29", timeZone: "Europe/Berlin" });
    expect([night.from, night.madeAt]).toEqual(["2026-03-28T22:59:59.999Z", "2026-03-29T21:59:59.999Z"]);
  });
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
