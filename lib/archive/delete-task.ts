import { ArchiverError } from "../domain/errors.ts";
import type { Copy } from "./copy.ts";
import { type GateVerdict, gate } from "./gate.ts";
import type { FinishedTask } from "./look.ts";
import { listForRun, taskIn } from "./run.ts";
import type { Visit } from "./visit.ts";

const MAX_GATE_TRIES = 3;

export type DeleteOutcome =
  | { readonly kind: "gone"; readonly outcome: "deleted" | "already-gone" }
  /** The platform said yes, or did not answer, and still lists the task. */
  | { readonly kind: "still-listed" }
  | Extract<GateVerdict, { kind: "keep" | "wait" }>;

/**
 * Steps 7 and 8: the gate, one delete request without transport retry, and a fresh list that confirms it.
 * What the list shows counts, not what the delete answered.
 * @throws the delete's error when the task is still listed and the platform refused.
 */
export async function deleteTask(visit: Visit, sight: FinishedTask, copy: Copy): Promise<DeleteOutcome> {
  const { run, exportTaskId } = visit;
  const { signal } = visit.limit;
  const verdict = await openGate(visit, sight, copy);
  switch (verdict.kind) {
    case "gone":
      return { kind: "gone", outcome: "already-gone" };
    case "keep":
    case "wait":
      return verdict;
    case "delete":
      break;
  }
  let refusal: unknown;
  let outcome: "deleted" | "already-gone" = "deleted";
  try {
    await run.ports.platform.deleteExportTask(exportTaskId, { signal });
  } catch (error) {
    signal.throwIfAborted();
    refusal = error;
    outcome =
      error instanceof ArchiverError && error.code === "platform-task-not-found" ? "already-gone" : "deleted";
  }
  const list = await listForRun(run, signal);
  if (taskIn(list, exportTaskId) === undefined) {
    return { kind: "gone", outcome };
  }
  if (refusal === undefined || isWithoutAnswer(refusal)) {
    return { kind: "still-listed" };
  }
  throw refusal;
}

/** The gate's verdict, young enough to act on: a slow list or sibling check may have made its list too old. */
async function openGate(visit: Visit, sight: FinishedTask, copy: Copy): Promise<GateVerdict> {
  for (let attempt = 1; attempt <= MAX_GATE_TRIES; attempt += 1) {
    const verdict = await gate(visit, sight, copy);
    if (verdict.kind !== "delete" || visit.run.ports.clock.monotonicMs() <= verdict.validUntilMs) {
      return verdict;
    }
  }
  return { kind: "wait", reason: "gate-too-slow" };
}

function isWithoutAnswer(refusal: unknown): boolean {
  return refusal instanceof ArchiverError && refusal.code === "platform-unreachable";
}
