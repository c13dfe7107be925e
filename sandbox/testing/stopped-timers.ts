import { syncBuiltinESMExports } from "node:module";
import timersOfPromises from "node:timers/promises";
import { onTestFinished, vi } from "vitest";

/** The timers of this process, which a test lets pass. */
export interface StoppedTimers {
  /** The length of each timer that was set, in milliseconds. */
  readonly lengthsMs: readonly number[];
  /** Resolves when this many timers of this length were set. */
  areSet(lengthMs: number, count?: number): Promise<void>;
  pass(ms: number): void;
  /** Lets time pass by such steps until the promise settles, and gives what it settled to. */
  passUntil<T>(settled: Promise<T>, stepMs: number): Promise<T>;
  /** Looks again and again until the condition holds; `expect.poll` would let time pass meanwhile. */
  until(condition: () => boolean): Promise<void>;
}

const POLL_MS = 5;

/**
 * Stops `setTimeout` and that of `node:timers/promises` until the test has finished, so that no limit of time depends on
 * the machine. Sockets, files, intervals and vitest's own limits go on.
 */
export function stopTimers(): StoppedTimers {
  const { setTimeout: inRealTime } = globalThis;
  const { setTimeout: delayInRealTime } = timersOfPromises;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { setTimeout: whenPassed } = globalThis;
  const lengthsMs: number[] = [];
  const setTimer = new Proxy(whenPassed, {
    apply(target, self, args) {
      lengthsMs.push(Number(args[1] ?? 0));
      return Reflect.apply(target, self, args);
    },
  });
  const delay = new Proxy(delayInRealTime, {
    async apply(_target, _self, [ms, value, { signal } = {}]: [number, unknown, { signal?: AbortSignal }?]) {
      signal?.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      const timer = setTimer(resolve, ms, value);
      const onAbort = () => reject(signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      return await promise.finally(() => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      });
    },
  });
  const use = (timer: typeof setTimeout, ofPromises: typeof delayInRealTime) => {
    globalThis.setTimeout = timer;
    timersOfPromises.setTimeout = ofPromises;
    syncBuiltinESMExports();
  };
  use(setTimer, delay);
  onTestFinished(() => {
    use(whenPassed, delayInRealTime);
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
