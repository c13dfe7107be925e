import { compact } from "../domain/compact.ts";
import type { Failure } from "../domain/errors.ts";
import type { WaitReason } from "./decide.ts";
import type { RequestEnd } from "./schemas.ts";

/** What a discover run did about the requests. */
export interface RequestsReport {
  /** Exports created in this run. */
  readonly created: readonly { readonly batchTaskId: string; readonly exportTaskId: string }[];
  /** Requests that no export can be created for now. The reason is a {@link WaitReason} or an error's code. */
  readonly waiting: readonly { readonly batchTaskId: string; readonly reason: string }[];
  /** Requests whose export is being made or waits to be archived. */
  readonly underWay: readonly {
    readonly batchTaskId: string;
    readonly exportTaskId: string;
    readonly reason: string;
  }[];
  readonly ended: readonly ({ readonly batchTaskId: string } & RequestEnd)[];
  /** Since this program heard of the request that is open longest; 0 when none is open any more. */
  readonly oldestRequestAgeSeconds: number;
  /** Why the requests could not be gone through to the end. What was enqueued before stands. */
  readonly failure?: Failure;
}

/** Where a request stands after a run has looked at it. */
export type Standing =
  | { readonly kind: "waiting"; readonly reason: string }
  | { readonly kind: "under-way"; readonly exportTaskId: string; readonly reason: string }
  | { readonly kind: "created"; readonly exportTaskId: string }
  | { readonly kind: "ended"; readonly end: RequestEnd };

/** One request that a run has looked at. */
export interface LookedAt {
  readonly batchTaskId: string;
  readonly standing: Standing;
  /** Missing where the request itself could not be read. */
  readonly requestedAt?: string | undefined;
}

/** The report of a run that looked at these requests. */
export function reportOf(looked: readonly LookedAt[], nowMs: number, failure?: Failure): RequestsReport {
  const created: RequestsReport["created"][number][] = [];
  const waiting: RequestsReport["waiting"][number][] = [];
  const underWay: RequestsReport["underWay"][number][] = [];
  const ended: RequestsReport["ended"][number][] = [];
  let oldestMs = nowMs;
  for (const { batchTaskId, standing, requestedAt } of looked) {
    if (requestedAt !== undefined && standing.kind !== "ended") {
      oldestMs = Math.min(oldestMs, Date.parse(requestedAt));
    }
    switch (standing.kind) {
      case "waiting":
        waiting.push({ batchTaskId, reason: standing.reason });
        break;
      case "under-way":
        underWay.push({ batchTaskId, exportTaskId: standing.exportTaskId, reason: standing.reason });
        break;
      case "created":
        created.push({ batchTaskId, exportTaskId: standing.exportTaskId });
        break;
      case "ended":
        ended.push({ batchTaskId, ...standing.end });
        break;
    }
  }
  const oldestRequestAgeSeconds = Math.floor((nowMs - oldestMs) / 1000);
  return { created, waiting, underWay, ended, oldestRequestAgeSeconds, ...compact({ failure }) };
}
