import type { Clock } from "../../lib/ports/clock.ts";
import { type WakeUp, WakeUpQueue } from "./wake-up-queue.ts";

/** Nothing is scheduled and the driven function has not settled: it waits for something that never comes. */
export class DeadlockError extends Error {
  override readonly name = "DeadlockError";
}

/** The driven function used up its virtual time or its steps: it most likely loops. */
export class VirtualLimitError extends Error {
  override readonly name = "VirtualLimitError";
}

export interface VirtualClockOptions {
  /** Epoch milliseconds at virtual time 0. */
  readonly startWallMs?: number;
  /** One `run` may let this much virtual time pass. Default: 30 days. */
  readonly maxRunMs?: number;
  /** One `run` may take this many wake-ups. Default: one million. */
  readonly maxRunSteps?: number;
  /** Says what is being waited for; quoted when a run is stuck. */
  readonly describeWaiting?: () => string;
}

/** Cancels what was scheduled; safe more than once and after it happened. */
export type Cancel = () => void;

const DEFAULT_START_WALL_MS = Date.UTC(2026, 10, 22, 1, 0, 0);
const DEFAULT_MAX_RUN_MS = 30 * 24 * 3_600_000;
const DEFAULT_MAX_RUN_STEPS = 1_000_000;
/** A turn of the event loop asks the kernel for news, which takes as long as a step: many steps share one. */
const STEPS_PER_TURN = 64;

/**
 * Time that passes only when everybody waits. `run` lets all promises settle, then jumps to the next wake-up,
 * one at a time, so that a run is a function of its inputs alone.
 *
 * "Let all promises settle" is `setImmediate`: Node empties the microtask and the `nextTick` queues before it runs
 * each such callback, however long their chains are, and also between two of one turn. Work on other threads
 * (files, sockets, asynchronous zlib) is not waited for: code that needs it does not belong in a virtual run.
 */
export class VirtualClock implements Clock {
  readonly #startWallMs: number;
  readonly #maxRunMs: number;
  readonly #maxRunSteps: number;
  readonly #describeWaiting: () => string;
  readonly #wakeUps = new WakeUpQueue();
  #nowMs = 0;
  #sequence = 0;
  #stepsTaken = 0;
  #isRunning = false;
  #stoppedBy: Error | undefined;

  constructor(options: VirtualClockOptions = {}) {
    this.#startWallMs = options.startWallMs ?? DEFAULT_START_WALL_MS;
    this.#maxRunMs = options.maxRunMs ?? DEFAULT_MAX_RUN_MS;
    this.#maxRunSteps = options.maxRunSteps ?? DEFAULT_MAX_RUN_STEPS;
    this.#describeWaiting = options.describeWaiting ?? (() => "");
  }

  wallMs(): number {
    return this.#startWallMs + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepBy((delayMs, action) => this.schedule(delayMs, action), ms, signal);
  }

  /** Wake-ups taken so far, over all runs. */
  get stepsTaken(): number {
    return this.#stepsTaken;
  }

  /** Sleeps and scheduled actions that have not happened: 0 after a run that left nothing behind. */
  countPending(): number {
    return this.#wakeUps.countPending();
  }

  /** Runs `action` once, `delayMs` from now. An endless delay never comes. */
  schedule(delayMs: number, action: () => void): Cancel {
    if (Number.isNaN(delayMs)) {
      throw new TypeError("a delay must be a number of milliseconds");
    }
    if (delayMs === Number.POSITIVE_INFINITY) {
      return () => undefined;
    }
    const atMs = this.#nowMs + Math.max(0, delayMs);
    const wakeUp: WakeUp = { atMs, sequence: this.#sequence++, action, cancelled: false };
    this.#wakeUps.push(wakeUp);
    return () => {
      wakeUp.cancelled = true;
    };
  }

  /** The same time as another machine sees it whose wall clock is `skewMs` ahead. */
  withSkew(skewMs: number): Clock {
    return {
      wallMs: () => this.wallMs() + skewMs,
      monotonicMs: () => this.monotonicMs(),
      sleep: (ms, signal) => this.sleep(ms, signal),
    };
  }

  /** Makes the current `run` reject with `error`, whatever the driven function does. */
  stop(error: Error): void {
    this.#stoppedBy ??= error;
  }

  /**
   * Drives `main` until it settles and settles likewise. What is still scheduled then waits for the next run.
   *
   * @throws DeadlockError when nothing is scheduled and `main` has not settled.
   * @throws VirtualLimitError when the run exceeds its virtual time or its steps.
   */
  run<T>(main: () => Promise<T>): Promise<T> {
    if (this.#isRunning) {
      throw new Error("this clock is being run already: start everything inside one run");
    }
    this.#isRunning = true;
    this.#stoppedBy = undefined;
    const latestMs = this.#nowMs + this.#maxRunMs;
    const lastStep = this.#stepsTaken + this.#maxRunSteps;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let isSettled = false;
    const settle = (how: () => void) => {
      if (!isSettled) {
        isSettled = true;
        this.#isRunning = false;
        how();
      }
    };
    const step = () => {
      if (isSettled) {
        return;
      }
      const failure = this.#step(latestMs, lastStep);
      if (failure !== undefined) {
        settle(() => reject(failure));
        return;
      }
      setImmediate(step);
    };
    // `async` turns what `main` throws at once into a rejection.
    (async () => main())().then(
      (value) => settle(() => resolve(value)),
      (thrown: unknown) => settle(() => reject(thrown)),
    );
    for (let steps = 0; steps < STEPS_PER_TURN; steps += 1) {
      setImmediate(step);
    }
    return promise;
  }

  #step(latestMs: number, lastStep: number): Error | undefined {
    if (this.#stoppedBy !== undefined) {
      return this.#stoppedBy;
    }
    const next = this.#wakeUps.pop();
    if (next === undefined) {
      return new DeadlockError(this.#stuck("deadlock: nothing is scheduled and main has not settled"));
    }
    if (next.atMs > latestMs || this.#stepsTaken >= lastStep) {
      this.#wakeUps.push(next);
      const limit = next.atMs > latestMs ? `${this.#maxRunMs} ms` : `${this.#maxRunSteps} steps`;
      return new VirtualLimitError(this.#stuck(`main has not settled within ${limit} of virtual time`));
    }
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    this.#stepsTaken += 1;
    next.action();
    return undefined;
  }

  #stuck(problem: string): string {
    const waiting = this.#describeWaiting();
    const at = `at ${this.#nowMs} ms, after ${this.#stepsTaken} steps`;
    return waiting === "" ? `${problem}, ${at}` : `${problem}, ${at}; waiting for ${waiting}`;
  }
}

/** An abortable sleep made from any scheduler; rejects with the signal's reason. */
export function sleepBy(
  schedule: (delayMs: number, action: () => void) => Cancel,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = schedule(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
