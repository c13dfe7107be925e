import type { PlatformScope } from "../domain/export-task.ts";
import { compactTime, type NewRequest } from "../domain/request-layout.ts";
import type { Clock } from "../ports/clock.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { RequestLedger } from "./request-ledger.ts";
import { REQUEST_SCHEMA_VERSION, type RequestDocument } from "./schemas.ts";

/**
 * Makes a request durable. The same batch task and status time is the same request, for good: an event that
 * comes again, a month later too, finds it and changes nothing.
 *
 * @returns whether it is a new one.
 * @throws what the store throws; then nothing is promised.
 */
export async function makeRequest(
  { store, clock }: { readonly store: ObjectStore; readonly clock: Clock },
  scope: PlatformScope,
  { batchTaskId, statusAtMs, ...more }: NewRequest,
  options: CallOptions,
): Promise<"new" | "known"> {
  const ledger = new RequestLedger(store, clock);
  const subject = { batchTaskId, statusTime: compactTime(statusAtMs) };
  // An event may well be the first to use a new store.
  await ledger.prepare(options);
  if (await ledger.has(subject, options)) {
    return "known";
  }
  const request: RequestDocument = {
    schemaVersion: REQUEST_SCHEMA_VERSION,
    projectId: scope.projectId,
    instanceId: scope.instanceId ?? null,
    batchTaskId,
    // As the key has it: whole seconds.
    statusAt: new Date(Math.floor(statusAtMs / 1000) * 1000).toISOString(),
    requestedAt: new Date(clock.wallMs()).toISOString(),
    ...more,
  };
  return (await ledger.writeRequest(subject, request, options)) ? "new" : "known";
}
