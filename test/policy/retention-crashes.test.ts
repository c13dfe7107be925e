import { describe, expect, test } from "vitest";
import { expire } from "../../lib/retention/expire.ts";
import { retainSweep } from "../../lib/retention/retain.ts";
import { effortOf } from "../simulation/effort.ts";
import type { Fault, Site } from "../world/faults.ts";
import { platformError, storeError } from "../world/port-errors.ts";
import { SeededRandom } from "../world/seeded-random.ts";
import { retentionSite } from "../world/world-retention.ts";
import { type Estate, estate, finish } from "./retention-estate.ts";
import type { RetentionScene } from "./retention-scene.ts";

const MAX_CALLS = 400;

function expectEnd({ scene, due, kept }: Estate): void {
  expect(scene.oracle.violations).toEqual([]);
  expect(scene.world.findViolations()).toEqual([]);
  expect(kept.filter((key) => !scene.has(key))).toEqual([]);
  expect(due.filter((key) => scene.has(key))).toEqual([]);
  expect(scene.retention.removed.toSorted()).toEqual(due.toSorted());
}

const FORMS: readonly (readonly [string, (at: "store" | "platform") => Fault])[] = [
  ["dies before", () => ({ form: "crash", when: "before" })],
  ["dies after", () => ({ form: "crash", when: "after" })],
  ["fails", (at) => ({ form: "not-done", error: errorAt(at) })],
  ["loses the answer of", (at) => ({ form: "done-answer-lost", error: errorAt(at) })],
];

function errorAt(at: "store" | "platform"): Error {
  return at === "store" ? storeError("store-unavailable") : platformError("platform-unavailable");
}

const SITES: readonly Site[] = [
  "platform.listExportTasks",
  "store.preflight",
  "store.readClockMs",
  "store.list",
  "store.getDocument",
  "store.putDocument",
  ...(["retentionAbilities", "readProtection", "lockVersion", "tagVersion", "removeVersion"] as const).map(
    (call) => retentionSite(`store.${call}`),
  ),
];

/** Plants a fault at the n-th call of whatever kind. @returns how many calls there were until now. */
function plantAt(
  scene: RetentionScene,
  n: number,
  faultOf: (at: "store" | "platform") => Fault,
): () => number {
  let calls = 0;
  const match = () => {
    calls += 1;
    return calls === n;
  };
  for (const site of SITES) {
    scene.world.faults.plant({ site, match, ...faultOf(site.startsWith("store") ? "store" : "platform") });
  }
  return () => calls;
}

const CREATES_ONCE = effortOf(process.env).everyStore ? [true, false] : [true];

describe.each(CREATES_ONCE)("where documents can be created once: %s", (createOnce) => {
  test.each(FORMS)(
    "a run that %s any one call removes nothing wrong, and the next ends the work",
    async (_name, faultOf) => {
      let n = 1;
      for (; n < MAX_CALLS; n += 1) {
        const night = estate(n, createOnce);
        const { scene } = night;
        await scene.takeStock();
        const countCalls = plantAt(scene, n, faultOf);
        await scene.start((ports) => runBoth(ports, scene)).catch(expectWorldsFailure);
        const calls = countCalls();
        await finish(scene);
        expectEnd(night);
        if (calls < n) {
          break;
        }
      }
      expect(n).toBeGreaterThan(100);
      expect(n).toBeLessThan(MAX_CALLS);
    },
  );
});

async function runBoth(ports: Parameters<typeof expire>[0], scene: RetentionScene): Promise<void> {
  await retainSweep(ports, scene.settings, scene.unaborted);
  await expire(ports, scene.settings, scene.unaborted);
}

/** What a run may throw: the failure that was planted, and nothing that is a bug. */
function expectWorldsFailure(error: unknown): void {
  expect(error).toMatchObject({
    hint: expect.any(String),
    code: expect.stringMatching(/^(store|platform)-/),
  });
}

test("two faults anywhere, two runners at once: nothing wrong is removed", async () => {
  for (let seed = 1; seed <= 150; seed += 1) {
    const night = estate(seed);
    const { scene } = night;
    await scene.takeStock();
    const random = new SeededRandom(seed);
    for (let fault = 0; fault < 2; fault += 1) {
      const [, faultOf] = FORMS[random.integer(0, FORMS.length - 1)] ?? [];
      if (faultOf !== undefined) {
        plantAt(scene, random.integer(1, 160), faultOf);
      }
    }
    const a = scene.ports(`a-${seed}`);
    const b = scene.ports(`b-${seed}`);
    await scene.world.run(async () => {
      const endings = [a, b].map(({ ports, process }) => process.execute(() => runBoth(ports, scene)));
      for (const ended of await Promise.allSettled(endings)) {
        if (ended.status === "rejected") {
          expectWorldsFailure(ended.reason);
        }
      }
    });
    await finish(scene);
    expect(
      night.kept.filter((key) => !scene.has(key)),
      `seed ${seed}`,
    ).toEqual([]);
    expectEnd({ ...night, due: [...new Set(scene.retention.removed)] });
    expect(night.due.filter((key) => scene.has(key))).toEqual([]);
  }
});
