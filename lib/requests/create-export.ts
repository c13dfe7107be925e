import { MAX_CLAIM_NUMBER, type RequestSubject } from "../domain/request-layout.ts";
import { PlatformError } from "../ports/platform.ts";
import { ListIsTooOld, refuseAfter } from "../run/errors.ts";
import { type FreshList, freshList, LIST_MAX_AGE_MS } from "../run/platform-list.ts";
import { exportNotIn, seenOf } from "./batch-exports.ts";
import { obstacleTo } from "./decide.ts";
import type { Standing } from "./report.ts";
import type { Claim, RequestsRun } from "./request-ledger.ts";
import { type ClaimResult, type MadeExport, REQUEST_SCHEMA_VERSION } from "./schemas.ts";

/**
 * Creates an export for a request, once: claim, look again, create, write down what came of it. Whatever
 * happens after the claim, no run creates an export of this batch task before the claim has a result: a run
 * that dies here, or never hears the platform's answer, leaves it to a later one, which looks for the export.
 *
 * @throws what list and store throw, and what the create throws unless the platform clearly refused it.
 */
export async function createExport(
  run: RequestsRun,
  subject: RequestSubject,
  claims: readonly Claim[],
  list: FreshList,
): Promise<Standing> {
  const { batchTaskId } = subject;
  const number = await takeClaim(run, subject, claims, list);
  if (number === undefined) {
    return { kind: "waiting", reason: "claimed" };
  }
  const settle = (result: ClaimResult) => run.ledger.writeResult(batchTaskId, number, result, run);
  const fresh = await freshList(run.ports, run.settings, run.signal);
  const seen = seenOf(batchTaskId, list.tasks);
  const newcomer = exportNotIn({ seen }, batchTaskId, fresh.tasks);
  if (newcomer !== undefined) {
    await settle(madeExport(run, newcomer.exportTaskId, list.platformMs));
    return { kind: "under-way", exportTaskId: newcomer.exportTaskId, reason: "unfinished" };
  }
  const obstacle = await obstacleTo(run, batchTaskId, fresh);
  if (obstacle !== undefined) {
    await settle(nothingMade(run, "not-made", obstacle));
    return { kind: "waiting", reason: obstacle };
  }
  const beforeRequest = refuseAfter(run.ports.clock, fresh.startedAtMs + LIST_MAX_AGE_MS);
  try {
    const request = { resourceCondition: { task_id: batchTaskId } };
    const options = { signal: run.signal, beforeRequest };
    const { exportTaskId } = await run.ports.platform.createExportTask(request, options);
    await settle(madeExport(run, exportTaskId, list.platformMs));
    return { kind: "created", exportTaskId };
  } catch (error) {
    if (error instanceof ListIsTooOld) {
      await settle(nothingMade(run, "not-made", "list-too-old"));
      return { kind: "waiting", reason: "list-too-old" };
    }
    const effect = effectOfCreate(error);
    if (error instanceof PlatformError && effect !== "perhaps-made") {
      await settle(nothingMade(run, effect, error.code));
    }
    throw error;
  }
}

/** What an error of a create says about its effect. Refused for what was asked, it is a failed try. */
export function effectOfCreate(error: unknown): CreateEffect {
  return error instanceof PlatformError ? EFFECT_OF_ERROR[error.code] : "perhaps-made";
}

type CreateEffect = "refused" | "not-made" | "perhaps-made";

const EFFECT_OF_ERROR: Readonly<Record<PlatformError["code"], CreateEffect>> = {
  "platform-rejected-request": "refused",
  "platform-task-not-found": "refused",
  "platform-throttled": "not-made",
  "platform-unauthenticated": "not-made",
  "platform-forbidden": "not-made",
  "platform-misconfigured": "not-made",
  "platform-unavailable": "perhaps-made",
  "platform-unreachable": "perhaps-made",
  "platform-disguised-error": "perhaps-made",
  "platform-malformed-answer": "perhaps-made",
};

function nothingMade(run: RequestsRun, outcome: "refused" | "not-made", reason: string): ClaimResult {
  return { schemaVersion: REQUEST_SCHEMA_VERSION, outcome, reason, runId: run.runId };
}

/**
 * Claims the next number of a batch task.
 * @returns the number, or `undefined` when another run was faster.
 */
export async function takeClaim(
  run: RequestsRun,
  { batchTaskId, statusTime }: RequestSubject,
  claims: readonly Claim[],
  list: FreshList,
): Promise<number | undefined> {
  const number = (claims.at(-1)?.number ?? 0) + 1;
  if (number > MAX_CLAIM_NUMBER) {
    return undefined;
  }
  const claim = {
    schemaVersion: REQUEST_SCHEMA_VERSION,
    statusTime,
    claimedAt: new Date(list.platformMs).toISOString(),
    runId: run.runId,
    seen: seenOf(batchTaskId, list.tasks),
  };
  return (await run.ledger.claim(batchTaskId, number, claim, run)) ? number : undefined;
}

/** The result of a claim that an export came of. */
export function madeExport(run: RequestsRun, exportTaskId: string, exportedAfterMs: number): MadeExport {
  return {
    schemaVersion: REQUEST_SCHEMA_VERSION,
    outcome: "made",
    exportTaskId,
    exportedAfter: new Date(exportedAfterMs).toISOString(),
    runId: run.runId,
  };
}
