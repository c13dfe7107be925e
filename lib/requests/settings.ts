import type { PlatformScope } from "../domain/export-task.ts";

/** What the policy is told; defaults and names are in architecture §6.1. */
export interface RequestSettings {
  readonly scope: PlatformScope;
  readonly downloadIntervalMs: number;
  /** Places on the platform that this deployment may fill: others on the same account have theirs. */
  readonly exportPlaces: number;
  /** Exports asked for on behalf of one request that may come to nothing before it is given up. */
  readonly requestAttempts: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** The platform's own limit on exports it has not finished (iotda-api §1.6). */
export const UNFINISHED_LIMIT = 5;
/**
 * This many of this deployment's places stay free for what others create between our list and our create, and
 * for as many runners that do the same at once.
 */
const PLACES_KEPT_FREE = 5;
/**
 * A claim without result is somebody's create on its way, or somebody's death. After this long no create can be
 * on its way any more: the client gives one up after minutes, and clocks may differ by five.
 */
export const CLAIM_PATIENCE_MS = 30 * MINUTE_MS;
/** The distance between claims that nothing came of: doubled each time, up to the longest. */
const SHORTEST_DISTANCE_MS = MINUTE_MS;
const LONGEST_DISTANCE_MS = HOUR_MS;
/**
 * The distance after a create that was refused, which counts as a failed try. The refusal may be for the five
 * unfinished exports of another deployment on this account, which no list of ours shows: they should have
 * ended by the next try.
 */
export const REFUSED_DISTANCE_MS = HOUR_MS;
/** A request gives an unarchived export up after no list has shown it for this long: one list may be wrong for hours. */
export const LOST_AFTER_MS = 24 * HOUR_MS;
/** An export the platform does not finish in this time is not waited for any longer. */
export const NEVER_FINISHED_AFTER_MS = 48 * HOUR_MS;
/** Requests of this deployment worked on in one run; those of the oldest status come first. */
export const MAX_REQUESTS_PER_RUN = 200;
/**
 * Open requests read in one run, whoever made them: half a minute of a discover run's five on S3. A store that holds
 * more open requests of other deployments, all older than ours, lets ours wait, and the report says so.
 */
export const MAX_REQUESTS_READ = 1_000;

/** Places held from which on nothing is created: of the smallest share one may still be filled. */
export function placesForCreate(exportPlaces: number): number {
  return Math.max(1, exportPlaces - PLACES_KEPT_FREE);
}

/** How long after a fruitless claim the next one may come, so that days without permission leave few files. */
export function claimDistanceMs(fruitlessInARow: number): number {
  return Math.min(LONGEST_DISTANCE_MS, SHORTEST_DISTANCE_MS * 2 ** Math.min(fruitlessInARow, 10));
}
