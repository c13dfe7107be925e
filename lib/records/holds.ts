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
import type { LeftAlone } from "../domain/left-alone.ts";
import { inBatches } from "../domain/promises.ts";
import type { ListedObject, ObjectStore, StoredDocument } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { StoreSweeper } from "../ports/store-sweeper.ts";
import { jsonText } from "./create-once.ts";
import { matchesGlob } from "./glob.ts";
import { isoTime, parseRecord, SCHEMA_VERSION } from "./schemas.ts";

const READS_AT_ONCE = 8;
/** What an S3 console leaves where somebody made a folder by hand. */
const FOLDER_MARKERS: ReadonlySet<string> = new Set([HOLDS_FOLDER, GLOB_HOLDS_FOLDER, LIFTED_HOLDS_FOLDER]);
const HOLD_PATTERN = /^[A-Za-z0-9_*?-]{1,64}$/;

/** `holds/….json`: an operator keeps a task on the platform and its copy in the store. */
const holdRecordSchema = v.object({
  schemaVersion: v.number(),
  /** An export task id, or a glob: `*` for any characters, `?` for one. */
  pattern: v.string(),
  reason: v.string(),
  by: v.string(),
  heldAt: isoTime,
});
export type HoldRecord = v.InferOutput<typeof holdRecordSchema>;

/** All that is asked of a hold written by hand. */
const holdPatternSchema = v.object({ pattern: v.string() });

/** Something below `holds/`: it stands, whatever it says. */
export interface Hold {
  readonly key: string;
  /** An export task id or a glob; `undefined` for what cannot be understood: it holds every task. */
  readonly pattern: string | undefined;
  /** `undefined` when the document cannot be read. */
  readonly record: HoldRecord | undefined;
}

/** Whether text is an export task id or a glob over them. */
export function isHoldPattern(text: string): boolean {
  return HOLD_PATTERN.test(text) && (isGlob(text) || EXPORT_TASK_ID.test(text));
}

type OddHold = Extract<LeftAlone, { readonly key: string }>;

/** What lies below `holds/` at one moment, sorted by key. */
export class Holds {
  readonly all: readonly Hold[];
  /** What cannot be understood, and so holds every task: for the report, with what to do. */
  readonly leftAlone: readonly OddHold[];

  constructor(all: readonly Hold[], leftAlone: readonly OddHold[]) {
    this.all = all;
    this.leftAlone = leftAlone;
  }

  isHeld(exportTaskId: string): boolean {
    return this.all.some((hold) => concerns(hold, exportTaskId));
  }

  /** The holds that concern this task. */
  on(exportTaskId: string): readonly Hold[] {
    return this.all.filter((hold) => concerns(hold, exportTaskId));
  }
}

function concerns({ pattern }: Hold, exportTaskId: string): boolean {
  return (
    pattern === undefined || (isGlob(pattern) ? matchesGlob(pattern, exportTaskId) : pattern === exportTaskId)
  );
}

const ADVICE = 'set the hold with "iotda-archiver hold add", and move the file away';

/**
 * The one reader of `holds/`. A file `holds/{export task id}.json`, or one whose name is a glob in hex, holds what its
 * name says, whether its content can be read or not. Anything else that lies there holds every task: somebody meant
 * to hold something.
 */
export class HoldsReader {
  readonly #store: Pick<ObjectStore, "list" | "getDocument">;
  /** Documents read before, by key, size and time: holds are asked for at each delete and rarely change. */
  readonly #read = new Map<string, StoredDocument>();

  constructor(store: Pick<ObjectStore, "list" | "getDocument">) {
    this.#store = store;
  }

  /** Reads what stands now. Throws what the store throws. */
  async read(options: CallOptions): Promise<Holds> {
    const listed = await this.#list(options);
    const found: Understood[] = [];
    for await (const one of inBatches(listed, READS_AT_ONCE, (object) => this.#understand(object, options))) {
      found.push(one);
    }
    const standing = await this.#withoutLifted(found, options);
    return new Holds(
      standing.map(({ hold }) => hold).sort((a, b) => (a.key < b.key ? -1 : 1)),
      standing.flatMap(({ leftAlone }) => leftAlone),
    );
  }

  async #list(options: CallOptions): Promise<readonly ListedObject[]> {
    const listed: ListedObject[] = [];
    for await (const object of this.#store.list(HOLDS_FOLDER, options)) {
      if (!FOLDER_MARKERS.has(object.key) && !object.key.startsWith(LIFTED_HOLDS_FOLDER)) {
        listed.push(object);
      }
    }
    return listed;
  }

  /**
   * A hold that is not there when it is read was lifted meanwhile, or the answer is wrong: proxies and wrong tenants
   * answer 404, too. Its name says whom it holds, so it holds unless a second list does without it.
   */
  async #withoutLifted(found: readonly Understood[], options: CallOptions): Promise<readonly Understood[]> {
    if (!found.some(({ isMissing }) => isMissing)) {
      return found;
    }
    const again = new Set((await this.#list(options)).map(({ key }) => key));
    return found.filter(({ hold, isMissing }) => !isMissing || again.has(hold.key));
  }

  async #understand(object: ListedObject, options: CallOptions): Promise<Understood> {
    const { key, oddity } = object;
    const odd = (problem: string) => ({
      hold: { key, pattern: undefined, record: undefined },
      leftAlone: [{ kind: "hold" as const, key, problem: `${problem}, so it holds every task; ${ADVICE}` }],
      isMissing: false,
    });
    if (oddity !== undefined) {
      return odd(`it ${oddity}`);
    }
    const pattern = patternOfKey(key);
    if (pattern === undefined) {
      return odd("its name is not a hold's name");
    }
    const document = await this.#document(object, options);
    const inside = parseRecord(holdPatternSchema, document)?.pattern;
    if (inside !== undefined && inside !== pattern) {
      return odd("its content and its name have different patterns");
    }
    const hold = { key, pattern, record: parseRecord(holdRecordSchema, document) };
    return { hold, leftAlone: [], isMissing: document === undefined };
  }

  async #document(object: ListedObject, options: CallOptions): Promise<StoredDocument | undefined> {
    const { key, sizeBytes, modifiedAtMs } = object;
    const name = `${key} ${sizeBytes} ${modifiedAtMs}`;
    const known = this.#read.get(name);
    if (known !== undefined) {
      return known;
    }
    const document = await this.#store.getDocument(key, options);
    if (document !== undefined) {
      this.#read.set(name, document);
    }
    return document;
  }
}

/** One entry below `holds/`, as far as it can be understood. */
interface Understood {
  readonly hold: Hold;
  readonly leftAlone: readonly OddHold[];
  /** It was listed, and the store says that there is no such document. */
  readonly isMissing: boolean;
}

function patternOfKey(key: string): string | undefined {
  const [, id = ""] = /^holds\/([^/]+)\.json$/.exec(key) ?? [];
  const pattern = key.startsWith(GLOB_HOLDS_FOLDER) ? parseGlobHoldKey(key) : id;
  const isOfItsKind = pattern !== undefined && isHoldPattern(pattern) && keyOfPattern(pattern) === key;
  return isOfItsKind ? pattern : undefined;
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
