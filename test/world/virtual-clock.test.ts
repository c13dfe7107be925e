import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { SeededRandom } from "./seeded-random.ts";
import { DeadlockError, VirtualClock, VirtualLimitError } from "./virtual-clock.ts";
import { type WakeUp, WakeUpQueue } from "./wake-up-queue.ts";

describe("virtual clock", () => {
  test("time jumps to the next wake-up, in order, ties in the order of scheduling", async () => {
    const clock = new VirtualClock({ startWallMs: 1_000 });
    const story: string[] = [];
    const sleeper = async (name: string, ms: number) => {
      await clock.sleep(ms);
      story.push(`${name} at ${clock.monotonicMs()}`);
    };
    await clock.run(() =>
      Promise.all([sleeper("c", 50), sleeper("a", 20), sleeper("b", 20), sleeper("z", 0)]),
    );
    expect(story).toEqual(["z at 0", "a at 20", "b at 20", "c at 50"]);
    expect(clock.wallMs()).toBe(1_050);
  });

  test("every promise settles before time moves on, however long the chain", async () => {
    const clock = new VirtualClock();
    let settledAtMs = -1;
    const longChain = async () => {
      await clock.sleep(10);
      for (let turn = 0; turn < 1_000; turn += 1) {
        await Promise.resolve();
      }
      await new Promise<void>((resolve) => process.nextTick(resolve));
      settledAtMs = clock.monotonicMs();
    };
    await clock.run(() => Promise.all([longChain(), clock.sleep(11), clock.sleep(500)]));
    expect(settledAtMs).toBe(10);
  });

  test("a sleep is aborted at once with the signal's reason and leaves nothing behind", async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const reason = new Error("enough");
    clock.schedule(5, () => controller.abort(reason));
    await expect(clock.run(() => clock.sleep(1_000, controller.signal))).rejects.toBe(reason);
    expect(clock.monotonicMs()).toBe(5);
    expect(clock.countPending()).toBe(0);
    await expect(clock.sleep(1, controller.signal)).rejects.toBe(reason);
  });

  test("what main throws, at once or later, rejects the run", async () => {
    const clock = new VirtualClock();
    const early = () => {
      throw new Error("early");
    };
    await expect(clock.run(early)).rejects.toThrow("early");
    await expect(clock.run(() => clock.sleep(5).then(early))).rejects.toThrow("early");
  });

  test("a deadlock says what is being waited for", async () => {
    const clock = new VirtualClock({ describeWaiting: () => "the bus" });
    const waiting = clock.run(async () => {
      await clock.sleep(7);
      await new Promise(() => undefined);
    });
    await expect(waiting).rejects.toThrow(DeadlockError);
    await expect(clock.run(() => new Promise(() => undefined))).rejects.toThrow(
      /at 7 ms.*waiting for the bus/,
    );
  });

  test("an endless sleep alone is a deadlock, and no number is refused", async () => {
    const clock = new VirtualClock();
    await expect(clock.run(() => clock.sleep(Number.POSITIVE_INFINITY))).rejects.toThrow(DeadlockError);
    await expect(clock.sleep(Number.NaN)).rejects.toThrow(TypeError);
  });

  test("virtual time and steps are limited", async () => {
    const loop = (clock: VirtualClock) => async () => {
      for (;;) {
        await clock.sleep(100);
      }
    };
    const short = new VirtualClock({ maxRunMs: 950 });
    await expect(short.run(loop(short))).rejects.toThrow(VirtualLimitError);
    expect(short.monotonicMs()).toBe(900);
    const few = new VirtualClock({ maxRunSteps: 3 });
    await expect(few.run(loop(few))).rejects.toThrow(VirtualLimitError);
    expect(few.stepsTaken).toBe(3);
  });

  test("a run can be followed by another, but not overlapped", async () => {
    const clock = new VirtualClock();
    const first = clock.run(() => clock.sleep(10));
    expect(() => clock.run(() => clock.sleep(1))).toThrow("being run already");
    await first;
    await clock.run(() => clock.sleep(10));
    expect(clock.monotonicMs()).toBe(20);
    await nextTurn();
    expect(clock.stepsTaken).toBe(2);
  });

  test("a skewed view differs in wall time only", async () => {
    const clock = new VirtualClock({ startWallMs: 0 });
    const ahead = clock.withSkew(400_000);
    await clock.run(() => ahead.sleep(10));
    expect([ahead.wallMs(), ahead.monotonicMs(), clock.wallMs()]).toEqual([400_010, 10, 10]);
  });
});

describe("wake-up queue", () => {
  test("gives random wake-ups back in order, without the cancelled", () => {
    const random = new SeededRandom(7);
    const queue = new WakeUpQueue();
    const all: WakeUp[] = Array.from({ length: 500 }, (_, sequence) => ({
      atMs: random.integer(0, 50),
      sequence,
      action: () => undefined,
      cancelled: random.fraction() < 0.3,
    }));
    for (const wakeUp of all) {
      queue.push(wakeUp);
    }
    const expected = all
      .filter(({ cancelled }) => !cancelled)
      .sort((a, b) => a.atMs - b.atMs || a.sequence - b.sequence);
    expect(queue.countPending()).toBe(expected.length);
    expect(expected.map(() => queue.pop())).toEqual(expected);
    expect(queue.pop()).toBeUndefined();
  });
});

describe("seeded random", () => {
  test("a seed decides everything, forks are independent and repeatable", () => {
    const draw = (random: SeededRandom) => [random.hex(3), random.fraction(), random.integer(3, 9)];
    expect(draw(new SeededRandom(5))).toEqual(draw(new SeededRandom(5)));
    expect(draw(new SeededRandom(5))).not.toEqual(draw(new SeededRandom(6)));
    const parent = new SeededRandom(5);
    const before = draw(parent.fork("a"));
    parent.fraction();
    expect(draw(parent.fork("a"))).toEqual(before);
    expect(draw(parent.fork("b"))).not.toEqual(before);
  });

  test("values stay in their ranges and reach both ends", () => {
    const random = new SeededRandom(1);
    const drawn = Array.from({ length: 2_000 }, () => random.integer(2, 5));
    expect(new Set(drawn)).toEqual(new Set([2, 3, 4, 5]));
    const fractions = Array.from({ length: 2_000 }, () => random.fraction());
    expect(Math.min(...fractions)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...fractions)).toBeLessThan(1);
    expect(fractions.reduce((sum, fraction) => sum + fraction, 0) / 2_000).toBeCloseTo(0.5, 1);
    expect(random.hex(5)).toMatch(/^[0-9a-f]{10}$/);
    expect(random.shuffled([1, 2, 3, 4]).toSorted()).toEqual([1, 2, 3, 4]);
  });
});
