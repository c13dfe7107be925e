import { ArchiverError } from "../domain/errors.ts";
import { NotifyError, type NotifyErrorCode } from "../ports/notifier.ts";

/** What is known of a message when sending it failed. */
export type Fate =
  /** It certainly did not arrive, and the same may work in a moment. */
  | "not-taken"
  /** It may have arrived. */
  | "unknown"
  /** It did not arrive, and will not before somebody changes something. */
  | "never";

/** A failed attempt, on its way to whoever decides about the next one. */
export class FailedAttempt extends Error {
  override readonly name = "FailedAttempt";
  readonly fate: Fate;
  readonly error: NotifyError;

  constructor(fate: Fate, error: NotifyError) {
    super(error.message);
    this.fate = fate;
    this.error = error;
  }
}

interface Story {
  readonly fate: Fate;
  readonly code: NotifyErrorCode;
  /** Completes "the receiver …". */
  readonly problem: string;
  readonly hint: string;
}

/** Makes an attempt's failure. The cause is left out: it may quote the address (promise I9). */
export function failedAttempt({ fate, code, problem, hint }: Story): FailedAttempt {
  const retry = fate === "never" ? "never" : "later";
  return new FailedAttempt(
    fate,
    new NotifyError({ code, problem: `the receiver ${problem}`, scope: "task", retry, hint }),
  );
}

const CODE = /^[A-Za-z0-9_.-]{1,64}$/;

/** The code of an error that Node or a package made, where it is one that may be shown. */
export function shownCode(thrown: unknown): string | undefined {
  const named = thrown as { readonly code?: unknown } | undefined | null;
  return shownWord(named?.code);
}

/** A name or code that others chose, where it is a short word: anything else might quote something secret. */
export function shownWord(value: unknown): string | undefined {
  return typeof value === "string" && CODE.test(value) ? value : undefined;
}

/** Whoever stops the sending learns why as it was said; everything else is a {@link NotifyError}. */
export function errorToThrow(thrown: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) {
    return signal.reason;
  }
  if (thrown instanceof FailedAttempt) {
    return thrown.error;
  }
  return thrown instanceof ArchiverError
    ? thrown
    : failedAttempt({
        fate: "unknown",
        code: "notify-unreachable",
        problem:
          thrown instanceof DOMException && thrown.name === "TimeoutError"
            ? "did not answer in time"
            : `could not be reached (${shownCode(thrown) ?? "no code"})`,
        hint: "Check the address, and the network, firewall and proxy on the way to it.",
      }).error;
}
