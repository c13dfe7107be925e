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
import { type ObjectStore, StoreError } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { StoreSweeper } from "../ports/store-sweeper.ts";
import { parseRecord, SCHEMA_VERSION } from "./schemas.ts";

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
  heldAt: v.pipe(v.string(), v.isoTimestamp()),
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

/** Whether a hold's pattern concerns this task. */
export function matchesHold(pattern: string, exportTaskId: string): boolean {
  const source = pattern.replaceAll(/[*?-]/g, (sign) => ({ "*": ".*", "?": "." })[sign] ?? "\\-");
  return new RegExp(`^${source}$`, "s").test(exportTaskId);
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
  if (await isPresent(store, holdKey(exportTaskId), options)) {
    return true;
  }
  return (await readHoldGlobs(store, options)).some(
    (glob) => glob === undefined || matchesHold(glob, exportTaskId),
  );
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
    const text = await readText(store, key, options);
    if (text !== undefined) {
      const record = text === "unreadable" ? undefined : parseRecord(holdRecordSchema, text);
      holds.push({ key, pattern: patternOfKey(key), record });
    }
  }
  return holds;
}

function patternOfKey(key: string): string | undefined {
  return key.startsWith(GLOB_HOLDS_FOLDER) ? globOfKey(key) : /^holds\/([^/]+)\.json$/.exec(key)?.[1];
}

/** Sets a hold; one that stands for the same pattern is replaced by this one, which says the newer reason. */
export async function addHold(
  store: ObjectStore,
  hold: Omit<HoldRecord, "schemaVersion">,
  options: CallOptions,
): Promise<HoldRecord> {
  const record: HoldRecord = { schemaVersion: SCHEMA_VERSION, ...hold };
  await store.putDocument(keyOfPattern(hold.pattern), textOf(record), { kind: "always" }, options);
  return record;
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
  const { pattern, reason, by, liftedAtMs, nonceHex } = lifting;
  const key = keyOfPattern(pattern);
  const text = await readText(store, key, options);
  if (text === undefined) {
    return false;
  }
  const hold = text === "unreadable" ? undefined : parseRecord(holdRecordSchema, text);
  const liftedAt = new Date(liftedAtMs).toISOString();
  const note = { schemaVersion: SCHEMA_VERSION, pattern, reason, by, liftedAt, hold: hold ?? null };
  await store.putDocument(liftedHoldKey(liftedAtMs, nonceHex), textOf(note), { kind: "always" }, options);
  await store.removeObject(key, options);
  return true;
}

function keyOfPattern(pattern: string): string {
  return isGlob(pattern) ? globHoldKey(pattern) : holdKey(pattern);
}

function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

function textOf(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

async function isPresent(store: ObjectStore, key: string, options: CallOptions): Promise<boolean> {
  return (await readText(store, key, options)) !== undefined;
}

/** A document no program of ours can have written is there, all the same. */
async function readText(
  store: ObjectStore,
  key: string,
  options: CallOptions,
): Promise<string | "unreadable" | undefined> {
  try {
    return (await store.getDocument(key, options))?.text;
  } catch (error) {
    if (error instanceof StoreError && error.code === "store-malformed-answer") {
      return "unreadable";
    }
    throw error;
  }
}
