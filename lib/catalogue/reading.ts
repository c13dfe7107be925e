import { compact } from "../domain/compact.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import { recordsRoot } from "../domain/key-layout.ts";
import type { Clock } from "../ports/clock.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { Catalogue, nameOfLine } from "../records/catalogue.ts";
import { type CatalogueLine, compareLines, monthOf, parseLine } from "../records/catalogue-line.ts";
import { readInventoryState } from "../records/inventory-state.ts";
import { type Damage, damageByName } from "./damage.ts";
import {
  type ExportFilter,
  type FoundExport,
  foundExport,
  includesText,
  isWanted,
  textsOfWanted,
} from "./found-export.ts";
import type { InventoryEvent } from "./ports.ts";
import { recentChanges } from "./recent.ts";
import { walkRecords } from "./record-walk.ts";

export interface ReadingPorts {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly observe: (event: InventoryEvent) => void;
}

/**
 * Why exports may be missing in an answer. `inventory-cut`: the last inventory had not enough time. `inventory-unknown`: its
 * report is lost, so it cannot be told up to when the catalogue is complete. `many-runs`: there were more runs since then
 * than were looked at. `catalogue-damaged`: lines of the catalogue cannot be read.
 */
export type Gap = "inventory-cut" | "inventory-unknown" | "many-runs" | "catalogue-damaged";

export interface FoundExports {
  /** The one archived last first. */
  readonly exports: readonly FoundExport[];
  /** Whether there are more than the limit. */
  readonly more: boolean;
  /** Revisions whose records cannot be read, so that nothing else is known of them. */
  readonly unreadable: readonly Damage[];
  /** `records`: there is no catalogue yet. */
  readonly source: "catalogue" | "records";
  /** When the catalogue was made, ISO 8601; what ended runs archived since then is in the answer too. */
  readonly completeUntil?: string;
  readonly gaps: readonly Gap[];
}

/**
 * Finds archived exports by the catalogue, and by the records of what was archived since it was made. Where there is no
 * catalogue yet, it reads all records. It holds the files of some months and `limit` lines in memory.
 * @throws what the store throws.
 */
export async function findExports(
  ports: ReadingPorts,
  scope: PlatformScope,
  filter: ExportFilter,
  options: CallOptions & { readonly limit: number },
): Promise<FoundExports> {
  const { store, clock } = ports;
  const state = await readInventoryState(store, scope, options);
  const catalogue = new Catalogue(store, scope);
  const months = await catalogue.months(options);
  if (months.length === 0 && state?.counts.exports !== 0) {
    return await findInRecords(ports, scope, filter, options);
  }
  const gaps = new Set<Gap>(state === undefined ? ["inventory-unknown"] : []);
  if (state?.stopReason === "time-budget") {
    gaps.add("inventory-cut");
  }
  const sinceMs =
    state === undefined ? await newestMs(catalogue, months, options) : Date.parse(state.startedAt);
  const recent = await recentChanges(store, scope, { sinceMs, nowMs: clock.wallMs() }, options);
  if (!recent.isWhole) {
    gaps.add("many-runs");
  }
  const reader = new MonthsReader(catalogue, filter, gaps);
  const damage = damageByName(state?.damage);
  const exports: FoundExport[] = [];
  const seen = new Set<string>();
  for await (const line of newestFirst(recent.lines, reader.lines(months, options))) {
    const found = foundExport(line, damage);
    // After an inventory that was cut, an export that was archived again may stand in two months.
    if (seen.has(nameOfLine(line)) || !isWanted(found, filter)) {
      continue;
    }
    seen.add(nameOfLine(line));
    exports.push(found);
    if (exports.length > options.limit) {
      break;
    }
  }
  const known = state?.damage.filter(({ key }) => key.startsWith(recordsRoot(scope))) ?? [];
  return {
    exports: exports.slice(0, options.limit),
    more: exports.length > options.limit,
    unreadable: unreadableOf([...known, ...recent.unreadable], filter),
    source: "catalogue",
    ...compact({ completeUntil: state?.startedAt }),
    gaps: [...gaps],
  };
}

/** Those among the damage of which the filter may ask, each once. */
function unreadableOf(damage: readonly Damage[], filter: ExportFilter): readonly Damage[] {
  const { text, state, batchTaskId, appId, sinceMs, untilMs } = filter;
  const asksForMore = [batchTaskId, appId, sinceMs, untilMs].some((wanted) => wanted !== undefined);
  if (asksForMore || (state !== undefined && state !== "damaged")) {
    return [];
  }
  const found = damage.filter(
    (one) => one.kind === "unreadable-record" && (text === undefined || includesText(nameOfLine(one), text)),
  );
  return [...new Map(found.map((one) => [nameOfLine(one), one])).values()];
}

/** When the last export of the catalogue was archived. */
async function newestMs(
  catalogue: Catalogue,
  months: readonly string[],
  options: CallOptions,
): Promise<number> {
  const [month = ""] = months.slice(-1);
  const newest = (await catalogue.read(month, options)).lines.at(-1);
  return Date.parse(newest?.archivedAt ?? `${month}-01T00:00:00Z`);
}

/** Lines of the files that may matter, the newest first. */
class MonthsReader {
  readonly #catalogue: Catalogue;
  readonly #filter: ExportFilter;
  readonly #gaps: Set<Gap>;
  /** In small letters. */
  readonly #texts: readonly (readonly string[])[];

  constructor(catalogue: Catalogue, filter: ExportFilter, gaps: Set<Gap>) {
    this.#catalogue = catalogue;
    this.#filter = filter;
    this.#gaps = gaps;
    this.#texts = textsOfWanted(filter);
  }

  async *lines(months: readonly string[], options: CallOptions): AsyncGenerator<CatalogueLine> {
    const { sinceMs, untilMs } = this.#filter;
    const wanted = months
      .filter((month) => sinceMs === undefined || month >= monthAt(sinceMs))
      .filter((month) => untilMs === undefined || month <= monthAt(untilMs))
      .reverse();
    // Without a text to search for, the first file may have enough lines.
    const atOnce = this.#texts.length === 0 ? 1 : undefined;
    for await (const { month, text } of this.#catalogue.readTexts(wanted, options, atOnce)) {
      yield* this.#linesOf(month, text);
    }
  }

  *#linesOf(month: string, text: string): Generator<CatalogueLine> {
    if (!this.#mayBeWanted(text)) {
      return;
    }
    for (const lineText of text.split("\n").reverse()) {
      if (lineText === "" || !this.#mayBeWanted(lineText)) {
        continue;
      }
      const line = parseLine(lineText);
      if (line === undefined || monthOf(line) !== month) {
        this.#gaps.add("catalogue-damaged");
      } else {
        yield line;
      }
    }
  }

  /** Looks at the text alone: parsing every line of a large archive takes many seconds. */
  #mayBeWanted(text: string): boolean {
    if (this.#texts.length === 0) {
      return true;
    }
    const small = text.toLowerCase();
    return this.#texts.every((spellings) => spellings.some((spelling) => small.includes(spelling)));
  }
}

function monthAt(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 7);
}

/** The lines of the catalogue, with those of recent changes in their place. */
async function* newestFirst(
  recent: ReadonlyMap<string, CatalogueLine>,
  older: AsyncIterable<CatalogueLine>,
): AsyncGenerator<CatalogueLine> {
  const waiting = [...recent.values()].sort(compareLines);
  for await (const line of older) {
    for (
      let next = waiting.at(-1);
      next !== undefined && compareLines(next, line) > 0;
      next = waiting.at(-1)
    ) {
      waiting.pop();
      yield next;
    }
    if (!recent.has(nameOfLine(line))) {
      yield line;
    }
  }
  yield* waiting.reverse();
}

/** The same from all records, for an archive without a catalogue. */
async function findInRecords(
  { store, clock, observe }: ReadingPorts,
  scope: PlatformScope,
  filter: ExportFilter,
  { signal, limit }: CallOptions & { readonly limit: number },
): Promise<FoundExports> {
  const message =
    'There is no catalogue yet, so this reads all records. "iotda-archiver inventory" makes one, and answers take seconds then.';
  observe({ kind: "warning", code: "no-catalogue", message });
  const completeUntil = new Date(clock.wallMs()).toISOString();
  const newest = new NewestLines(limit + 1);
  const damage: Damage[] = [];
  const run = {
    ports: { store, observe },
    scope,
    // Nothing is written.
    abilities: { createOnce: false },
    signal,
    msLeft: () => Number.POSITIVE_INFINITY,
  };
  await walkRecords(run, {
    isKnown: () => false,
    onLines: async (lines) => {
      newest.add(lines.filter((line) => isWanted(foundExport(line, new Map()), filter)));
    },
    onDamage: (one) => damage.push(one),
    onLeftAlone: () => undefined,
    reserveMs: 0,
  });
  const lines = newest.lines();
  return {
    exports: lines.slice(0, limit).map((line) => foundExport(line, new Map())),
    more: lines.length > limit,
    unreadable: unreadableOf(damage, filter),
    source: "records",
    completeUntil,
    gaps: [],
  };
}

/** The newest lines of many. */
class NewestLines {
  readonly #limit: number;
  #lines: CatalogueLine[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(lines: readonly CatalogueLine[]): void {
    this.#lines.push(...lines);
    if (this.#lines.length > 2 * this.#limit + 1_000) {
      this.#lines = this.lines();
    }
  }

  /** The one archived last first. */
  lines(): CatalogueLine[] {
    return this.#lines.sort((a, b) => compareLines(b, a)).slice(0, this.#limit);
  }
}
