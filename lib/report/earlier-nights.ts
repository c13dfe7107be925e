import * as v from "valibot";
import { compact } from "../domain/compact.ts";
import { isSameScope, type PlatformScope } from "../domain/export-task.ts";
import { reportKey } from "../domain/key-layout.ts";
import { inBatches } from "../domain/promises.ts";
import { DAY_MS } from "../domain/utc-day.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { isoTime, parseRecord, schemaVersion } from "../records/schemas.ts";
import { type Night, VERDICTS } from "./night.ts";
import type { EarlierNight } from "./night-facts.ts";
import { findReportsFolder } from "./report-folder.ts";
import { parseStoredNight } from "./stored-night.ts";
import { addDays } from "./zoned-time.ts";

const READS_AT_ONCE = 10;
/** A report is made on the day of its night in some time zone. */
const MAX_FROM_NOON_MS = 1.5 * DAY_MS;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** The part of a stored night that later nights show. */
const storedNightSchema = v.object({
  schemaVersion,
  date: v.pipe(v.string(), v.isoDate()),
  projectId: v.string(),
  instanceId: v.optional(v.string()),
  madeAt: isoTime,
  verdict: v.picklist(VERDICTS),
  counts: v.object({ finished: count, archived: count, givenUp: count, made: count }),
  lastRunAt: v.optional(isoTime),
  streak: count,
  nights: v.pipe(
    v.array(
      v.object({
        date: v.string(),
        held: v.optional(count),
        hasRetries: v.optional(v.boolean()),
      }),
    ),
    v.maxLength(100),
  ),
});

/** What stands in a stored report, as far as others need it. */
export interface StoredNight extends EarlierNight {
  /** ISO 8601 in UTC. */
  readonly madeAt: string;
  readonly verdict: (typeof VERDICTS)[number];
  /** Exports that were to be archived. */
  readonly finished: number;
}

/**
 * The reports that are stored of the nights of these dates, in the order of the dates. A file that is missing, of another
 * project or instance, or not a report, is passed over.
 *
 * @throws what the store throws.
 */
export async function readStoredNights(
  store: Pick<ObjectStore, "getDocument">,
  scope: PlatformScope,
  dates: readonly string[],
  options: CallOptions,
): Promise<readonly StoredNight[]> {
  const folder = await findReportsFolder(store, scope, options);
  if (folder === undefined) {
    return [];
  }
  const nights: StoredNight[] = [];
  const read = async (date: string) =>
    storedNight(await store.getDocument(reportKey(folder, date, "json"), options), scope, date);
  for await (const night of inBatches(dates, READS_AT_ONCE, read)) {
    if (night !== undefined) {
      nights.push(night);
    }
  }
  return nights;
}

/**
 * The whole report of a night as it was stored.
 *
 * @returns `undefined` where there is none that can be read.
 * @throws what the store throws.
 */
export async function readStoredReport(
  store: Pick<ObjectStore, "getDocument">,
  scope: PlatformScope,
  date: string,
  options: CallOptions,
): Promise<Night | undefined> {
  const folder = await findReportsFolder(store, scope, options);
  return folder === undefined
    ? undefined
    : parseStoredNight(await store.getDocument(reportKey(folder, date, "json"), options), scope, date);
}

/** The dates of the days before this one, the latest last. */
export function datesBefore(date: string, days: number): readonly string[] {
  return Array.from({ length: days }, (_, index) => addDays(date, index - days));
}

function storedNight(
  document: Parameters<typeof parseRecord>[1],
  scope: PlatformScope,
  date: string,
): StoredNight | undefined {
  const stored = parseRecord(storedNightSchema, document);
  if (stored?.date !== date || !isSameScope(stored, scope)) {
    return undefined;
  }
  const { verdict, counts, madeAt, streak, nights } = stored;
  const madeAtMs = Date.parse(madeAt);
  if (Math.abs(madeAtMs - Date.parse(`${date}T12:00:00Z`)) > MAX_FROM_NOON_MS) {
    return undefined;
  }
  const lastRunAt = Date.parse(stored.lastRunAt ?? madeAt) <= madeAtMs ? stored.lastRunAt : undefined;
  const { held, hasRetries } = nights.find((night) => night.date === date) ?? {};
  const { finished, archived, givenUp, made } = counts;
  return {
    date,
    verdict,
    archived,
    givenUp,
    made,
    streak,
    madeAt,
    finished,
    ...compact({ held, hasRetries, lastRunAt }),
  };
}
