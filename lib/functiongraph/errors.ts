import { ArchiverError } from "../domain/errors.ts";

/** What FunctionGraph gave this process cannot be worked with. Never quotes a value: user data has secrets in it. */
export function runtimeMisconfigured(problem: string, hint: string): ArchiverError {
  return new ArchiverError("runtime-misconfigured", problem, { scope: "system", retry: "never", hint });
}

/** The body of an invocation is none that a function takes. */
export function unknownEvent(problem: string): ArchiverError {
  return new ArchiverError("unknown-event", problem, {
    scope: "system",
    retry: "never",
    hint: "Start the function by a timer, whose additional information is empty or JSON, by data forwarding of IoTDA, or by a test event of JSON.",
  });
}

/** The runtime API did not do what it was asked for; the same may work later. */
export function runtimeApiFailed(problem: string, cause?: unknown): ArchiverError {
  return new ArchiverError("runtime-api-failed", `the runtime API of FunctionGraph ${problem}`, {
    scope: "system",
    retry: "later",
    hint: "FunctionGraph starts this instance again when it needs to. Look at its own events if that goes on.",
    cause,
  });
}
