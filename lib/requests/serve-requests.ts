import { describeFailure } from "../domain/errors.ts";
import { parsePlatformTime } from "../domain/export-task.ts";
import type { RequestSubject } from "../domain/request-layout.ts";
import { type FreshList, freshList } from "../run/platform-list.ts";
import { findArchivedExport } from "./batch-exports.ts";
import { createExport, madeExport, takeClaim } from "./create-export.ts";
import { type Decision, decide } from "./decide.ts";
import { isOfOneRequest } from "./errors.ts";
import { ownRequests } from "./open-requests.ts";
import { type LookedAt, type RequestsReport, reportOf, type Standing } from "./report.ts";
import { type Claim, type GivenRequestsRun, openRun, type RequestsRun } from "./request-ledger.ts";
import { REQUEST_SCHEMA_VERSION, type RequestDocument, type RequestEnd } from "./schemas.ts";
import { MAX_REQUESTS_PER_RUN } from "./settings.ts";

/** Settling a claim or adopting an export, and what follows from it. */
const MAX_STEPS_PER_REQUEST = 4;
const schemaVersion = REQUEST_SCHEMA_VERSION;

/**
 * Turns open requests into exports, those of the oldest status first, as far as no export that is not archived
 * can be evicted or overwritten by that. A failure is in the report: requests never keep a run from archiving.
 *
 * @returns `undefined` when no request is open.
 * @throws only the signal's reason.
 */
export async function serveRequests(
  given: GivenRequestsRun,
  runId: string,
): Promise<RequestsReport | undefined> {
  const { ports, signal } = given;
  const run = openRun(given, runId);
  const looked: LookedAt[] = [];
  try {
    const open = await run.ledger.open(run);
    if (open.length === 0) {
      return undefined;
    }
    // One list serves every request until this run creates something.
    let list: FreshList | undefined;
    let served = 0;
    for await (const { subject, request } of ownRequests(run, open)) {
      const { batchTaskId } = subject;
      const requestedAt = typeof request === "string" ? undefined : request.requestedAt;
      const note = (standing: Standing) => looked.push({ batchTaskId, standing, requestedAt });
      if (request === "unreadable") {
        note({ kind: "waiting", reason: "request-file-unreadable" });
      } else if (request === "unread" || served >= MAX_REQUESTS_PER_RUN) {
        note({ kind: "waiting", reason: "older-requests-first" });
      } else {
        served += 1;
        list ??= await freshList(ports, run.settings, signal);
        const standing = await serve(run, subject, request, list);
        note(standing);
        list = standing.kind === "created" ? undefined : list;
      }
    }
    return reportOf(looked, ports.clock.wallMs());
  } catch (error) {
    signal.throwIfAborted();
    return reportOf(looked, ports.clock.wallMs(), describeFailure(error));
  }
}

/** Settles and decides until it is known where the request stands. One that is ill on its own waits, for its error's code. */
async function serve(
  run: RequestsRun,
  subject: RequestSubject,
  request: RequestDocument,
  list: FreshList,
): Promise<Standing> {
  try {
    for (let step = 1; step <= MAX_STEPS_PER_REQUEST; step += 1) {
      const claims = await run.ledger.claimsOf(subject.batchTaskId, run);
      const decision = await decide(run, subject, request, claims, list);
      const standing = await act(run, subject, claims, list, decision);
      if (standing !== undefined) {
        return standing;
      }
    }
    return { kind: "waiting", reason: "claimed" };
  } catch (error) {
    run.signal.throwIfAborted();
    if (isOfOneRequest(error)) {
      return { kind: "waiting", reason: error.code };
    }
    throw error;
  }
}

/** @returns `undefined` when something was settled and the request has to be decided on again. */
async function act(
  run: RequestsRun,
  subject: RequestSubject,
  claims: readonly Claim[],
  list: FreshList,
  decision: Decision,
): Promise<Standing | undefined> {
  const { batchTaskId } = subject;
  const { ports, settings } = run;
  switch (decision.kind) {
    case "wait":
      return { kind: "waiting", reason: decision.reason };
    case "under-way":
      return decision;
    case "end":
      return await end(run, subject, decision.end);
    case "settle": {
      const { open, found } = decision;
      const afterMs = Date.parse(open.claim.claimedAt);
      const exportTaskId =
        found?.exportTaskId ??
        (await findArchivedExport(ports.store, settings.scope, { batchTaskId, afterMs }, run));
      const result =
        exportTaskId === undefined
          ? ({ schemaVersion, outcome: "not-made", reason: "no-export-appeared", runId: run.runId } as const)
          : madeExport(run, exportTaskId, afterMs);
      await run.ledger.writeResult(batchTaskId, open.number, result, run);
      return undefined;
    }
    case "adopt": {
      const { exportTaskId, createTime = "" } = decision.task;
      const number = await takeClaim(run, subject, claims, list);
      if (number === undefined) {
        return { kind: "waiting", reason: "claimed" };
      }
      const result = madeExport(run, exportTaskId, parsePlatformTime(createTime) ?? list.platformMs);
      await run.ledger.writeResult(batchTaskId, number, result, run);
      return undefined;
    }
    case "create":
      return await createExport(run, subject, claims, list);
  }
}

async function end(run: RequestsRun, subject: RequestSubject, requestEnd: RequestEnd): Promise<Standing> {
  const endedAt = new Date(run.ports.clock.wallMs()).toISOString();
  const outcome = { schemaVersion, ...requestEnd, endedAt, runId: run.runId };
  await run.ledger.writeOutcome(subject, outcome, run);
  return { kind: "ended", end: requestEnd };
}
