import type { EffectOutcome } from "./effects.ts";
import type { Fault } from "./faults.ts";
import type { OutsideCall, RunnerProcess } from "./runner-process.ts";
import type { Cancel } from "./virtual-clock.ts";

export interface JourneyParts<T> {
  readonly process: RunnerProcess;
  readonly call: OutsideCall<T>;
  readonly signal: AbortSignal;
  readonly fault: Fault | undefined;
  readonly startedAtMs: number;
  readonly latencyMs: number;
  readonly resolve: (answer: T) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * One call to the outside: a leg there, its effect, and a leg back. Settles a promise at its end, unless its process
 * dies. Made of callbacks: a story makes a hundred calls, and the promises of each leg were a tenth of its work.
 */
export class Journey<T> {
  readonly #parts: JourneyParts<T>;
  readonly #close: () => void;
  /** Stops the leg under way. */
  #stopLeg: Cancel | undefined;
  #isListening = false;
  #hasArrived = false;

  constructor(parts: JourneyParts<T>) {
    this.#parts = parts;
    this.#close = parts.process.open(`${parts.call.site} ${parts.call.subject}`);
  }

  begin(): void {
    const { fault, latencyMs } = this.#parts;
    const outwardMs = Math.floor(latencyMs / 2) + delayMsOf(fault);
    if (outwardMs > 0) {
      this.#go(outwardMs, this.#arrive);
    } else {
      // However near the world is: whoever called can still abort before anything has happened.
      void Promise.resolve().then(() => this.#go(0, this.#arrive));
    }
  }

  /** One leg; without touching the event loop when it takes no time. */
  #go(ms: number, arrive: () => void): void {
    const { process, signal } = this.#parts;
    if (signal.aborted) {
      this.#giveUp();
    } else if (process.crashPoint !== undefined) {
      // Frozen code waits forever.
    } else if (ms === 0) {
      arrive();
    } else {
      this.#listen();
      this.#stopLeg = process.schedule(ms, arrive);
    }
  }

  /** Once for both legs: listeners of signals are dear. */
  #listen(): void {
    if (!this.#isListening) {
      this.#isListening = true;
      this.#parts.signal.addEventListener("abort", this.#onAbort, { once: true });
    }
  }

  /** An effect that aborts its own call is seen at the start of the leg back. */
  readonly #onAbort = () => {
    if (this.#stopLeg !== undefined) {
      this.#stopLeg();
      this.#giveUp();
    }
  };

  #giveUp(): void {
    if (!this.#hasArrived) {
      this.#record("aborted");
    }
    this.#fail(this.#parts.signal.reason);
  }

  readonly #arrive = () => {
    this.#stopLeg = undefined;
    this.#hasArrived = true;
    const { call, fault } = this.#parts;
    if (fault?.form === "crash" && fault.when === "before") {
      this.#crash();
      return;
    }
    if (fault?.form === "not-done") {
      this.#record("not-done");
      this.#goBack(() => this.#fail(fault.error));
      return;
    }
    const { ready } = call;
    if (ready === undefined) {
      this.#takeEffect();
      return;
    }
    // A frozen process never gets past what it waits for.
    (async () => await ready())().then(
      () => (this.#parts.signal.aborted ? this.#giveUp() : this.#takeEffect()),
      (refusal: unknown) => this.#refuse(refusal),
    );
  };

  #refuse(refusal: unknown): void {
    this.#record("refused");
    this.#goBack(() => this.#fail(refusal));
  }

  #takeEffect(): void {
    const { call, fault, startedAtMs } = this.#parts;
    let answer: T;
    try {
      if (fault?.form === "race") {
        fault.act();
      }
      if (fault?.form === "spoiled" && fault.spares?.(call.subject) !== true) {
        call.spoil?.();
      }
      answer = call.effect(startedAtMs);
    } catch (refusal) {
      this.#refuse(refusal);
      return;
    }
    this.#record(fault?.form === "done-answer-lost" ? "answer-lost" : "done");
    switch (fault?.form) {
      case "crash":
        this.#crash();
        return;
      case "done-answer-lost":
        this.#goBack(() => this.#fail(fault.error));
        return;
      case "done-says-conflict":
        this.#goBack(() => this.#succeed(call.conflict ?? answer));
        return;
      default:
        this.#goBack(() => this.#succeed(answer));
    }
  }

  #goBack(arrive: () => void): void {
    const { latencyMs } = this.#parts;
    this.#go(latencyMs - Math.floor(latencyMs / 2), arrive);
  }

  #succeed(answer: T): void {
    this.#end();
    this.#parts.resolve(answer);
  }

  #fail(reason: unknown): void {
    this.#end();
    this.#parts.reject(reason);
  }

  #end(): void {
    this.#close();
    if (this.#isListening) {
      this.#parts.signal.removeEventListener("abort", this.#onAbort);
    }
  }

  #crash(): void {
    const { call, process } = this.#parts;
    process.crash(call.site, call.subject);
  }

  #record(outcome: EffectOutcome): void {
    const { call, process, signal, startedAtMs } = this.#parts;
    process.record(call.site, call.subject, startedAtMs, outcome, signal);
  }
}

function delayMsOf(fault: Fault | undefined): number {
  switch (fault?.form) {
    case "stall":
      return Number.POSITIVE_INFINITY;
    case "slow":
      return fault.extraMs;
    default:
      return 0;
  }
}
