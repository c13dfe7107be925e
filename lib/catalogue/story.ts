import * as v from "valibot";
import { compact } from "../domain/compact.ts";
import { ArchiverError } from "../domain/errors.ts";
import { isoPlatformTime, type PlatformScope } from "../domain/export-task.ts";
import { recordKey } from "../domain/key-layout.ts";
import { inBatches } from "../domain/promises.ts";
import { BATCH_TASK_ID, claimKey, claimPrefix, parseClaimKey, requestKey } from "../domain/request-layout.ts";
import { DAY_MS, startOfDayMs } from "../domain/utc-day.ts";
import type { Clock } from "../ports/clock.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { type CatalogueLine, lineOf } from "../records/catalogue-line.ts";
import { type Hold, HoldsReader } from "../records/holds.ts";
import { readInventoryState } from "../records/inventory-state.ts";
import {
  RetentionRecords,
  type RevisionLedger,
  standingRecord,
  UNREADABLE,
} from "../records/retention-records.ts";
import { type ArchivedRecord, deadLetterRecordSchema, isoTime, parseRecord } from "../records/schemas.ts";
import { type LedgerEntry, VerificationLedger } from "../records/verification-ledger.ts";
import { type Damage, damageByName } from "./damage.ts";
import { type ExportState, type FoundExport, foundExport } from "./found-export.ts";
import type { ReadingPorts } from "./reading.ts";

/** Of one revision, up to this many are shown, the last ones. */
const MAX_DEAD_LETTERS = 20;
/** A batch task with more tries than this is told without its requests. */
const MAX_CLAIMS = 50;
/** Ledgers of up to this many days are looked through, some at once. */
const LEDGER_DAYS = 400;
const DAYS_AT_ONCE = 16;

/** Something that happened to an export, at `at`, ISO 8601. */
export type StoryEvent = { readonly at: string } & (
  | { readonly kind: "requested"; readonly by: string }
  | { readonly kind: "created" | "finished" }
  | { readonly kind: "archived"; readonly runId: string; readonly key: string; readonly sizeBytes: number }
  | {
      readonly kind: "dead-lettered";
      readonly reason: string;
      readonly detail: string;
      readonly runId: string;
    }
  | { readonly kind: "deleted"; readonly outcome: "deleted" | "already-gone"; readonly runId: string }
  | {
      readonly kind: "retained";
      readonly rule: string;
      readonly keepUntil: string;
      readonly lock: string;
      readonly lockedUntil?: string;
    }
  | { readonly kind: "expired"; readonly rule: string }
);

/** A reading of every byte, and what came of it. */
export interface LastRead {
  readonly at: string;
  readonly by: "archiving" | "inventory";
  readonly result: LedgerEntry["result"];
}

export interface RevisionStory {
  readonly revision: string;
  /** `not-archived`: only given up so far. `unreadable`: it cannot be told. */
  readonly state: ExportState | "not-archived" | "unreadable";
  /** As lists show it; missing where it is not archived, or a record cannot be read. */
  readonly export?: FoundExport;
  /** What the store says of the object just now; missing for one that retention has removed. */
  readonly copy?: "as-recorded" | "missing" | "resized";
  /** When every byte was last read and compared, as far as it is known. */
  readonly lastRead?: LastRead;
  /** Names of records that cannot be read. */
  readonly unreadable: readonly string[];
  /** In the order of time. */
  readonly story: readonly StoryEvent[];
}

export interface ExportStory {
  readonly exportTaskId: string;
  /** The one archived last first. */
  readonly revisions: readonly RevisionStory[];
  readonly holds: readonly Hold[];
}

interface Telling extends CallOptions {
  readonly store: ObjectStore;
  readonly clock: Pick<Clock, "wallMs">;
  readonly scope: PlatformScope;
}

/**
 * Everything that the store knows about one export task, from its records as they are now.
 * @throws ArchiverError `no-such-export` when no record names it, and what the store throws.
 */
export async function tellStory(
  { store, clock }: Pick<ReadingPorts, "store" | "clock">,
  scope: PlatformScope,
  exportTaskId: string,
  { signal }: CallOptions,
): Promise<ExportStory> {
  const telling: Telling = { store, clock, scope, signal };
  // Nothing is written.
  const records = new RetentionRecords(store, scope, { createOnce: false });
  const known = await records.revisionsOf(exportTaskId, { signal });
  if (known.length === 0) {
    throw new ArchiverError("no-such-export", `no record names the export ${JSON.stringify(exportTaskId)}`, {
      scope: "task",
      retry: "never",
      hint: "iotda-archiver find <text> looks for a part of an id; dead-letters list shows what was given up.",
    });
  }
  const state = await readInventoryState(store, scope, { signal });
  const damage = damageByName(state?.damage);
  const revisions: RevisionStory[] = [];
  for (const revision of known) {
    revisions.push(await tellRevision(telling, await records.read(revision, { signal }), damage));
  }
  const holds = await new HoldsReader(store).read({ signal });
  return {
    exportTaskId,
    revisions: revisions.sort((a, b) => (archivedAtOf(a) < archivedAtOf(b) ? 1 : -1)),
    holds: holds.on(exportTaskId),
  };
}

function archivedAtOf({ export: found }: RevisionStory): string {
  return found === undefined ? "" : new Date(found.archivedAt).toISOString();
}

async function tellRevision(
  telling: Telling,
  ledger: RevisionLedger,
  damage: ReadonlyMap<string, Damage>,
): Promise<RevisionStory> {
  const { revision } = ledger;
  const line = lineOf(ledger, "");
  const record = standingRecord(ledger);
  const { letters, unreadable } = await readLetters(telling, ledger);
  const story = [
    ...(record === undefined ? [] : await requestsFor(telling, record, line?.batchTaskId)),
    ...eventsOf(ledger),
    ...letters,
  ].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const names = (["archived", "deleted", "retained", "expired"] as const).filter(
    (name) => ledger[name] === UNREADABLE,
  );
  const base = { revision, unreadable: [...names, ...unreadable], story };
  if (line === undefined) {
    return { ...base, state: names.length > 0 ? "unreadable" : "not-archived" };
  }
  const copy = line.expiredAt === undefined ? await lookAtCopy(telling, line) : undefined;
  const found = foundExport(line, damage);
  const state = copy === "missing" || copy === "resized" ? "damaged" : found.state;
  const lastRead = line.expiredAt === undefined ? await lastReadOf(telling, line) : undefined;
  return { ...base, state, export: { ...found, state }, ...compact({ copy, lastRead }) };
}

/** The newest entry of the ledgers about a copy, or else the reading before it was recorded. */
async function lastReadOf(
  { store, clock, signal }: Telling,
  { key, archivedAt, wasReadBack }: CatalogueLine,
): Promise<LastRead | undefined> {
  // Nothing is written.
  const ledger = new VerificationLedger(store, { createOnce: false, compareAndSwap: false });
  const firstMs = Math.max(
    startOfDayMs(Date.parse(archivedAt)),
    startOfDayMs(clock.wallMs()) - LEDGER_DAYS * DAY_MS,
  );
  const entryOf = (dayMs: number) => ledger.lastOf(key, dayMs, { signal });
  const days = (await ledger.days({ signal })).filter((dayMs) => dayMs >= firstMs);
  for await (const found of inBatches(days, DAYS_AT_ONCE, entryOf)) {
    if (found !== undefined) {
      return { at: found.at, by: "inventory", result: found.result };
    }
  }
  return wasReadBack === true ? { at: archivedAt, by: "archiving", result: "intact" } : undefined;
}

async function lookAtCopy({ store, signal }: Telling, line: CatalogueLine): Promise<RevisionStory["copy"]> {
  const found = await store.head(line.key, { signal });
  return found === undefined ? "missing" : found.sizeBytes === line.sizeBytes ? "as-recorded" : "resized";
}

function eventsOf({ archived, deleted, retained, expired }: RevisionLedger): readonly StoryEvent[] {
  const events: StoryEvent[] = [];
  const copies = archived === UNREADABLE ? [] : (archived ?? []);
  const { create_time: created, end_time: finished } = copies.at(-1)?.source ?? {};
  for (const [kind, time] of [
    ["created", created],
    ["finished", finished],
  ] as const) {
    const at = isoPlatformTime(time);
    if (at !== undefined) {
      events.push({ kind, at });
    }
  }
  for (const { archivedAt: at, runId, object } of copies) {
    events.push({ kind: "archived", at, runId, key: object.key, sizeBytes: object.sizeBytes });
  }
  if (deleted !== undefined && deleted !== UNREADABLE) {
    const { deletedAt: at, outcome, runId } = deleted;
    events.push({ kind: "deleted", at, outcome, runId });
  }
  if (retained !== undefined && retained !== UNREADABLE) {
    const { retainedAt: at, rule, keepUntil, lock, lockedUntil } = retained;
    events.push({ kind: "retained", at, rule, keepUntil, lock, ...compact({ lockedUntil }) });
  }
  if (expired !== undefined && expired !== UNREADABLE) {
    events.push({ kind: "expired", at: expired.expiredAt, rule: expired.rule });
  }
  return events;
}

async function readLetters(
  { store, scope, signal }: Telling,
  { exportTaskId, revision, numbers }: RevisionLedger,
) {
  const letters: StoryEvent[] = [];
  const unreadable: string[] = [];
  const last = numbers["dead-letter"];
  for (let number = Math.max(1, last - MAX_DEAD_LETTERS + 1); number <= last; number += 1) {
    const found = await store.getDocument(recordKey(scope, exportTaskId, revision, "dead-letter", number), {
      signal,
    });
    const letter = parseRecord(deadLetterRecordSchema, found);
    if (letter !== undefined) {
      const { deadLetteredAt: at, reason, detail, runId } = letter;
      letters.push({ kind: "dead-lettered", at, reason, detail, runId });
    } else if (found !== undefined) {
      unreadable.push("dead-letter");
    }
  }
  return { letters, unreadable };
}

/** Of `requests/…`, the fields that the story tells. */
const madeSchema = v.object({ outcome: v.literal("made"), exportTaskId: v.string() });
const claimSchema = v.object({ statusTime: v.pipe(v.string(), v.regex(/^\d{8}T\d{6}Z$/)) });
const requestSchema = v.object({ requestedAt: isoTime, source: v.pipe(v.string(), v.maxLength(100)) });

/** The requests for which the archiver created this export. */
async function requestsFor(
  { store, signal }: Telling,
  { exportTaskId }: ArchivedRecord,
  batchTaskId: string | undefined,
): Promise<readonly StoryEvent[]> {
  if (batchTaskId === undefined || !BATCH_TASK_ID.test(batchTaskId)) {
    return [];
  }
  const results: { readonly key: string; readonly number: number }[] = [];
  for await (const { key } of store.list(claimPrefix(batchTaskId), { signal })) {
    const parsed = parseClaimKey(key, batchTaskId);
    if (parsed?.isResult === true && results.length < MAX_CLAIMS) {
      results.push({ key, number: parsed.number });
    }
  }
  const read = async <Schema extends v.GenericSchema>(schema: Schema, key: string) =>
    parseRecord(schema, await store.getDocument(key, { signal }));
  for (const { key, number } of results) {
    if ((await read(madeSchema, key))?.exportTaskId !== exportTaskId) {
      continue;
    }
    const claim = await read(claimSchema, claimKey(batchTaskId, number));
    const request =
      claim && (await read(requestSchema, requestKey({ batchTaskId, statusTime: claim.statusTime })));
    return request === undefined ? [] : [{ kind: "requested", at: request.requestedAt, by: request.source }];
  }
  return [];
}
