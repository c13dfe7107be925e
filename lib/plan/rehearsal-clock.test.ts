import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { RehearsalClock } from "./rehearsal-clock.ts";

const START_MS = Date.UTC(2026, 10, 30);

function clockAtStart(): RehearsalClock {
  return new RehearsalClock(START_MS, () => nextTurn());
}

describe("the time of a rehearsal", () => {
  test("jumps to the next wake-up, in the order of their moments", async () => {
    const clock = clockAtStart();
    const woken: string[] = [];
    const sleep = async (name: string, ms: number) => {
      await clock.sleep(ms);
      woken.push(`${name} at ${clock.monotonicMs()}`);
    };
    await clock.run(() => Promise.all([sleep("b", 86_400_000), sleep("a", 5), sleep("c", 86_400_000)]));
    expect(woken).toEqual(["a at 5", "b at 86400000", "c at 86400000"]);
    expect(clock.wallMs()).toBe(START_MS + 86_400_000);
  });

  test("stands still while a real call is under way", async () => {
    const clock = clockAtStart();
    const answer = Promise.withResolvers<string>();
    const seen: number[] = [];
    const calling = async () => {
      const text = await clock.during(() => answer.promise);
      seen.push(clock.monotonicMs());
      return text;
    };
    const sleeping = async () => {
      await clock.sleep(10);
      seen.push(clock.monotonicMs());
    };
    const over = clock.run(() => Promise.all([sleeping(), calling()]));
    for (let turn = 0; turn < 20; turn += 1) {
      await nextTurn();
    }
    expect(clock.monotonicMs()).toBe(0);
    answer.resolve("answer");
    expect(await over).toEqual([undefined, "answer"]);
    expect(seen).toEqual([0, 10]);
  });

  test("a sleep that is aborted rejects with the signal's reason and is never waited for", async () => {
    const clock = clockAtStart();
    const nap = new AbortController();
    const main = async () => {
      const napping = clock.sleep(60_000, nap.signal);
      nap.abort("awake");
      await expect(napping).rejects.toBe("awake");
      await expect(clock.sleep(1, nap.signal)).rejects.toBe("awake");
      await clock.sleep(1);
    };
    await clock.run(main);
    expect(clock.monotonicMs()).toBe(1);
  });

  test.each([
    ["never comes", () => new Promise<never>(() => undefined)],
    ["lies at the end of time", (clock: RehearsalClock) => clock.sleep(Number.POSITIVE_INFINITY)],
  ])("what waits for something that %s is said to be stuck", async (_what, wait) => {
    const clock = clockAtStart();
    await expect(clock.run(() => wait(clock))).rejects.toMatchObject({ code: "rehearsal-stuck" });
  });

  test("a failure of the work is the failure of the run", async () => {
    await expect(clockAtStart().run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  });
});
