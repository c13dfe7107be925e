import { ArchiverError } from "../domain/errors.ts";
import { ListIsTooOld, refuseAfter } from "../run/errors.ts";
import { doubtAbout, taskIn } from "../run/platform-list.ts";
import type { Attempt } from "./attempt.ts";
import type { Copy } from "./copy.ts";
import { blockedBySibling, type GateVerdict, gate } from "./gate.ts";
import type { FinishedTask } from "./inspect-task.ts";
import { type ProofsVerdict, renewProofs } from "./proofs.ts";
import { listForRun } from "./run.ts";

const MAX_GATE_TRIES = 3;

type DeleteOutcome =
  | { readonly kind: "gone"; readonly outcome: "deleted" | "already-gone" }
  /** The recorded copy is not what the record says any more: nothing was deleted. */
  | { readonly kind: "damaged" }
  | Extract<GateVerdict, { kind: "keep" | "wait" }>
  /** The platform said yes, or did not answer, and still lists the task. */
  | { readonly kind: "wait"; readonly reason: "still-listed" };

/**
 * Steps 7 and 8: the gate, one delete request without transport retry, and a fresh list that confirms it.
 * What the list shows counts, not what the delete answered.
 * @throws the delete's error when the task is still listed and the platform refused.
 */
export async function deleteTask(attempt: Attempt, state: FinishedTask, copy: Copy): Promise<DeleteOutcome> {
  for (let tries = 1; tries <= MAX_GATE_TRIES; tries += 1) {
    const verdict = await gate(attempt, state, copy);
    switch (verdict.kind) {
      case "gone":
        return { kind: "gone", outcome: "already-gone" };
      case "keep":
      case "wait":
        return verdict;
      case "delete": {
        const proofs = await renewProofs(attempt, copy, verdict.siblings);
        if (proofs === "renewed") {
          // Reading took its time: everything else is asked again.
          continue;
        }
        if (proofs !== "fresh") {
          return outcomeWithoutProof(attempt, copy, proofs);
        }
        const request = await sendDelete(attempt, verdict.validUntilMs);
        if (request !== "not-sent") {
          return await confirm(attempt, request);
        }
      }
    }
  }
  return { kind: "wait", reason: "gate-too-slow" };
}

function outcomeWithoutProof(
  attempt: Attempt,
  copy: Copy,
  proofs: Exclude<ProofsVerdict, "fresh" | "renewed">,
): DeleteOutcome {
  switch (proofs) {
    case "cold":
      return { kind: "keep", reason: "copy-cold" };
    case "damaged":
      return { kind: "damaged" };
    case "sibling-unproven":
      return blockedBySibling(attempt, copy);
  }
}

/** A delete request that may have reached the platform, and what it answered but 204. */
interface DeleteRequest {
  readonly refusal: unknown;
}

/** A slow list, look at siblings or connection may have made the gate's list too old: nothing is sent then. */
async function sendDelete(attempt: Attempt, validUntilMs: number): Promise<DeleteRequest | "not-sent"> {
  const { platform, clock } = attempt.run.ports;
  const { signal } = attempt.limit;
  const beforeRequest = refuseAfter(clock, validUntilMs);
  try {
    await platform.deleteExportTask(attempt.exportTaskId, { signal, beforeRequest });
    return { refusal: undefined };
  } catch (error) {
    if (error instanceof ListIsTooOld) {
      return "not-sent";
    }
    signal.throwIfAborted();
    return { refusal: error };
  }
}

async function confirm(
  { run, exportTaskId, limit }: Attempt,
  { refusal }: DeleteRequest,
): Promise<DeleteOutcome> {
  const list = await listForRun(run, limit.signal);
  const doubt = doubtAbout(list, exportTaskId);
  if (doubt !== undefined) {
    return { kind: "wait", reason: doubt };
  }
  if (taskIn(list, exportTaskId) === undefined) {
    return { kind: "gone", outcome: isNotFound(refusal) ? "already-gone" : "deleted" };
  }
  if (refusal === undefined || isWithoutAnswer(refusal)) {
    return { kind: "wait", reason: "still-listed" };
  }
  throw refusal;
}

function isNotFound(refusal: unknown): boolean {
  return refusal instanceof ArchiverError && refusal.code === "platform-task-not-found";
}

function isWithoutAnswer(refusal: unknown): boolean {
  return refusal instanceof ArchiverError && refusal.code === "platform-unreachable";
}
