import type { TaskMessage } from "../domain/task-message.ts";
import type { ReceivedMessage } from "../ports/task-queue.ts";
import { isNamedByReport } from "../records/run-report.ts";
import type { Attempt } from "./attempt.ts";
import { hasHalfTheRunAhead, runTimeLeftMs } from "./deadlines.ts";
import type { Run } from "./run.ts";
import { CRASH_LOOP_RECEIVES } from "./settings.ts";

/** What is done with a message before its task is looked at. */
export type Admission =
  | {
      readonly kind: "attempt";
      readonly message: Attempt["message"];
      /** Worked with nothing else in flight. */
      readonly exclusive: boolean;
    }
  /** Due later: handed back with this delay. */
  | { readonly kind: "not-yet"; readonly delayMs: number }
  /** Received suspiciously often: sent again, to be worked alone. */
  | { readonly kind: "isolate"; readonly message: TaskMessage }
  /** It does not say which task it is about. */
  | { readonly kind: "unreadable"; readonly detail: string }
  | { readonly kind: "crash-loop"; readonly detail: string; readonly message: Attempt["message"] };

/**
 * Step 1 of the protocol, from the body to a task that may start now (architecture §4: Failures, Time). A receive
 * count grows only when a runner died with the message in hand, since everything else re-sends it.
 */
export async function admit(
  run: Run,
  received: ReceivedMessage,
  startedMonotonicMs: number,
  signal: AbortSignal,
): Promise<Admission> {
  const { parsed, receiveCount } = received;
  if (parsed.kind === "unreadable") {
    return { kind: "unreadable", detail: parsed.problem };
  }
  const { message } = parsed;
  const nowMs = run.ports.clock.wallMs();
  const requestedAtMs = message.requestedAtMs ?? nowMs;
  const alone = message.alone === true;
  if (!alone && receiveCount >= run.settings.maxReceives) {
    return { kind: "isolate", message: { ...message, requestedAtMs, alone: true } };
  }
  if (alone && receiveCount >= CRASH_LOOP_RECEIVES) {
    const { store } = run.ports;
    // A report from before this very message was sent says nothing about who died with it in hand.
    const sinceMs = Math.max(requestedAtMs, message.notBeforeMs ?? 0);
    if (await isNamedByReport(store, message.exportTaskId, sinceMs, nowMs, { signal })) {
      // Perhaps by the work on another message for this task: the count starts again, or no death would ever tell.
      return { kind: "isolate", message: { ...message, requestedAtMs } };
    }
    const detail = `The archiver crashed ${receiveCount - 1} times while it worked on this task alone.`;
    return { kind: "crash-loop", detail, message: { ...message, requestedAtMs } };
  }
  if (message.notBeforeMs !== undefined && message.notBeforeMs > nowMs) {
    return { kind: "not-yet", delayMs: message.notBeforeMs - nowMs };
  }
  if (message.needsFullRun === true && !hasHalfTheRunAhead(run, startedMonotonicMs)) {
    return { kind: "not-yet", delayMs: Math.max(0, runTimeLeftMs(run)) };
  }
  return {
    kind: "attempt",
    message: { ...message, requestedAtMs },
    exclusive: alone || message.needsFullRun === true,
  };
}
