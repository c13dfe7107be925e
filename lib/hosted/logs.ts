import type { ArchiveEvent } from "../archive/events.ts";
import type { InventoryEvent } from "../catalogue/ports.ts";
import type { PlatformConfiguration } from "../config/rules.ts";
import { systemClock, systemRandom } from "../config/system.ts";
import type { Failure } from "../domain/errors.ts";
import { idempotencyKeyOf, type PlatformScope } from "../domain/export-task.ts";
import { runIdOf } from "../domain/key-layout.ts";
import type { FunctionLog } from "../observability/function-log.ts";
import type { Log } from "../observability/log.ts";
import type { RetentionEvent, RunFrame } from "../retention/run.ts";

/**
 * Logs what a run tells, one line an event. Every line carries the run's id from the moment it has one, and a
 * task's lines its idempotency key from the moment its revision is known.
 */
export function eventLogger(log: FunctionLog, scope: PlatformScope): (event: ArchiveEvent) => void {
  const keys = new Map<string, string>();
  return (event) => {
    const { kind, ...fields } = event;
    if (event.kind === "run-started") {
      log.keep({ runId: event.runId });
    }
    if ("idempotencyKey" in event) {
      keys.set(event.exportTaskId, event.idempotencyKey);
    }
    log[LEVEL_OF_EVENT[kind]](kind, { ...fields, ...keyOf(event, keys, scope) });
  };
}

function keyOf(
  event: ArchiveEvent,
  keys: ReadonlyMap<string, string>,
  scope: PlatformScope,
): { readonly idempotencyKey?: string } {
  if (event.kind === "task-ended" && event.entry.revision !== undefined) {
    return { idempotencyKey: idempotencyKeyOf(scope, event.entry.exportTaskId, event.entry.revision) };
  }
  const known =
    "exportTaskId" in event && event.exportTaskId !== undefined ? keys.get(event.exportTaskId) : undefined;
  return known === undefined ? {} : { idempotencyKey: known };
}

/** Functions log facts; progress of bytes is for people at a terminal. */
const LEVEL_OF_EVENT = {
  bytes: "debug",
  listed: "debug",
  "slot-awaited": "debug",
  verifying: "debug",
  "task-started": "debug",
  "run-started": "info",
  "download-started": "info",
  archived: "info",
  deleted: "info",
  "task-ended": "info",
  idle: "info",
  "run-ended": "info",
  failed: "warn",
  throttled: "warn",
  "lease-lost": "warn",
  "left-alone": "warn",
  warning: "warn",
  "export-lost": "error",
  "verification-failed": "error",
} as const satisfies Record<ArchiveEvent["kind"], keyof Log>;

/** Warnings are logged. Progress is for people at a terminal, and damage stands in the report. */
export function warningLogger(log: FunctionLog): (event: RetentionEvent | InventoryEvent) => void {
  return (event) => {
    if (event.kind === "warning") {
      log.warn("warning", { code: event.code, problem: event.message });
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

/** Logs the region once a call, where it was taken from the endpoint's host. */
export function logGuessedRegion(log: FunctionLog, platform: PlatformConfiguration): void {
  const { guessedRegion: region } = platform;
  if (region !== undefined) {
    log.info("region-from-host", { region, setting: "ARCHIVER_IOTDA_REGION" });
  }
}
