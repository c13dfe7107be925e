import type { ExportTask } from "../domain/export-task.ts";
import { MAX_CLAIM_NUMBER, type RequestSubject } from "../domain/request-layout.ts";
import { PlatformError } from "../ports/platform.ts";
import { ListIsTooOld, refuseAfter } from "../run/errors.ts";
import { type FreshList, freshList, LIST_MAX_AGE_MS } from "../run/platform-list.ts";
import { exportNotIn, seenOf } from "./batch-exports.ts";
import { obstacleTo, type WaitReason } from "./decide.ts";
import type { Standing } from "./report.ts";
import type { Claim, RequestsRun } from "./request-ledger.ts";
import { type ClaimResult, type MadeExport, REQUEST_SCHEMA_VERSION } from "./schemas.ts";

/**
 * Creates an export for a request, once: claim, look again, create, write down what came of it. Whatever
 * happens after the claim, nobody creates an export of this batch task before the claim has a result: a run
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
  const created = await create(run, batchTaskId, fresh.startedAtMs + LIST_MAX_AGE_MS);
  if (created === LIST_TOO_OLD) {
    await settle(nothingMade(run, "not-made", created));
    return { kind: "waiting", reason: created };
  }
  if (created instanceof PlatformError) {
    await settle(nothingMade(run, isAboutTheRequest(created) ? "refused" : "not-made", created.code));
    throw created;
  }
  await settle(madeExport(run, created.exportTaskId, list.platformMs));
  return { kind: "created", exportTaskId: created.exportTaskId };
}

const LIST_TOO_OLD = "list-too-old" satisfies WaitReason;

/** The one create, or why it is certain that nothing was created. @param validUntilMs the list that allows it. */
async function create(
  { ports, signal }: RequestsRun,
  batchTaskId: string,
  validUntilMs: number,
): Promise<ExportTask | PlatformError | typeof LIST_TOO_OLD> {
  const beforeRequest = refuseAfter(ports.clock, validUntilMs);
  try {
    const request = { resourceCondition: { task_id: batchTaskId } };
    return await ports.platform.createExportTask(request, { signal, beforeRequest });
  } catch (error) {
    if (error instanceof ListIsTooOld) {
      return LIST_TOO_OLD;
    }
    if (error instanceof PlatformError && REFUSALS[error.code] !== "perhaps-made") {
      return error;
    }
    throw error;
  }
}

/** What an error of a create says about its effect. */
const REFUSALS: Readonly<Record<PlatformError["code"], "request" | "platform" | "perhaps-made">> = {
  "platform-rejected-request": "request",
  "platform-task-not-found": "request",
  "platform-throttled": "platform",
  "platform-unauthenticated": "platform",
  "platform-forbidden": "platform",
  "platform-misconfigured": "platform",
  "platform-unavailable": "perhaps-made",
  "platform-unreachable": "perhaps-made",
  "platform-disguised-error": "perhaps-made",
  "platform-malformed-answer": "perhaps-made",
};

/** Refused for what was asked, not for who asked or when: such a refusal is a failed try. */
function isAboutTheRequest({ code }: PlatformError): boolean {
  return REFUSALS[code] === "request";
}

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
