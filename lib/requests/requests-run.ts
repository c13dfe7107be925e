import { MAX_CLAIM_NUMBER, type RequestSubject } from "../domain/request-layout.ts";
import { Records } from "../records/records.ts";
import type { RunPorts } from "../run/ports.ts";
import { seenOf } from "./batch-exports.ts";
import type { PlatformView } from "./platform-view.ts";
import { type Claim, RequestLedger } from "./request-ledger.ts";
import { type MadeExport, REQUEST_SCHEMA_VERSION } from "./schemas.ts";
import type { RequestSettings } from "./settings.ts";

/** What a run is given. It is its own `CallOptions`. */
export interface GivenRequestsRun {
  readonly ports: Pick<RunPorts, "platform" | "store" | "clock">;
  readonly settings: RequestSettings;
  readonly signal: AbortSignal;
}

/** What the requests policy works with in one run. */
export interface RequestsRun extends GivenRequestsRun {
  readonly runId: string;
  readonly ledger: RequestLedger;
  readonly records: Records;
}

/** Opens the documents that the policy works on; calls nothing yet. */
export function openRun(given: GivenRequestsRun, runId: string): RequestsRun {
  const { ports, settings } = given;
  return {
    ...given,
    runId,
    ledger: new RequestLedger(ports.store, ports.clock),
    // Requests write no record of an export, so they need not know whether the store can do so once.
    records: new Records(ports.store, settings.scope, { createOnce: false }),
  };
}

/**
 * Claims the next number of a batch task.
 * @returns the number, or `undefined` when another run was faster.
 */
export async function takeClaim(
  run: RequestsRun,
  { batchTaskId, statusTime }: RequestSubject,
  claims: readonly Claim[],
  view: PlatformView,
): Promise<number | undefined> {
  const number = (claims.at(-1)?.number ?? 0) + 1;
  if (number > MAX_CLAIM_NUMBER) {
    return undefined;
  }
  const claim = {
    schemaVersion: REQUEST_SCHEMA_VERSION,
    statusTime,
    claimedAt: new Date(view.platformMs).toISOString(),
    runId: run.runId,
    seen: seenOf(batchTaskId, view.tasks),
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
