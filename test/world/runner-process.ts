import type { Clock } from "../../lib/ports/clock.ts";
import type { EffectLog, EffectOutcome } from "./effects.ts";
import type { Fault, Faults, Site } from "./faults.ts";
import { Journey } from "./journey.ts";
import type { Latency, SeededRandom } from "./seeded-random.ts";
import { type Cancel, sleepBy, type VirtualClock, VirtualLimitError } from "./virtual-clock.ts";

/** What every runner of one world shares. */
export interface Surroundings {
  readonly clock: VirtualClock;
  readonly faults: Faults;
  readonly effects: EffectLog;
  /** Draws the latencies. */
  readonly random: SeededRandom;
  /** Calls to the outside that one world answers before it calls the run endless. */
  readonly maxCalls: number;
}

/** Where a runner froze. */
export interface CrashPoint {
  /** `killed` when a test froze it from outside. */
  readonly site: Site | "killed";
  readonly subject: string;
  readonly atMs: number;
}

/** How a runner's main function came to its end. */
export type Ending<T> =
  | { readonly kind: "finished"; readonly value: T }
  | { readonly kind: "crashed"; readonly at: CrashPoint };

export interface RunnerClockSettings {
  /** How far this machine's wall clock is ahead of true time. May be changed while it runs. */
  skewMs: number;
  /** Where its monotonic clock stood at virtual time 0; no two machines agree on it. */
  readonly monotonicOriginMs: number;
}

/** A process that stands still at its `wakeUp`-th await that takes time, and goes on `forMs` later. */
export interface Standstill {
  readonly wakeUp: number;
  readonly forMs: number;
}

/** One call to the outside. */
export interface OutsideCall<T> {
  readonly site: Site;
  readonly subject: string;
  readonly signal: AbortSignal | undefined;
  /** Half of it passes before the effect, half after. */
  readonly latency: Latency;
  /** Waited for right before the effect: what it throws is why the call was never made. */
  readonly ready?: (() => void | Promise<void>) | undefined;
  /** What the call does to the world, at one moment. What it throws is the world's answer. */
  readonly effect: (startedAtMs: number) => T;
  /** The answer under the fault `done-says-conflict`. */
  readonly conflict?: T;
  /** What the fault `spoiled` does. */
  readonly spoil?: () => void;
}

/** A promise that is never settled: where frozen code waits. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}

/**
 * A runner as the system sees it: a clock of its own, calls to the outside, and death. A frozen runner's
 * calls and sleeps never come back, as in a killed process; code after them is never reached, not even `finally`.
 */
export class RunnerProcess {
  readonly name: string;
  readonly clock: Clock;
  readonly clockSettings: RunnerClockSettings;
  readonly #around: Surroundings;
  readonly #scheduled = new Set<Cancel>();
  readonly #inFlight = new Set<{ readonly description: string }>();
  readonly #crash = Promise.withResolvers<CrashPoint>();
  #crashPoint: CrashPoint | undefined;
  #wakeUps = 0;
  #plannedStandstills: readonly Standstill[] = [];
  #standsUntilMs = 0;

  constructor(name: string, around: Surroundings, clockSettings: RunnerClockSettings) {
    this.name = name;
    this.#around = around;
    this.clockSettings = clockSettings;
    this.clock = {
      wallMs: () => around.clock.wallMs() + clockSettings.skewMs,
      monotonicMs: () => around.clock.monotonicMs() + clockSettings.monotonicOriginMs,
      sleep: (ms, signal) => sleepBy((delayMs, action) => this.schedule(delayMs, action), ms, signal),
    };
  }

  /** Set once the runner is frozen. */
  get crashPoint(): CrashPoint | undefined {
    return this.#crashPoint;
  }

  /** Sleeps and answers this process still waits for; none after a run that ended cleanly. */
  get countScheduled(): number {
    return this.#scheduled.size;
  }

  /** Until when this process stands still, or last did. */
  get standsUntilMs(): number {
    return this.#standsUntilMs;
  }

  /** Calls that have not been answered yet, to the last byte; none after a run that ended cleanly. */
  get callsInFlight(): readonly string[] {
    return [...this.#inFlight].map(({ description }) => description);
  }

  /** Runs the process's main function until it returns, throws or freezes. To be called inside `clock.run`. */
  execute<T>(main: () => Promise<T>): Promise<Ending<T>> {
    const finished = main().then((value) => ({ kind: "finished" as const, value }));
    const crashed = this.#crash.promise.then((at) => ({ kind: "crashed" as const, at }));
    return Promise.race([finished, crashed]);
  }

  /** Kills the process from outside, now. */
  kill(): void {
    this.freeze("killed", "");
  }

  /** Stops everything this process does, for good. */
  freeze(site: CrashPoint["site"], subject: string): void {
    if (this.#crashPoint !== undefined) {
      return;
    }
    this.#crashPoint = { site, subject, atMs: this.#around.clock.monotonicMs() };
    for (const cancel of this.#scheduled) {
      cancel();
    }
    this.#scheduled.clear();
    this.#inFlight.clear();
    this.#crash.resolve(this.#crashPoint);
  }

  /** Lets this process stand still at some of its wake-ups, as a stopped or swapped-out one does. */
  planStandstills(standstills: readonly Standstill[]): void {
    this.#plannedStandstills = standstills;
  }

  /** Like `VirtualClock.schedule`, but not for a frozen process, and late for one that stands still. */
  schedule(delayMs: number, action: () => void): Cancel {
    if (this.#crashPoint !== undefined) {
      return () => undefined;
    }
    let cancelScheduled: Cancel;
    const wakeUp = () => {
      const waitMs = this.#standsStillForMs();
      if (waitMs > 0) {
        // Its time goes on meanwhile; nothing it waits for comes through.
        cancelScheduled = this.#around.clock.schedule(waitMs, wakeUp);
        return;
      }
      this.#scheduled.delete(cancel);
      action();
    };
    const cancel = () => {
      this.#scheduled.delete(cancel);
      cancelScheduled();
    };
    cancelScheduled = this.#around.clock.schedule(delayMs, wakeUp);
    this.#scheduled.add(cancel);
    return cancel;
  }

  #standsStillForMs(): number {
    const nowMs = this.#around.clock.monotonicMs();
    if (this.#plannedStandstills.length > 0) {
      this.#wakeUps += 1;
      const planned = this.#plannedStandstills.find(({ wakeUp }) => wakeUp === this.#wakeUps);
      this.#standsUntilMs = Math.max(this.#standsUntilMs, planned === undefined ? 0 : nowMs + planned.forMs);
    }
    return this.#standsUntilMs - nowMs;
  }

  /** Lets a drawn latency pass, without touching the event loop when it is 0. */
  pass(ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (ms > 0) {
      return sleepBy((delayMs, action) => this.schedule(delayMs, action), ms, signal);
    }
    if (signal?.aborted === true) {
      return Promise.reject(signal.reason);
    }
    return this.#crashPoint === undefined ? Promise.resolve() : never();
  }

  /** Waits until the signal is aborted and rejects with its reason. */
  async untilAborted(signal: AbortSignal | undefined): Promise<never> {
    await sleepBy(() => () => undefined, Number.POSITIVE_INFINITY, signal);
    return never();
  }

  /**
   * Counts a call at its site and returns the fault planted for it; a frozen process makes none. Also where an
   * endless loop of calls that take no time is stopped: no event loop turn would ever come to notice it.
   */
  report(site: Site, subject: string): Fault | undefined | "frozen" {
    if (this.#crashPoint !== undefined) {
      return "frozen";
    }
    const { clock, effects, faults, maxCalls } = this.#around;
    if (effects.all.length >= maxCalls) {
      clock.stop(new VirtualLimitError(`more than ${maxCalls} calls, the last to ${site} (${subject})`));
      return "frozen";
    }
    return faults.report(site, subject, this.name);
  }

  /** Writes one line into the effect log, unless the process is frozen and cannot have done anything. */
  record(
    site: Site,
    subject: string,
    startedAtMs: number,
    outcome: EffectOutcome,
    signal?: AbortSignal,
  ): void {
    if (this.#crashPoint !== undefined) {
      return;
    }
    const { clock, effects } = this.#around;
    const atMs = clock.monotonicMs();
    const told = signal && { signalNumber: effects.signalNumber(signal) };
    effects.record({ site, subject, runner: this.name, ...told, startedAtMs, atMs, outcome });
  }

  /** One call to the outside, with its latency, its planted fault and its line in the effect log. */
  outside<T>(call: OutsideCall<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const { latency, signal, site, subject } = call;
      if (signal === undefined) {
        throw new TypeError(`${site} was called without a signal: nothing limits how long it takes`);
      }
      signal.throwIfAborted();
      const fault = this.report(site, subject);
      if (fault !== "frozen") {
        const { clock, random } = this.#around;
        const startedAtMs = clock.monotonicMs();
        const latencyMs = random.latencyMs(latency);
        new Journey({ process: this, call, signal, fault, startedAtMs, latencyMs, resolve, reject }).begin();
      }
    });
  }

  /** An answer that is still coming in. @returns what to call when it has ended or was dropped. */
  open(what: string): () => void {
    const entry = { description: `${this.name} ${what}` };
    this.#inFlight.add(entry);
    return () => this.#inFlight.delete(entry);
  }

  /** Dies at a call. */
  crash(site: Site, subject: string): void {
    this.record(site, subject, this.#around.clock.monotonicMs(), "crash");
    this.freeze(site, subject);
  }
}
