import { systemClock, systemRandom } from "../config/system.ts";
import type { Failure } from "../domain/errors.ts";
import { runIdOf } from "../domain/key-layout.ts";
import type { FunctionLog } from "../observability/function-log.ts";
import type { RetentionEvent, RunFrame } from "../retention/run.ts";

/** Warnings are logged; progress is for people at a terminal. */
export function retentionLogger(log: FunctionLog): (event: RetentionEvent) => void {
  return (event) => {
    switch (event.kind) {
      case "warning":
        log.warn("warning", { code: event.code, problem: event.message });
        return;
      case "progress":
        return;
    }
  };
}

/** How the report of a run begins that never began. */
export function frameOfNoRun(): RunFrame & { readonly stopReason: "done" } {
  const nowMs = systemClock.wallMs();
  const at = new Date(nowMs).toISOString();
  return { runId: runIdOf(nowMs, systemRandom.hex(4)), startedAt: at, endedAt: at, stopReason: "done" };
}

/** The same, with what kept it from beginning. */
export function frameOfFailure(failure: Failure): RunFrame {
  return { ...frameOfNoRun(), stopReason: "system-failure", failure };
}
