import { describe, expect, test } from "vitest";
import { runReportKey } from "../../lib/domain/key-layout.ts";
import type { RunReport } from "../../lib/records/run-report.ts";
import { tellNewsOfInventory, tellNewsOfRun } from "../../lib/report/tell-news.ts";
import { earlier, night, run, runOn } from "../../lib/report/testing/night-scene.ts";
import { writeReport } from "../../lib/report/write-report.ts";
import { addDays } from "../../lib/report/zoned-time.ts";
import { NotifyScene } from "./notify-scene.ts";

const { signal } = new AbortController();
const FAILURE = { code: "store-full", message: "no space is left", hint: "Make room." };

class NewsScene extends NotifyScene {
  /** Subjects that the first target got. */
  get subjects(): readonly string[] {
    const [first] = this.targets;
    return this.arrived.flatMap((one) =>
      one.startsWith(`${first}: `) ? [one.slice(`${first}: `.length)] : [],
    );
  }

  /** What a run that ends now makes known; its own report lies in the store as the run left it. */
  async ended(report: Partial<RunReport>): Promise<number> {
    const nowMs = this.world.clock.wallMs();
    const whole = run({ runId: `run-${nowMs}`, ...report }, new Date(nowMs).toISOString());
    this.world.store.plantObject(runReportKey(nowMs, whole.runId), Buffer.from(JSON.stringify(whole)));
    return await this.telling((ports, settings) => tellNewsOfRun(ports, settings, whole, { signal }));
  }

  /** @returns how many documents were read. */
  async telling(
    tell: (
      ports: Parameters<typeof tellNewsOfRun>[0],
      settings: Parameters<typeof tellNewsOfRun>[1],
    ) => Promise<unknown>,
  ): Promise<number> {
    const runner = this.runner();
    const settings = { ...this.settings, language: "en", timeZone: "UTC" } as const;
    let reads = 0;
    const store = new Proxy(runner.store, {
      get(target, name) {
        reads += name === "getDocument" || name === "list" ? 1 : 0;
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    await this.world.run(() => tell({ ...this.ports(runner), store }, settings));
    return reads;
  }
}

describe("a run tells at once", () => {
  test("nothing after a good run, for one read", async () => {
    const scene = new NewsScene();
    expect(await scene.ended({})).toBe(1);
    expect(scene.arrived).toEqual([]);
  });

  test("nothing, for no read, without a target", async () => {
    expect(await new NewsScene([]).ended({})).toBe(0);
  });

  test("a failure of the system when it is the second in a row, and once", async () => {
    const scene = new NewsScene();
    const failed = { stopReason: "system-failure", failure: FAILURE } as const;
    await scene.ended(failed);
    expect(scene.subjects).toEqual([]);
    await scene.wait(1_800_000);
    await scene.ended({ stopReason: "aborted" });
    await scene.wait(1_800_000);
    await scene.ended(failed);
    await scene.wait(1_800_000);
    await scene.ended(failed);
    expect(scene.subjects).toHaveLength(1);
    await scene.wait(1_800_000);
    await scene.ended({});
    await scene.wait(1_800_000);
    await scene.ended(failed);
    expect(scene.subjects).toHaveLength(1);
    await scene.wait(1_800_000);
    await scene.ended(failed);
    expect(scene.subjects).toHaveLength(2);
  });

  test("an export that was lost, with its id", async () => {
    const scene = new NewsScene();
    await scene.ended(runOn([{ exportTaskId: "export-9", outcome: "dead-lettered", reason: "source-gone" }]));
    expect(scene.subjects).toHaveLength(1);
  });

  test.each<[number, number]>([
    [40, 1],
    [4, 0],
  ])("a loss that is near by the pace of the last nights: %i made in a night", async (made, told) => {
    const scene = new NewsScene();
    const today = new Date(scene.world.clock.wallMs()).toISOString().slice(0, 10);
    const { store } = scene.runner();
    const date = addDays(today, -1);
    const last = { ...night({ earlier: earlier(5, { made }) }), date, madeAt: `${date}T07:00:00.000Z` };
    const stored = { ...last, counts: { ...last.counts, made } };
    await scene.world.run(() => writeReport(store, { createOnce: true }, stored, { day: "" }, { signal }));
    const oldestUnarchived = { exportTaskId: "export-1", createTime: "2026-11-21T00:00:00Z" };
    await scene.ended({ platform: { held: 20, limit: 50, oldestUnarchived } });
    expect(scene.subjects).toHaveLength(told);
  });
});

test("an inventory tells of damage once, until it is over", async () => {
  const scene = new NewsScene();
  const damage = [{ exportTaskId: "a", revision: "0a1b2c3d", kind: "missing" as const, key: "exports/a" }];
  const inventory = (report: { damage: typeof damage; stopReason: "done" | "time-budget" }) =>
    scene.telling((ports, settings) => tellNewsOfInventory(ports, settings, report, { signal }));
  await inventory({ damage, stopReason: "done" });
  await inventory({ damage: [], stopReason: "time-budget" });
  await inventory({ damage, stopReason: "done" });
  expect(scene.subjects).toHaveLength(1);
  await inventory({ damage: [], stopReason: "done" });
  await inventory({ damage, stopReason: "done" });
  expect(scene.subjects).toHaveLength(2);
});
