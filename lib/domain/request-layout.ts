/**
 * Keys of export requests (architecture §6.3), all below {@link REQUESTS_FOLDER}. No part of a name holds a dot, so
 * that no key can be read in two ways.
 */
export const REQUESTS_FOLDER = "requests/";

/** Ids of batch tasks: what may stand in a key and in the body of a create. */
export const BATCH_TASK_ID = /^[A-Za-z0-9_-]{1,36}$/;

/** A claim's number has at most four digits; a file that says more is none of ours. */
export const MAX_CLAIM_NUMBER = 9_999;

/** One batch task at one moment of its life; what a request is about. */
export interface RequestSubject {
  readonly batchTaskId: string;
  /** When its status changed, in whole seconds: `yyyyMMddTHHmmssZ`. */
  readonly statusTime: string;
}

/** A moment as keys have it, `yyyyMMddTHHmmssZ`; what is below a second is dropped. */
export function compactTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
}

/** The key of the request itself. */
export function requestKey({ batchTaskId, statusTime }: RequestSubject): string {
  return `${REQUESTS_FOLDER}${batchTaskId}-${statusTime}.json`;
}

/** The key of how the request ended; a request without one is open. */
export function requestOutcomeKey({ batchTaskId, statusTime }: RequestSubject): string {
  return `${REQUESTS_FOLDER}${batchTaskId}-${statusTime}.outcome.json`;
}

/** What a listed key below {@link REQUESTS_FOLDER} is of, or `undefined` when it is neither of the two above. */
export function parseRequestKey(
  key: string,
): { readonly subject: RequestSubject; readonly isOutcome: boolean } | undefined {
  const match = /^requests\/([A-Za-z0-9_-]{1,36})-(\d{8}T\d{6}Z)(\.outcome)?\.json$/.exec(key);
  const [, batchTaskId, statusTime, outcome] = match ?? [];
  return batchTaskId === undefined || statusTime === undefined
    ? undefined
    : { subject: { batchTaskId, statusTime }, isOutcome: outcome !== undefined };
}

/** Where the claims of a batch task and their results begin. */
export function claimPrefix(batchTaskId: string): string {
  return `${REQUESTS_FOLDER}${batchTaskId}.claim-`;
}

/** The key of the n-th claim to create an export of a batch task. */
export function claimKey(batchTaskId: string, number: number): string {
  return `${claimPrefix(batchTaskId)}${number}.json`;
}

/** The key of what came of that claim. */
export function claimResultKey(batchTaskId: string, number: number): string {
  return `${claimPrefix(batchTaskId)}${number}.result.json`;
}

/** Number and kind of a listed key below {@link claimPrefix}, or `undefined` when it is none of ours. */
export function parseClaimKey(
  key: string,
  batchTaskId: string,
): { readonly number: number; readonly isResult: boolean } | undefined {
  const prefix = claimPrefix(batchTaskId);
  const match = key.startsWith(prefix)
    ? /^([1-9]\d{0,3})(\.result)?\.json$/.exec(key.slice(prefix.length))
    : null;
  return match === null ? undefined : { number: Number(match[1]), isResult: match[2] !== undefined };
}

/** What somebody wants an export of. */
export interface NewRequest {
  readonly batchTaskId: string;
  /** When the batch task got the status that asks for an export, epoch milliseconds, by the platform's clock. */
  readonly statusAtMs: number;
  readonly source: "event" | "cli";
  readonly taskType?: string;
  readonly status?: string;
}
