import { ArchiverError, describeFailure } from "../domain/errors.ts";
import type { Clock } from "../ports/clock.ts";

/** A failure that stops the whole run: the verdict on the system behind the tasks (architecture §4, Failures). */
export class SystemFailure extends ArchiverError {
  constructor(cause: unknown) {
    const failure = describeFailure(cause);
    super(failure.code, failure.message, { scope: "system", retry: "later", hint: failure.hint, cause });
  }
}

/** Thrown while a request is about to be written whose ground, a list, has grown too old: nothing is sent. */
export class ListIsTooOld extends ArchiverError {
  constructor() {
    super("list-too-old", "the list that allowed the request is now too old", {
      scope: "task",
      retry: "now",
      hint: "The archiver asks the platform for a new one.",
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

/** Why an attempt's signal was aborted. */
export class Interrupted extends ArchiverError {
  declare readonly code: "task-limit" | "run-stopped";

  constructor(code: "task-limit" | "run-stopped") {
    super(code, code === "task-limit" ? "the task reached its time limit" : "the run is stopping", {
      scope: "task",
      retry: "later",
      hint: "The message stays in the queue, and the next run continues.",
    });
  }
}
