import { describe, expect, test } from "vitest";
import type { Verdict } from "../../lib/report/night.ts";
import { readUnnotified } from "../../lib/report/notification-state.ts";
import type { PlannedFault } from "../world/faults.ts";
import { FAULTS_OF_A_CALL, NotifyScene, REFUSED } from "./notify-scene.ts";

const MINUTE_MS = 60_000;
const LATER_MS = 16 * MINUTE_MS;
const { signal } = new AbortController();

async function unnotified(scene: NotifyScene, targets = scene.targets) {
  const { store, clock } = scene.runner();
  const nowMs = clock.wallMs();
  return await scene.world.run(() => readUnnotified(store, scene.world.scope, { targets, nowMs, signal }));
}

describe("a night is told", () => {
  test("once to each target, by the first of all runs", async () => {
    const scene = new NotifyScene();
    expect([await scene.night(), await scene.night()]).toEqual(["told", "told-before"]);
    await scene.wait(LATER_MS);
    expect(await scene.night()).toBe("told-before");
    expect(scene.countArrived()).toEqual([1, 1]);
    expect(await unnotified(scene)).toEqual([]);
    expect(await scene.night({ date: "2026-11-23", verdict: "ok" })).toBe("told");
  });

  test("once more where it turned out worse than a report made earlier had it, and never a third time", async () => {
    const scene = new NotifyScene();
    const date = "2026-11-22";
    const tell = (verdict: Verdict) => scene.night({ date, verdict });
    expect(await tell("ok")).toBe("told");
    expect(await tell("none")).toBe("told");
    expect(await tell("ok")).toBe("told-before");
    expect(await tell("act")).toBe("told-before");
    expect(scene.countArrived()).toEqual([2, 2]);
  });

  test("not once more where it turned out better", async () => {
    const scene = new NotifyScene();
    const date = "2026-11-22";
    expect(await scene.night({ date, verdict: "act" })).toBe("told");
    expect(await scene.night({ date, verdict: "look" })).toBe("told-before");
    expect(scene.countArrived()).toEqual([1, 1]);
  });

  test("once by two runners that begin at the same moment", async () => {
    const scene = new NotifyScene();
    const endings = await scene.together([
      (ports) => scene.tellNight(ports),
      (ports) => scene.tellNight(ports),
    ]);
    const outcomes = endings.map(
      (ending) => ending !== "failed" && ending.kind === "finished" && ending.value.outcome,
    );
    expect(outcomes.sort()).toEqual(["being-told", "told"]);
    expect(scene.countArrived()).toEqual([1, 1]);
  });

  test("only when it was not good, where that is asked for; and to targets alone", async () => {
    const scene = new NotifyScene();
    const quiet = { notifyOn: "problems" } as const;
    expect(await scene.night({ date: "2026-11-22", verdict: "ok" }, quiet)).toBe("not-wanted");
    expect(await scene.night({ date: "2026-11-22", verdict: "none" }, quiet)).toBe("told");
    expect(await new NotifyScene([]).night()).toBe("not-wanted");
  });
});

test("a run that is told of a conflict with its own claim knows it, and tells the night at once", async () => {
  const scene = new NotifyScene();
  scene.world.faults.plant({ site: "store.putDocument", form: "done-says-conflict" });
  expect(await scene.night()).toBe("told");
  expect(scene.countArrived()).toEqual([1, 1]);
});

describe("at least once and at most twice, whatever happens to a run", () => {
  /** Two runners, of which a fault hits one call; a later run goes on. @returns whether it hit any. */
  async function play(fault: PlannedFault, both: boolean, targets?: readonly string[]): Promise<boolean> {
    const scene = new NotifyScene(targets);
    scene.world.faults.plant(fault);
    const tell = (ports: Parameters<NotifyScene["tellNight"]>[0]) => scene.tellNight(ports);
    await scene.together(both ? [tell, tell] : [tell]);
    const wasHit = scene.world.faults.hits.length > 0;
    scene.world.faults.clear();
    await scene.wait(LATER_MS);
    await scene.night();
    await scene.wait(LATER_MS);
    await scene.night();
    for (const times of scene.countArrived()) {
      expect(times, JSON.stringify(fault)).toBeGreaterThanOrEqual(1);
      expect(times, JSON.stringify(fault)).toBeLessThanOrEqual(2);
    }
    return wasHit;
  }

  const faults: typeof FAULTS_OF_A_CALL = [
    ...FAULTS_OF_A_CALL,
    ["reads no text", { site: "store.getDocument", form: "spoiled" }],
  ];

  test.each(faults)("one that %s", async (what, fault) => {
    // Of two targets, one that refuses is named by the next report instead.
    const both = [["json a"], ["json a", "slack b"]];
    for (const targets of what === "is refused by a target" ? both.slice(0, 1) : both) {
      for (const isAccompanied of [false, true]) {
        let hits = 0;
        while (await play({ ...fault, occurrence: hits + 1 }, isAccompanied, targets)) {
          hits += 1;
        }
        expect(hits).toBeGreaterThan(0);
      }
    }
  });

  test("two runners that die over it are the last ones to tell it, and the next report says so", async () => {
    const scene = new NotifyScene();
    const die = () =>
      scene.world.faults.plant({
        site: "notifier.send",
        form: "crash",
        when: "before",
        match: ({ subject }) => subject === "slack b",
      });
    for (const _ of [1, 2]) {
      die();
      expect(await scene.night()).toBe("crashed");
      await scene.wait(LATER_MS);
    }
    expect(await scene.night()).toBe("given-up");
    expect((await unnotified(scene)).map(({ target }) => target)).toEqual(["json a", "slack b"]);
  });
});

describe("who could not be told", () => {
  test("is named by the next report with the time since when, until a message arrives", async () => {
    const scene = new NotifyScene();
    const startMs = scene.world.clock.wallMs();
    scene.world.faults.plant({
      site: "notifier.send",
      match: ({ subject }) => subject === "slack b",
      times: 2,
      form: "not-done",
      error: REFUSED,
    });
    expect(await scene.night()).toBe("told");
    expect(scene.countArrived()).toEqual([1, 0]);
    await scene.wait(24 * 60 * MINUTE_MS);
    await scene.night({ date: "2026-11-23", verdict: "look" });
    const [left, ...others] = await unnotified(scene);
    expect(others).toEqual([]);
    expect(left?.target).toBe("slack b");
    expect((left?.sinceMs ?? 0) - startMs).toBeLessThan(MINUTE_MS);
    expect(await unnotified(scene, ["json a"])).toEqual([]);
    await scene.night({ date: "2026-11-24", verdict: "look" });
    expect(await unnotified(scene)).toEqual([]);
  });

  test("is tried once more when no target took the message", async () => {
    const scene = new NotifyScene(["json a"]);
    scene.world.faults.plant({ site: "notifier.send", form: "not-done", error: REFUSED });
    expect(await scene.night()).toBe("told");
    expect(await scene.night()).toBe("being-told");
    await scene.wait(LATER_MS);
    expect(await scene.night()).toBe("told");
    expect(scene.countArrived()).toEqual([1]);
  });
});
