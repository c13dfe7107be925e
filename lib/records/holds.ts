import * as v from "valibot";
import { EXPORT_TASK_ID } from "../domain/export-task.ts";
import {
  GLOB_HOLDS_FOLDER,
  globHoldKey,
  HOLDS_FOLDER,
  holdKey,
  LIFTED_HOLDS_FOLDER,
  liftedHoldKey,
  parseGlobHoldKey,
} from "../domain/key-layout.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { StoreSweeper } from "../ports/store-sweeper.ts";
import { jsonText } from "./create-once.ts";
import { matchesGlob } from "./glob.ts";
import { isoTime, parseRecord, SCHEMA_VERSION } from "./schemas.ts";

/** More holds than this are none that people set. */
const MAX_HOLDS = 10_000;
const HOLD_PATTERN = /^[A-Za-z0-9_*?-]{1,64}$/;

/** `holds/….json`: an operator keeps a task on the platform and its copy in the store. */
export const holdRecordSchema = v.object({
  schemaVersion: v.number(),
  /** An export task id, or a glob: `*` for any characters, `?` for one. */
  pattern: v.string(),
  reason: v.string(),
  by: v.string(),
  heldAt: isoTime,
});
export type HoldRecord = v.InferOutput<typeof holdRecordSchema>;

/** A hold that stands. */
export interface Hold {
  readonly key: string;
  /** `undefined` for a file that names none: it holds everything. */
  readonly pattern: string | undefined;
  /** `undefined` when the document cannot be read; it holds all the same. */
  readonly record: HoldRecord | undefined;
}

/** Whether text is an export task id or a glob over them. */
export function isHoldPattern(text: string): boolean {
  return HOLD_PATTERN.test(text) && (isGlob(text) || EXPORT_TASK_ID.test(text));
}

/**
 * Whether an operator holds this task. Presence alone counts: a document that cannot be read holds its task,
 * and a file among the globs whose name is no glob holds every task. Throws what the store throws otherwise.
 */
export async function isTaskHeld(
  store: ObjectStore,
  exportTaskId: string,
  options: CallOptions,
): Promise<boolean> {
  if ((await store.getDocument(holdKey(exportTaskId), options)) !== undefined) {
    return true;
  }
  return isMatched(await readHoldGlobs(store, options), exportTaskId);
}

/**
 * Reads every hold once, to leave held tasks out early. Whoever removes something still asks
 * {@link isTaskHeld} right before: a hold may have come meanwhile.
 *
 * @returns whether a task was held then. Throws what the store throws.
 */
export async function readHeldTasks(
  store: ObjectStore,
  options: CallOptions,
): Promise<(exportTaskId: string) => boolean> {
  const globs = await readHoldGlobs(store, options);
  const keys = new Set<string>();
  for await (const { key } of store.list(HOLDS_FOLDER, options)) {
    keys.add(key);
  }
  return (exportTaskId) => keys.has(holdKey(exportTaskId)) || isMatched(globs, exportTaskId);
}

function isMatched(globs: readonly (string | undefined)[], exportTaskId: string): boolean {
  return globs.some((glob) => glob === undefined || matchesGlob(glob, exportTaskId));
}

/** The globs that stand; `undefined` for a file whose name is none. */
async function readHoldGlobs(
  store: ObjectStore,
  options: CallOptions,
): Promise<readonly (string | undefined)[]> {
  const globs: (string | undefined)[] = [];
  for await (const { key } of store.list(GLOB_HOLDS_FOLDER, options)) {
    if (globs.push(globOfKey(key)) >= MAX_HOLDS) {
      // Too many to go through: everything is held.
      return [undefined];
    }
  }
  return globs;
}

function globOfKey(key: string): string | undefined {
  const glob = parseGlobHoldKey(key);
  return glob !== undefined && HOLD_PATTERN.test(glob) ? glob : undefined;
}

/** Every hold that stands, sorted by key. */
export async function listHolds(store: ObjectStore, options: CallOptions): Promise<readonly Hold[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(HOLDS_FOLDER, options)) {
    if (!key.startsWith(LIFTED_HOLDS_FOLDER) && keys.push(key) >= MAX_HOLDS) {
      break;
    }
  }
  const holds: Hold[] = [];
  for (const key of keys.sort()) {
    const found = await store.getDocument(key, options);
    if (found !== undefined) {
      holds.push({ key, pattern: patternOfKey(key), record: parseRecord(holdRecordSchema, found) });
    }
  }
  return holds;
}

function patternOfKey(key: string): string | undefined {
  return key.startsWith(GLOB_HOLDS_FOLDER) ? globOfKey(key) : /^holds\/([^/]+)\.json$/.exec(key)?.[1];
}

/** A hold that was set, and the one it took the place of. */
export interface AddedHold {
  readonly hold: HoldRecord;
  /** `unreadable`: something stood there and held, but did not say for whom. */
  readonly replaced?: HoldRecord | "unreadable";
}

/**
 * Sets a hold. One that stands for the same pattern is noted under `holds/lifted/` first, with who replaced it, and
 * then replaced: at no moment is the task free, and no earlier reason is lost.
 * @param nonceHex names that note.
 */
export async function addHold(
  store: ObjectStore,
  { nonceHex, ...facts }: Omit<HoldRecord, "schemaVersion"> & { readonly nonceHex: string },
  options: CallOptions,
): Promise<AddedHold> {
  const hold: HoldRecord = { schemaVersion: SCHEMA_VERSION, ...facts };
  const key = keyOfPattern(hold.pattern);
  const found = await store.getDocument(key, options);
  const standing = parseRecord(holdRecordSchema, found);
  if (found !== undefined) {
    const { pattern, reason, by, heldAt } = hold;
    const lifting = { pattern, reason: `replaced: ${reason}`, by, liftedAtMs: Date.parse(heldAt), nonceHex };
    await writeLifting(store, lifting, standing, options);
  }
  await store.putDocument(key, jsonText(hold), { kind: "always" }, options);
  return found === undefined ? { hold } : { hold, replaced: standing ?? "unreadable" };
}

/** Who lifts a hold, when and why. */
export interface Lifting {
  readonly pattern: string;
  readonly reason: string;
  readonly by: string;
  readonly liftedAtMs: number;
  readonly nonceHex: string;
}

/**
 * Lifts a hold: notes it under `holds/lifted/` first, then removes it.
 *
 * @returns whether there was such a hold.
 */
export async function removeHold(
  store: ObjectStore & StoreSweeper,
  lifting: Lifting,
  options: CallOptions,
): Promise<boolean> {
  const key = keyOfPattern(lifting.pattern);
  const found = await store.getDocument(key, options);
  if (found === undefined) {
    return false;
  }
  await writeLifting(store, lifting, parseRecord(holdRecordSchema, found), options);
  await store.removeObject(key, options);
  return true;
}

async function writeLifting(
  store: ObjectStore,
  { pattern, reason, by, liftedAtMs, nonceHex }: Lifting,
  hold: HoldRecord | undefined,
  options: CallOptions,
): Promise<void> {
  const liftedAt = new Date(liftedAtMs).toISOString();
  const note = { schemaVersion: SCHEMA_VERSION, pattern, reason, by, liftedAt, hold: hold ?? null };
  await store.putDocument(liftedHoldKey(liftedAtMs, nonceHex), jsonText(note), { kind: "always" }, options);
}

function keyOfPattern(pattern: string): string {
  return isGlob(pattern) ? globHoldKey(pattern) : holdKey(pattern);
}

/** Whether a hold's pattern may concern several tasks. */
export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern);
}
