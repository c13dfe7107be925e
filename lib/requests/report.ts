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

/** Collects where every request stands. */
export class RequestsTally {
  readonly #created: RequestsReport["created"][number][] = [];
  readonly #waiting: RequestsReport["waiting"][number][] = [];
  readonly #underWay: RequestsReport["underWay"][number][] = [];
  readonly #ended: RequestsReport["ended"][number][] = [];
  #oldestRequestedAtMs = Number.POSITIVE_INFINITY;

  /** `requestedAt` is missing where the request itself could not be read. */
  note(batchTaskId: string, standing: Standing, requestedAt?: string): void {
    if (requestedAt !== undefined && standing.kind !== "ended") {
      this.#oldestRequestedAtMs = Math.min(this.#oldestRequestedAtMs, Date.parse(requestedAt));
    }
    switch (standing.kind) {
      case "waiting":
        this.#waiting.push({ batchTaskId, reason: standing.reason });
        break;
      case "under-way":
        this.#underWay.push({ batchTaskId, exportTaskId: standing.exportTaskId, reason: standing.reason });
        break;
      case "created":
        this.#created.push({ batchTaskId, exportTaskId: standing.exportTaskId });
        break;
      case "ended":
        this.#ended.push({ batchTaskId, ...standing.end });
        break;
    }
  }

  report(nowMs: number, failure?: Failure): RequestsReport {
    const ageMs = Math.max(0, nowMs - this.#oldestRequestedAtMs);
    return {
      created: this.#created,
      waiting: this.#waiting,
      underWay: this.#underWay,
      ended: this.#ended,
      oldestRequestAgeSeconds:
        this.#oldestRequestedAtMs === Number.POSITIVE_INFINITY ? 0 : Math.floor(ageMs / 1000),
      ...(failure === undefined ? {} : { failure }),
    };
  }
}
