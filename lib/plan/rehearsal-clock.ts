import { ArchiverError } from "../domain/errors.ts";
import type { Clock } from "../ports/clock.ts";

/** More wake-ups than a rehearsal of a full platform takes in a day of its time: beyond them it would never end. */
const MAX_WAKE_UPS = 1_000_000;

interface WakeUp {
  readonly atMs: number;
  readonly action: () => void;
}

/**
 * The time of a rehearsal. It stands still while anything is at work, a call to a real place included, and jumps to the
 * next wake-up when everything sleeps. So waiting costs no time, and no time limit ends a call to a real place.
 */
export class RehearsalClock implements Clock {
  readonly #startWallMs: number;
  readonly #nextTurn: () => Promise<void>;
  /** In the order in which they were asked for: those of one moment happen in it. */
  readonly #wakeUps = new Set<WakeUp>();
  #nowMs = 0;
  #realCalls = 0;
  #onRealCallEnd: () => void = () => undefined;

  /**
   * @param startWallMs where its wall clock begins, epoch milliseconds.
   * @param nextTurn resolves once all that can go on without waiting has done so.
   */
  constructor(startWallMs: number, nextTurn: () => Promise<void>) {
    this.#startWallMs = startWallMs;
    this.#nextTurn = nextTurn;
  }

  wallMs(): number {
    return this.#startWallMs + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const onAbort = () => {
        this.#wakeUps.delete(wakeUp);
        reject(signal?.reason);
      };
      const action = () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      const wakeUp: WakeUp = { atMs: this.#nowMs + Math.max(0, ms), action };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#wakeUps.add(wakeUp);
    });
  }

  /** Lets time stand still while a call to a real place is under way. */
  async during<T>(call: () => Promise<T>): Promise<T> {
    const end = this.beginCall();
    try {
      return await call();
    } finally {
      end();
    }
  }

  /** The same for what has no single promise. @returns what ends it; to be called once. */
  beginCall(): () => void {
    this.#realCalls += 1;
    return () => {
      this.#realCalls -= 1;
      this.#onRealCallEnd();
    };
  }

  /**
   * Drives `main` until it settles, and settles likewise.
   *
   * @throws ArchiverError `rehearsal-stuck` when it waits for something that never comes, or for ever.
   */
  async run<T>(main: () => Promise<T>): Promise<T> {
    let isOver = false;
    const result = main();
    const over = result.then(
      () => {
        isOver = true;
      },
      () => {
        isOver = true;
      },
    );
    for (let wakeUps = 0; ; ) {
      await this.#nextTurn();
      if (isOver) {
        return await result;
      }
      if (this.#realCalls > 0) {
        await Promise.race([this.#realCallEnd(), over]);
      } else if (wakeUps < MAX_WAKE_UPS && this.#wakeNext()) {
        wakeUps += 1;
      } else {
        throw stuck();
      }
    }
  }

  #realCallEnd(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onRealCallEnd = resolve;
    return promise;
  }

  #wakeNext(): boolean {
    let next: WakeUp | undefined;
    for (const wakeUp of this.#wakeUps) {
      next = next === undefined || wakeUp.atMs < next.atMs ? wakeUp : next;
    }
    if (next === undefined || next.atMs === Number.POSITIVE_INFINITY) {
      return false;
    }
    this.#wakeUps.delete(next);
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.action();
    return true;
  }
}

function stuck(): ArchiverError {
  return new ArchiverError("rehearsal-stuck", "the rehearsal of the run did not come to an end", {
    scope: "system",
    retry: "never",
    hint: "This is a fault of the program. A run is not affected; report it with the lines that --json prints.",
  });
}
