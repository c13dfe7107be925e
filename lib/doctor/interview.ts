import { ArchiverError, describeFailure, type Failure } from "../domain/errors.ts";
import { untilAborted } from "../domain/promises.ts";
import type { Clock } from "../ports/clock.ts";
import { withTimeLimit } from "../run/deadline.ts";
import { type Finding, unknown } from "./check.ts";

/** No question waits longer for its answer. */
const QUESTION_MS = 2_500;
/** All questions together. The rest of five seconds is for the start, and for connections to be let go of. */
const EXAMINATION_MS = 3_600;

/** What became of one question. */
export type Asked<T> =
  | { readonly kind: "told"; readonly value: T }
  | { readonly kind: "failed"; readonly failure: Failure; readonly thrown: unknown }
  /** `why` completes "not asked: …". */
  | { readonly kind: "not-asked"; readonly why: string };

/** Asks questions of one examination, each with a limit of time; what fails is an answer too. */
export class Interview {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #untilMs: number;

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
    this.#untilMs = clock.monotonicMs() + EXAMINATION_MS;
  }

  /** @throws only the reason of the examination's own signal. */
  async ask<T>(question: (signal: AbortSignal) => Promise<T>): Promise<Asked<T>> {
    const limitMs = Math.min(QUESTION_MS, this.#untilMs - this.#clock.monotonicMs());
    if (limitMs <= 0) {
      return notAsked("the time of the examination was over");
    }
    try {
      const value = await withTimeLimit(
        this.#clock,
        limitMs,
        (limited) => untilAborted(question(limited), limited),
        this.#signal,
        () => tooSlow(limitMs),
      );
      return { kind: "told", value };
    } catch (thrown) {
      this.#signal.throwIfAborted();
      return { kind: "failed", failure: describeFailure(thrown), thrown };
    }
  }

  /** Asks only where an earlier question was answered. @param why as in {@link Asked}. */
  async askAfter<T>(
    earlier: Asked<unknown>,
    why: string,
    question: (signal: AbortSignal) => Promise<T>,
  ): Promise<Asked<T>> {
    return earlier.kind === "told" ? await this.ask(question) : notAsked(why);
  }
}

/** @param why completes "not asked: …". */
export function notAsked(why: string): { readonly kind: "not-asked"; readonly why: string } {
  return { kind: "not-asked", why };
}

/** What was told; `undefined` otherwise. */
export function toldBy<T>(asked: Asked<T>): T | undefined {
  return asked.kind === "told" ? asked.value : undefined;
}

/** What a check finds whose question was not answered, where that accuses nothing by now. */
export function unanswered(subject: string, asked: Exclude<Asked<unknown>, { kind: "told" }>): Finding {
  const why = asked.kind === "failed" ? asked.failure.message : asked.why;
  return unknown(`${subject}: not known, because ${why}`);
}

/** The same for a check that depends on another one, which has said why. @param why completes "because …". */
export function unansweredBehind(subject: string, asked: Asked<unknown>, why: string): Finding {
  return asked.kind === "not-asked"
    ? unanswered(subject, asked)
    : unknown(`${subject}: not known, because ${why}`);
}

const TOO_SLOW = "no-answer-in-time";

function tooSlow(limitMs: number): ArchiverError {
  return new ArchiverError(TOO_SLOW, `no answer came within ${(limitMs / 1_000).toFixed(1)} s`, {
    scope: "system",
    retry: "later",
    hint: "Look at the way there: network, firewall, proxy, mounted disk. On AWS, look also at where the credentials come from.",
  });
}
