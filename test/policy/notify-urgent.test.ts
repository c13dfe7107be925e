import { describe, expect, test } from "vitest";
import type { Finding } from "../../lib/report/night.ts";
import type { UrgentKind } from "../../lib/report/tell-urgent.ts";
import type { PlannedFault } from "../world/faults.ts";
import { FAULTS_OF_A_CALL, NotifyScene } from "./notify-scene.ts";

const LATER_MS = 16 * 60_000;
const HOUR_MS = 3_600_000;
const LOST: Finding = { kind: "lost", exportTaskId: "export-1", atMs: 0 };
const DAMAGED: Finding = {
  kind: "damaged",
  exportTaskId: "export-2",
  revision: "0123abcd",
  damage: "changed",
  key: "exports/x.zip",
};

function lossNear(scene: NotifyScene, held: number, inMs: number): Finding {
  const lossFromMs = scene.world.clock.wallMs() + inMs;
  return { kind: "loss-near", exportTaskId: "export-3", lossFromMs, held, limit: 50 };
}

function failing(runs: number): Finding {
  const failure = { code: "store-full", message: "no space is left", hint: "Make room." };
  return { kind: "system-failing", failure, runs, sinceMs: 0 };
}

async function freshKinds(scene: NotifyScene, ...findings: readonly Finding[]) {
  const told = await scene.urgent(findings);
  return typeof told === "string" ? told : told.fresh.map(({ kind }) => kind);
}

describe("at once is told", () => {
  test("each finding once, until it is over", async () => {
    const scene = new NotifyScene();
    expect(await freshKinds(scene, LOST)).toEqual(["lost"]);
    expect(await freshKinds(scene, LOST, DAMAGED)).toEqual(["damaged"]);
    await scene.wait(LATER_MS);
    expect(await freshKinds(scene, DAMAGED, LOST)).toEqual([]);
    expect(scene.countArrived()).toEqual([2, 2]);
    expect(await freshKinds(scene, LOST)).toEqual([]);
    expect(await freshKinds(scene, LOST, DAMAGED)).toEqual(["damaged"]);
  });

  test("a loss that is near, and a system that failed twice in a row", async () => {
    const scene = new NotifyScene();
    expect(await freshKinds(scene, lossNear(scene, 44, 25 * HOUR_MS), failing(1))).toEqual([]);
    expect(await freshKinds(scene, lossNear(scene, 45, 25 * HOUR_MS), failing(2))).toEqual([
      "loss-near",
      "system-failing",
    ]);
    expect(await freshKinds(new NotifyScene(), lossNear(scene, 44, 23 * HOUR_MS))).toEqual(["loss-near"]);
    expect(await freshKinds(new NotifyScene(), { kind: "dead-letters", count: 1 })).toEqual([]);
    expect(await freshKinds(new NotifyScene([]), LOST)).toEqual([]);
  });

  test("nothing twice because a run could not judge it", async () => {
    const scene = new NotifyScene();
    await scene.urgent([LOST, DAMAGED]);
    await scene.urgent([], new Set<UrgentKind>(["system-failing", "loss-near"]));
    expect(await freshKinds(scene, LOST, DAMAGED)).toEqual([]);
  });
});

test("a run that is told of a conflict with its own claim knows it, and tells the news at once", async () => {
  const scene = new NotifyScene();
  scene.world.faults.plant({ site: "store.putDocument", form: "done-says-conflict" });
  expect(await freshKinds(scene, LOST)).toEqual(["lost"]);
});

describe("at least once and at most twice, whatever happens to a run", () => {
  async function play(fault: PlannedFault, both: boolean): Promise<boolean> {
    const scene = new NotifyScene(["json a"]);
    scene.world.faults.plant(fault);
    const tell = (ports: Parameters<NotifyScene["tellUrgent"]>[0]) => scene.tellUrgent(ports, [LOST]);
    await scene.together(both ? [tell, tell] : [tell]);
    const wasHit = scene.world.faults.hits.length > 0;
    scene.world.faults.clear();
    for (const _ of [1, 2]) {
      await scene.wait(LATER_MS);
      await scene.urgent([LOST]);
    }
    const [times] = scene.countArrived();
    expect(times, JSON.stringify(fault)).toBeGreaterThanOrEqual(1);
    expect(times, JSON.stringify(fault)).toBeLessThanOrEqual(2);
    return wasHit;
  }

  test.each(FAULTS_OF_A_CALL)("one that %s", async (_what, fault) => {
    for (const both of [false, true]) {
      let hits = 0;
      for (let occurrence = 1; await play({ ...fault, occurrence }, both); occurrence += 1) {
        hits += 1;
      }
      expect(hits).toBeGreaterThan(0);
    }
  });
});
