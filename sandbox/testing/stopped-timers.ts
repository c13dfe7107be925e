import { onTestFinished, vi } from "vitest";

/** The timers of this process, which a test lets pass. */
export interface StoppedTimers {
  /** The length of each timer that was set, in milliseconds. */
  readonly lengthsMs: readonly number[];
  /** Resolves when so many timers of this length were set. */
  areSet(lengthMs: number, count?: number): Promise<void>;
  pass(ms: number): void;
  /** Lets time pass by such steps until the promise settles, and gives what it settled to. */
  passUntil<T>(settled: Promise<T>, stepMs: number): Promise<T>;
  /** Looks again and again until the condition holds; `expect.poll` would let time pass meanwhile. */
  until(condition: () => boolean): Promise<void>;
}

const POLL_MS = 5;

/**
 * Stops the timers of this process until the test has finished, so that no limit of time depends on the machine.
 * Sockets, files, `node:timers/promises` and vitest's own limits go on.
 */
export function stopTimers(): StoppedTimers {
  const { setTimeout: inRealTime } = globalThis;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { setTimeout: whenPassed } = globalThis;
  const lengthsMs: number[] = [];
  globalThis.setTimeout = new Proxy(whenPassed, {
    apply(target, self, args) {
      lengthsMs.push(Number(args[1] ?? 0));
      return Reflect.apply(target, self, args);
    },
  });
  onTestFinished(() => {
    globalThis.setTimeout = whenPassed;
    vi.useRealTimers();
  });
  const pass = (ms: number) => void vi.advanceTimersByTime(ms);
  const until = async (condition: () => boolean) => {
    while (!condition()) {
      await new Promise((resolve) => inRealTime(resolve, POLL_MS));
    }
  };
  return {
    lengthsMs,
    areSet: (lengthMs, count = 1) => until(() => lengthsMs.filter((ms) => ms === lengthMs).length >= count),
    pass,
    passUntil: async (settled, stepMs) => {
      let isSettled = false;
      const mark = () => {
        isSettled = true;
      };
      void settled.then(mark, mark);
      await until(() => {
        pass(stepMs);
        return isSettled;
      });
      return await settled;
    },
    until,
  };
}
