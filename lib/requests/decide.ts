import { type ExportTask, revisionOf } from "../domain/export-task.ts";
import type { RequestSubject } from "../domain/request-layout.ts";
import { recordsOfRevision } from "../records/task-records.ts";
import { type FreshList, placesHeld } from "../run/platform-list.ts";
import {
  exportNotIn,
  isCreatedAfter,
  isExportOf,
  isOwnKindOfExport,
  isSafelyArchived,
  progressOf,
} from "./batch-exports.ts";
import type { Claim, RequestsRun } from "./request-ledger.ts";
import type { MadeExport, RequestDocument, RequestEnd } from "./schemas.ts";
import {
  CLAIM_PATIENCE_MS,
  claimDistanceMs,
  placesForCreate,
  REFUSED_DISTANCE_MS,
  UNFINISHED_LIMIT,
} from "./settings.ts";

/** Why no export can be created for a request now. */
export type WaitReason =
  /** Too many places are held: one more export could evict one that is not archived. */
  | "places-held"
  | "unfinished-limit"
  /** An export of the same batch task is being made; a create would overwrite it. */
  | "same-condition-unfinished"
  | "same-condition-unarchived"
  /** Another run is creating the export, or died at it. */
  | "claimed"
  /** The last claim came to nothing just now; the next one keeps some distance. */
  | "tried-just-now"
  /** The list that allowed the create was too old when it could be sent. */
  | "list-too-old"
  /** The run looks at a limited number of requests, the oldest first. */
  | "older-requests-first"
  | "request-file-unreadable";

/** What is to be done about an open request. */
export type Decision =
  | { readonly kind: "wait"; readonly reason: WaitReason }
  | { readonly kind: "under-way"; readonly exportTaskId: string; readonly reason: string }
  | { readonly kind: "end"; readonly end: RequestEnd }
  /** A claim without result is older than any create can be, or the export it made is in the list. */
  | { readonly kind: "settle"; readonly open: Claim; readonly found: ExportTask | undefined }
  /** Somebody made an export of this batch task after its status changed: there is no need for another. */
  | { readonly kind: "adopt"; readonly task: ExportTask }
  | { readonly kind: "create" };

/**
 * Decides about one open request; changes nothing. Any export made after the status changed serves the
 * request, whoever asked for it: so an event that comes twice, late or out of order leads to one export.
 * @throws what the store throws.
 */
export async function decide(
  run: RequestsRun,
  subject: RequestSubject,
  request: RequestDocument,
  claims: readonly Claim[],
  list: FreshList,
): Promise<Decision> {
  const { batchTaskId } = subject;
  const open = claims.find(({ result }) => result === undefined);
  if (open !== undefined) {
    const found = exportNotIn(open.claim, batchTaskId, list.tasks);
    const isOld = list.platformMs - Date.parse(open.claim.claimedAt) >= CLAIM_PATIENCE_MS;
    return found !== undefined || isOld
      ? { kind: "settle", open, found }
      : { kind: "wait", reason: "claimed" };
  }
  const statusAtMs = Date.parse(request.statusAt);
  const isOwn = ({ claim }: Claim) => claim.statusTime === subject.statusTime;
  const tries = claims.filter((claim) => isOwn(claim) && claim.result?.outcome !== "not-made").length;
  let reason = claims.findLast(isOwn)?.result?.outcome === "refused" ? "create-refused" : "export-failed";
  for (const claim of claims.toReversed()) {
    const { result } = claim;
    if (result?.outcome !== "made" || !(isOwn(claim) || Date.parse(result.exportedAfter) > statusAtMs)) {
      continue;
    }
    const progress = await progressOf(run, result, list);
    switch (progress.kind) {
      case "archived":
        return { kind: "end", end: { outcome: "archived", ...idOf(result), tries } };
      case "unrecoverable":
        return { kind: "end", end: { outcome: "given-up", reason: progress.reason, tries } };
      case "under-way":
        return { kind: "under-way", ...idOf(result), reason: progress.reason };
      case "failed":
        reason = progress.reason;
    }
  }
  if (tries >= run.settings.requestAttempts) {
    return { kind: "end", end: { outcome: "given-up", reason, tries } };
  }
  const adoptable = findAdoptable(batchTaskId, statusAtMs, claims, list.tasks);
  if (adoptable !== undefined) {
    return { kind: "adopt", task: adoptable };
  }
  if (isTriedJustNow(claims, list)) {
    return { kind: "wait", reason: "tried-just-now" };
  }
  if (await isBlockedForGood(run, batchTaskId, list)) {
    return { kind: "end", end: { outcome: "given-up", reason: "same-condition-dead-lettered", tries } };
  }
  const obstacle = await obstacleTo(run, batchTaskId, list);
  return obstacle === undefined ? { kind: "create" } : { kind: "wait", reason: obstacle };
}

/** An export of this batch task that the archiver gave up: only a person may decide what becomes of it. */
async function isBlockedForGood(
  run: RequestsRun,
  batchTaskId: string,
  { tasks }: FreshList,
): Promise<boolean> {
  for (const task of tasks) {
    if (task.status === "Success" && isExportOf(task, batchTaskId)) {
      const known = recordsOfRevision(await run.records.ofTask(task.exportTaskId, run), revisionOf(task));
      if (known.archived === undefined && known.deadLetterNumber > 0) {
        return true;
      }
    }
  }
  return false;
}

function isTriedJustNow(claims: readonly Claim[], list: FreshList): boolean {
  const fruitless = claims.slice(claims.findLastIndex(({ result }) => result?.outcome === "made") + 1);
  const last = fruitless.at(-1);
  if (last === undefined) {
    return false;
  }
  const distanceMs =
    last.result?.outcome === "refused" ? REFUSED_DISTANCE_MS : claimDistanceMs(fruitless.length);
  return list.platformMs - Date.parse(last.claim.claimedAt) < distanceMs;
}

/**
 * Why an export of this batch task must not be created now: it could evict an export that is not archived, or
 * overwrite one (the platform keeps one file per condition, iotda-api §1.6).
 */
export async function obstacleTo(
  run: RequestsRun,
  batchTaskId: string,
  { tasks, oddItems }: FreshList,
): Promise<WaitReason | undefined> {
  if (placesHeld({ tasks, oddItems }) >= placesForCreate(run.settings.exportPlaces)) {
    return "places-held";
  }
  // A status that this program does not know may be one of an export under way.
  const isUnfinished = ({ status }: ExportTask) => status !== "Success" && status !== "Failed";
  if (tasks.filter(isUnfinished).length >= UNFINISHED_LIMIT) {
    return "unfinished-limit";
  }
  for (const task of tasks.filter((listed) => isExportOf(listed, batchTaskId))) {
    if (isUnfinished(task)) {
      return "same-condition-unfinished";
    }
    if (task.status === "Success" && !(await isSafelyArchived(run, task))) {
      return "same-condition-unarchived";
    }
  }
  const isOddExport = oddItems.some(
    ({ condition }) => condition !== undefined && isExportOf(condition, batchTaskId),
  );
  return isOddExport ? "same-condition-unarchived" : undefined;
}

function findAdoptable(
  batchTaskId: string,
  statusAtMs: number,
  claims: readonly Claim[],
  tasks: readonly ExportTask[],
): ExportTask | undefined {
  const known = new Set(claims.map(({ result }) => (result?.outcome === "made" ? result.exportTaskId : "")));
  // The status time has whole seconds: an export of the same second may have been made before it.
  const leastMs = statusAtMs + 999;
  return tasks.find(
    (task) =>
      (task.status === "Processing" || task.status === "Success") &&
      isOwnKindOfExport(task, batchTaskId) &&
      isCreatedAfter(task, leastMs) &&
      !known.has(task.exportTaskId),
  );
}

function idOf({ exportTaskId }: MadeExport): { readonly exportTaskId: string } {
  return { exportTaskId };
}
