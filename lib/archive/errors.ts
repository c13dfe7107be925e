import { ArchiverError, describeFailure } from "../domain/errors.ts";
import type { Clock } from "../ports/clock.ts";

/** A failure that stops the whole run: the verdict on the system behind the tasks (architecture §4, Failures). */
export class SystemFailure extends ArchiverError {
  constructor(cause: unknown) {
    const failure = describeFailure(cause);
    super(failure.code, failure.message, { scope: "system", retry: "later", hint: failure.hint, cause });
  }
}

/** A whole body that is not an acceptable export. Two with the same SHA-256 make a dead letter. */
export class BodyNotAccepted extends ArchiverError {
  readonly sha256: string;

  constructor(problem: string, sha256: string) {
    super("body-not-accepted", `the downloaded file is not an acceptable export: ${problem}`, {
      scope: "task",
      retry: "later",
      hint: "Download the file by hand and look at it; ARCHIVER_ACCEPT=any archives files that are not ZIP.",
    });
    this.sha256 = sha256;
  }
}

/** A body that was cut off, or is longer than announced. */
export function shortBody(problem: string): ArchiverError {
  return new ArchiverError("short-body", `the downloaded file is not whole: ${problem}`, {
    scope: "task",
    retry: "later",
    hint: "The platform or a proxy on the way cut the answer; it is downloaded again.",
  });
}

/** The stored copy does not hash to what was downloaded. */
export function copyDiffers(key: string, problem: string): ArchiverError {
  return new ArchiverError("copy-differs", `the stored copy ${key} is not what was downloaded: ${problem}`, {
    scope: "task",
    retry: "later",
    hint: "The task stays on the platform and is archived again; if this repeats, check the storage for damage.",
  });
}

/** Thrown while a request is about to be written whose ground, a list, has grown too old: nothing is sent. */
export class ListIsTooOld extends ArchiverError {
  constructor() {
    super("list-too-old", "the list that allowed the request is too old by now", {
      scope: "task",
      retry: "now",
      hint: "The platform is asked for a new one.",
    });
  }
}

/** A check for `beforeRequest`: throws {@link ListIsTooOld} once the list is good no more. */
export function refuseAfter(clock: Pick<Clock, "monotonicMs">, validUntilMs: number): () => void {
  return () => {
    if (clock.monotonicMs() > validUntilMs) {
      throw new ListIsTooOld();
    }
  };
}

/** A try that was cut by its time limit although it had a run to itself. */
export function cutInFullRun(): ArchiverError {
  return new ArchiverError(
    "cut-in-full-run",
    "the task did not finish although it had the whole run to itself",
    {
      scope: "task",
      retry: "later",
      hint: "The file is too large for one run: give runs more time, or run the archiver on a machine without limit.",
    },
  );
}

/** Two clocks are too far apart to sign requests or keep a pace. */
export function clockSkewed(whose: string, skewMs: number): ArchiverError {
  const minutes = Math.round(Math.abs(skewMs) / 60_000);
  const direction = skewMs > 0 ? "ahead of" : "behind";
  return new ArchiverError("clock-skew", `this machine's clock is ${minutes} min ${direction} ${whose}`, {
    scope: "system",
    retry: "never",
    hint: "Set this machine's clock (NTP): signatures are refused beyond 15 min, and records would carry wrong times.",
  });
}

/** Verification by the store's own digest was asked for and this store has none. */
export function cannotVerifyStored(): ArchiverError {
  return new ArchiverError(
    "store-keeps-no-digest",
    "ARCHIVER_VERIFY=stored, but this store keeps no digest of its own",
    {
      scope: "system",
      retry: "never",
      hint: "Set ARCHIVER_VERIFY=read-back (or leave it at auto).",
    },
  );
}

/** Why an attempt's signal was aborted. */
export class Interrupted extends ArchiverError {
  declare readonly code: "task-limit" | "run-stopped";

  constructor(code: "task-limit" | "run-stopped") {
    super(code, code === "task-limit" ? "the task's time limit was reached" : "the run is being stopped", {
      scope: "task",
      retry: "later",
      hint: "The message stays in the queue; the next run goes on.",
    });
  }
}
