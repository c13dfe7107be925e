import { isSameScope } from "../domain/export-task.ts";
import type { RequestSubject } from "../domain/request-layout.ts";
import type { FreshList } from "../run/platform-list.ts";
import { decide } from "./decide.ts";
import { isOfOneRequest } from "./errors.ts";
import { type GivenRequestsRun, openRun, type RequestsRun } from "./request-ledger.ts";
import type { RequestDocument } from "./schemas.ts";
import { MAX_REQUESTS_READ } from "./settings.ts";

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
  /** Those of this deployment; where too many are open for all to be read, the rest counts too, whosever it is. */
  readonly open: number;
  /** How many batch tasks they are about: one may be asked for several times. */
  readonly batchTasks: number;
  /** The first of them, those of the oldest status first. */
  readonly requests: readonly OpenRequest[];
}

/**
 * Looks at the open requests and changes nothing. @throws what the store throws.
 * @param view without it the state of a request is unknown: `platform-not-seen`.
 */
export async function lookAtRequests(
  given: GivenRequestsRun,
  view: FreshList | undefined,
  limit: number,
): Promise<OpenRequests> {
  const run = openRun(given, "looked");
  const open = await run.ledger.open(run);
  const requests: OpenRequest[] = [];
  const batchTasks = new Set<string>();
  let own = 0;
  for await (const { subject, request } of ownRequests(run, open)) {
    own += 1;
    batchTasks.add(subject.batchTaskId);
    if (requests.length >= limit) {
      continue;
    }
    const { batchTaskId } = subject;
    if (typeof request === "string") {
      requests.push({
        batchTaskId,
        reason: request === "unread" ? "older-requests-first" : "request-file-unreadable",
      });
      continue;
    }
    const { requestedAt } = request;
    if (view === undefined) {
      requests.push({ batchTaskId, requestedAt, reason: "platform-not-seen" });
      continue;
    }
    try {
      const claims = await run.ledger.claimsOf(batchTaskId, run);
      const decision = await decide(run, subject, request, claims, view);
      requests.push({ batchTaskId, requestedAt, ...standingOf(decision) });
    } catch (error) {
      if (!isOfOneRequest(error)) {
        throw error;
      }
      requests.push({ batchTaskId, requestedAt, reason: error.code });
    }
  }
  return { open: own, batchTasks: batchTasks.size, requests };
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

/** An open request, and what its file says. */
interface OwnRequest {
  readonly subject: RequestSubject;
  /** `unread`: it comes after as many as are read, so it is unknown whose it is. */
  readonly request: RequestDocument | "unreadable" | "unread";
}

/**
 * The open requests of this deployment, those of the oldest status first, read one by one as they are asked for.
 * Those of another deployment in the same store are passed over, so that they keep none of ours from its turn:
 * whose a request is stands in its file alone.
 *
 * @throws what the store throws, or the signal's reason.
 */
export async function* ownRequests(
  run: RequestsRun,
  open: readonly RequestSubject[],
): AsyncGenerator<OwnRequest, void, undefined> {
  for (const [index, subject] of open.entries()) {
    const request = index < MAX_REQUESTS_READ ? await readRequest(run, subject) : "unread";
    // Another deployment may keep its requests in the same store.
    if (typeof request === "string" || isSameScope(request, run.settings.scope)) {
      yield { subject, request };
    }
  }
}

async function readRequest(
  run: RequestsRun,
  subject: RequestSubject,
): Promise<RequestDocument | "unreadable"> {
  try {
    return (await run.ledger.read(subject, run)) ?? "unreadable";
  } catch (error) {
    run.signal.throwIfAborted();
    if (isOfOneRequest(error)) {
      return "unreadable";
    }
    throw error;
  }
}
