import { ArchiverError } from "../domain/errors.ts";
import { decide } from "./decide.ts";
import type { PlatformView } from "./platform-view.ts";
import { type GivenRequestsRun, openRun } from "./requests-run.ts";

/** An open request, and what a discover run would say of it now. */
export interface OpenRequest {
  readonly batchTaskId: string;
  readonly requestedAt?: string;
  /** The export that serves it, once there is one. */
  readonly exportTaskId?: string;
  /** Why it is open: a reason of the discover report, or `next-run` when the next run will act on it. */
  readonly reason: string;
}

export interface OpenRequests {
  readonly open: number;
  /** The first of them, those of the oldest status first. */
  readonly requests: readonly OpenRequest[];
}

/** Looks at the open requests and changes nothing. @throws what the store throws. */
export async function lookAtRequests(
  given: GivenRequestsRun,
  view: PlatformView,
  limit: number,
): Promise<OpenRequests> {
  const run = openRun(given, "looked");
  const open = await run.ledger.open(run);
  const requests: OpenRequest[] = [];
  for (const subject of open.slice(0, limit)) {
    const { batchTaskId } = subject;
    const request = await run.ledger.read(subject, run);
    if (request === undefined) {
      requests.push({ batchTaskId, reason: "request-file-unreadable" });
      continue;
    }
    const { requestedAt } = request;
    try {
      const parts = {
        records: run.records,
        store: run.ports.store,
        requestAttempts: run.settings.requestAttempts,
      };
      const claims = await run.ledger.claimsOf(batchTaskId, run);
      const decision = await decide(subject, request, claims, view, parts, run);
      requests.push({ batchTaskId, requestedAt, ...standingOf(decision) });
    } catch (error) {
      if (!(error instanceof ArchiverError && error.scope === "task")) {
        throw error;
      }
      requests.push({ batchTaskId, requestedAt, reason: error.code });
    }
  }
  return { open: open.length, requests };
}

function standingOf(decision: Awaited<ReturnType<typeof decide>>): Omit<OpenRequest, "batchTaskId"> {
  switch (decision.kind) {
    case "wait":
      return { reason: decision.reason };
    case "under-way":
      return { exportTaskId: decision.exportTaskId, reason: decision.reason };
    case "adopt":
      return { exportTaskId: decision.task.exportTaskId, reason: "next-run" };
    case "create":
    case "settle":
    case "end":
      return { reason: "next-run" };
  }
}
