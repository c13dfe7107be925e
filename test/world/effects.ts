import type { Site } from "./faults.ts";

/**
 * What became of a call: `done`; `refused` by the world's own rules; `not-done` or `answer-lost` by a
 * planted fault; `aborted` by the caller before it had an effect; `crash` where the runner froze.
 */
export type EffectOutcome = "done" | "refused" | "not-done" | "answer-lost" | "aborted" | "crash";

/** One call from a runner to the outside, at the moment it took effect or failed to. */
export interface Effect {
  readonly site: Site;
  /** The key, id, prefix or message id the call was about. */
  readonly subject: string;
  readonly runner: string;
  /** The same number for all calls with one signal: an attempt makes all of its calls with its own. */
  readonly signalNumber?: number;
  /** Virtual milliseconds at which the call was made. */
  readonly startedAtMs: number;
  /** Virtual milliseconds at which it took effect. */
  readonly atMs: number;
  readonly outcome: EffectOutcome;
}

/** Every call of every runner, in the order of their effects. */
export class EffectLog {
  readonly #effects: Effect[] = [];
  readonly #signalNumbers = new WeakMap<AbortSignal, number>();
  #signals = 0;

  record(effect: Effect): void {
    this.#effects.push(effect);
  }

  /** Tells the signals apart without holding on to one of them. */
  signalNumber(signal: AbortSignal): number {
    const known = this.#signalNumbers.get(signal);
    if (known !== undefined) {
      return known;
    }
    this.#signals += 1;
    this.#signalNumbers.set(signal, this.#signals);
    return this.#signals;
  }

  get all(): readonly Effect[] {
    return this.#effects;
  }

  /** The effects at these sites, in order. */
  at(...sites: readonly Site[]): readonly Effect[] {
    return this.#effects.filter((effect) => sites.includes(effect.site));
  }

  /** One line each, for comparing whole runs and for reading a failed one. */
  toLines(): readonly string[] {
    return this.#effects.map(
      ({ atMs, runner, site, subject, outcome }) => `${atMs} ${runner} ${site} ${subject} ${outcome}`,
    );
  }
}
