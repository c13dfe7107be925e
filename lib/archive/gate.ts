import { revisionOf } from "../domain/export-task.ts";
import { requireOwnArchive } from "../identity/marker.ts";
import { isSameObject } from "../records/recorded-object.ts";
import type { KeepReason, PostponeReason } from "../records/run-report.ts";
import { recordsOfRevision } from "../records/task-records.ts";
import type { SeenCopy } from "../run/archived-exports.ts";
import { doubtAbout, LIST_MAX_AGE_MS, taskIn } from "../run/platform-list.ts";
import { isSiblingPatienceOver, siblingCopies } from "../run/siblings.ts";
import type { Attempt } from "./attempt.ts";
import type { Copy } from "./copy.ts";
import type { FinishedTask } from "./inspect-task.ts";
import { requireAllowed } from "./permission.ts";
import { listForRun } from "./run.ts";

/** What may be done to an archived task on the platform. */
export type GateVerdict =
  /**
   * All of architecture §4 step 7 holds but the age of the proofs; good until `validUntilMs` on the monotonic clock. The
   * platform may remove the file of the siblings too.
   */
  | { readonly kind: "delete"; readonly validUntilMs: number; readonly siblings: readonly SeenCopy[] }
  /** A complete list no longer shows it: nothing is left to delete. */
  | { readonly kind: "gone" }
  | { readonly kind: "keep"; readonly reason: KeepReason }
  | {
      readonly kind: "wait";
      readonly reason: Extract<
        PostponeReason,
        "sibling" | "copy-missing" | "revision-changed" | "gate-too-slow" | "left-alone" | "odd-list"
      >;
    };

/**
 * The last door before a deletion. Everything is asked again, the list last, so that what allows the delete
 * is as fresh as it can be. Errors close the gate by being thrown.
 */
export async function gate(attempt: Attempt, state: FinishedTask, copy: Copy): Promise<GateVerdict> {
  const { run, exportTaskId } = attempt;
  const { signal } = attempt.limit;
  if (run.settings.deletion === "never") {
    return { kind: "keep", reason: "delete-disabled" };
  }
  const records = recordsOfRevision(await run.records.ofTask(exportTaskId, { signal }), state.revision);
  if (records.expired) {
    return { kind: "keep", reason: "expired" };
  }
  const holds = await run.records.holds({ signal });
  run.leftAlone.note(holds.leftAlone);
  if (holds.isHeld(exportTaskId)) {
    return { kind: "keep", reason: "hold" };
  }
  if (records.archived?.object.key !== copy.record.object.key) {
    // The newest readable record names another object than the one that was checked: look again.
    return { kind: "wait", reason: "copy-missing" };
  }
  // Between holds and HEAD: to mislead both, a store would have to come and go in between.
  await requireOwnArchive(run, { signal });
  const object = await run.ports.store.head(copy.record.object.key, { signal });
  if (object === undefined || !isSameObject(object, copy.seen)) {
    return { kind: "wait", reason: "copy-missing" };
  }
  return await platformVerdict(attempt, state, copy);
}

async function platformVerdict(attempt: Attempt, state: FinishedTask, copy: Copy): Promise<GateVerdict> {
  const { run, exportTaskId } = attempt;
  const { signal } = attempt.limit;
  const list = await listForRun(run, signal);
  const doubt = doubtAbout(list, exportTaskId);
  if (doubt !== undefined) {
    return { kind: "wait", reason: doubt };
  }
  const task = taskIn(list, exportTaskId);
  if (task === undefined) {
    return { kind: "gone" };
  }
  if (task.status !== "Success" || revisionOf(task) !== state.revision) {
    return { kind: "wait", reason: "revision-changed" };
  }
  const siblings = await siblingCopies(run.archivedExports, task, list, { signal });
  if (siblings === undefined) {
    return blockedBySibling(attempt, copy);
  }
  requireAllowed(attempt, "delete");
  return { kind: "delete", validUntilMs: list.startedAtMs + LIST_MAX_AGE_MS, siblings };
}

/** A sibling is waited for, but not for ever. */
export function blockedBySibling(
  { run }: Attempt,
  { record }: Copy,
): Extract<GateVerdict, { kind: "keep" | "wait" }> {
  return isSiblingPatienceOver(record, run.ports.clock.wallMs())
    ? { kind: "keep", reason: "sibling" }
    : { kind: "wait", reason: "sibling" };
}
