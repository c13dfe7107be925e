import { describe, expect, test } from "vitest";
import { PACING_STATE_KEY } from "../../lib/domain/key-layout.ts";
import { type Pacer, SlotLost } from "../../lib/pacing/pacer.ts";
import { StoreError } from "../../lib/ports/object-store.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { storeError } from "../world/port-errors.ts";
import { SeededRandom } from "../world/seeded-random.ts";
import { type Runner, World } from "../world/world.ts";
import { INTERVAL_MS, openPacer, requireSlot, smallestGapMs } from "./pacing-scene.ts";

const RUNNERS = 8;
const SLOTS_PER_RUNNER = 10;
const TWO_TASKS_IN_FLIGHT = 2;
/** Clock readings are sums of large numbers: a thousandth of a millisecond is lost on the way. */
const LEAST_GAP_MS = INTERVAL_MS - INTERVAL_MS / 62 - 0.001;

/** A lost answer or a failing write is a failed try of one task or run; the next one comes back. */
async function despiteFaults<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreError)) {
        throw error;
      }
    }
  }
}

/** Takes slots as downloads do: connects for some time, and writes the request when its slot is ready. */
async function download(
  world: World,
  { clock }: Runner,
  pacer: Pacer,
  { random, startsMs, slowestConnectionMs = 3_000 }: Downloads,
): Promise<void> {
  for (let done = 0; done < SLOTS_PER_RUNNER / TWO_TASKS_IN_FLIGHT; ) {
    const slot = requireSlot(await despiteFaults(() => pacer.take(Number.POSITIVE_INFINITY, ALWAYS)));
    try {
      await clock.sleep(random.integer(0, slowestConnectionMs));
      await slot.ready(ALWAYS);
      startsMs.push(world.clock.monotonicMs());
      done += 1;
    } catch (error) {
      if (!(error instanceof StoreError || error instanceof SlotLost)) {
        throw error;
      }
    } finally {
      slot.release();
    }
    await clock.sleep(random.integer(0, 90_000));
  }
}

interface Downloads {
  readonly random: SeededRandom;
  /** When each request was written. */
  readonly startsMs: number[];
  readonly slowestConnectionMs?: number;
}

/** Every tenth write of the state goes wrong, each time in another way. */
function plantFaults(world: World, random: SeededRandom): void {
  const error = storeError("store-unavailable");
  for (let occurrence = random.integer(2, 12); occurrence < 400; occurrence += random.integer(4, 16)) {
    const at = { site: "store.putDocument", occurrence } as const;
    const faults = [
      { ...at, form: "not-done", error },
      { ...at, form: "done-answer-lost", error },
      { ...at, form: "done-says-conflict" },
      { ...at, form: "slow", extraMs: random.integer(100, 40_000) },
    ] as const;
    world.faults.plant(faults[random.integer(0, faults.length - 1)] ?? faults[0]);
  }
}

function startRunners(world: World, random: SeededRandom): readonly Runner[] {
  return Array.from({ length: RUNNERS }, (_, index) =>
    // Their wall clocks are anywhere: only the store's counts.
    world.startRunner(`r${index}`, { skewMs: random.integer(-3_600_000, 3_600_000) }),
  );
}

async function drain(world: World, runner: Runner, downloads: Downloads): Promise<void> {
  await runner.clock.sleep(downloads.random.integer(0, 60_000));
  const pacer = await despiteFaults(() => openPacer(runner));
  await Promise.all(
    Array.from({ length: TWO_TASKS_IN_FLIGHT }, () => download(world, runner, pacer, downloads)),
  );
}

describe("download starts over 8 runners with 10 slots each, whatever happens to the writes", () => {
  const seeds = Array.from({ length: 24 }, (_, index) => index + 1);

  test.each(seeds)("are never closer than the interval less 1/62 (seed %d)", async (seed) => {
    const world = new World({ seed, store: { clockErrorMs: 0, callLatency: { minMs: 1, maxMs: 400 } } });
    const random = new SeededRandom(seed);
    const runners = startRunners(world, random);
    const startsMs: number[] = [];
    plantFaults(world, random);
    await world.run(() => Promise.all(runners.map((runner) => drain(world, runner, { random, startsMs }))));
    expect(startsMs).toHaveLength(RUNNERS * SLOTS_PER_RUNNER);
    expect(smallestGapMs(startsMs)).toBeGreaterThanOrEqual(LEAST_GAP_MS);
  });

  test("also where connections take up to three intervals", async () => {
    for (const seed of [301, 302, 303]) {
      const world = new World({ seed, store: { clockErrorMs: 0 } });
      const random = new SeededRandom(seed);
      const runners = startRunners(world, random);
      const startsMs: number[] = [];
      const downloads = { random, startsMs, slowestConnectionMs: 3 * INTERVAL_MS };
      await world.run(() => Promise.all(runners.map((runner) => drain(world, runner, downloads))));
      expect(startsMs).toHaveLength(RUNNERS * SLOTS_PER_RUNNER);
      expect(smallestGapMs(startsMs)).toBeGreaterThanOrEqual(LEAST_GAP_MS);
    }
  });

  test("and never closer than 30/31 of it where each runner reads the store's clock with an error", async () => {
    for (const seed of [101, 102, 103]) {
      const world = new World({ seed, store: { clockErrorMs: 200, clockSkewMs: 86_400_000 } });
      const random = new SeededRandom(seed);
      const runners = startRunners(world, random);
      const startsMs: number[] = [];
      await world.run(() => Promise.all(runners.map((runner) => drain(world, runner, { random, startsMs }))));
      expect(smallestGapMs(startsMs)).toBeGreaterThanOrEqual((INTERVAL_MS * 30) / 31);
    }
  });

  test("and a runner that dies with slots in hand keeps no other runner waiting for it", async () => {
    for (const seed of [201, 202, 203]) {
      const world = new World({ seed, store: { clockErrorMs: 0 } });
      const random = new SeededRandom(seed);
      const [dying, ...living] = startRunners(world, random);
      world.faults.plant({
        site: "store.putDocument",
        match: ({ runner, subject }) => runner === dying?.name && subject === PACING_STATE_KEY,
        occurrence: random.integer(2, 6),
        form: "crash",
        when: random.fraction() < 0.5 ? "before" : "after",
      });
      const startsMs: number[] = [];
      await world.run(async () => {
        const dead = dying?.process.execute(() => drain(world, dying, { random, startsMs }));
        await Promise.all(living.map((runner) => drain(world, runner, { random, startsMs })));
        expect((await dead)?.kind).toBe("crashed");
      });
      expect(startsMs.length).toBeGreaterThanOrEqual((RUNNERS - 1) * SLOTS_PER_RUNNER);
      expect(smallestGapMs(startsMs)).toBeGreaterThanOrEqual(LEAST_GAP_MS);
    }
  });
});

test("without compare-and-swap, one runner's two downloads keep the spacing among themselves", async () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const store = { compareAndSwap: false, clockErrorMs: 0, callLatency: { minMs: 1, maxMs: 400 } };
    const world = new World({ seed, store });
    const runner = world.startRunner("only");
    const random = new SeededRandom(seed);
    const startsMs: number[] = [];
    await world.run(() => drain(world, runner, { random, startsMs }));
    expect(startsMs).toHaveLength(SLOTS_PER_RUNNER);
    expect(smallestGapMs(startsMs)).toBeGreaterThanOrEqual(LEAST_GAP_MS);
  }
});
