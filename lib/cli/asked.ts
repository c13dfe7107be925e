import { describeFailure, type Failure } from "../domain/errors.ts";

/** A place that is asked one thing after the other. After its first failure it is asked nothing more. */
export class Asked {
  readonly #signal: AbortSignal;
  #failure: Failure | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Why it did not answer. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** @returns `null` when it did not answer. @throws only the signal's reason. */
  async ask<T>(question: () => Promise<T>): Promise<T | null> {
    if (this.#failure !== undefined) {
      return null;
    }
    try {
      return await question();
    } catch (error) {
      this.#signal.throwIfAborted();
      this.#failure = describeFailure(error);
      return null;
    }
  }
}

/** Whether two places failed with one and the same failure. */
export function isSameFailure(a: Failure | undefined, b: Failure | undefined): boolean {
  return a !== undefined && a.code === b?.code && a.message === b.message;
}
