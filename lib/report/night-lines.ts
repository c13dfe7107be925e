import { recentChanges } from "../catalogue/recent.ts";
import { compact } from "../domain/compact.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { Catalogue, nameOfLine } from "../records/catalogue.ts";
import type { CatalogueLine } from "../records/catalogue-line.ts";
import type { InventoryState } from "../records/inventory-state.ts";
import type { NightLine } from "./night-facts.ts";

/** Far more than pass through the platform in a month. */
const MAX_LINES = 20_000;

/** Epoch milliseconds. */
export interface LinesWanted {
  /** Archived at this moment or later. */
  readonly sinceMs: number;
  /** The night's beginning. */
  readonly fromMs: number;
  /** The lines are as they were known then. */
  readonly madeAtMs: number;
  /** Ids of the exports that runs of the night worked on: they are wanted whenever they were archived. */
  readonly worked: ReadonlySet<string>;
}

/**
 * What the records say of the exports that a night is about: lines of the catalogue, and the records of those exports that
 * runs worked on since it was made. It reads some months and what some days brought, never the whole archive: without a
 * catalogue, only what the reports of runs name.
 *
 * @param inventory of the last inventory, by which the catalogue is known to be whole.
 * @throws what the store throws.
 */
export async function linesOfNight(
  store: ObjectStore,
  scope: PlatformScope,
  { sinceMs, fromMs, madeAtMs, worked }: LinesWanted,
  inventory: InventoryState | undefined,
  options: CallOptions,
): Promise<readonly NightLine[]> {
  const catalogue = new Catalogue(store, scope);
  const lines = new Map<string, CatalogueLine>();
  const isWanted = ({ archivedAt, exportTaskId }: CatalogueLine) => {
    const archivedAtMs = Date.parse(archivedAt);
    return archivedAtMs <= madeAtMs && (archivedAtMs >= sinceMs || worked.has(exportTaskId));
  };
  let isSound = true;
  for (const month of monthsBetween(sinceMs, madeAtMs)) {
    const read = await catalogue.read(month, options);
    isSound &&= read.isSound;
    for (const line of read.lines) {
      if (isWanted(line)) {
        lines.set(nameOfLine(line), line);
      }
    }
  }
  const isWhole = isSound && inventory?.stopReason === "done";
  const wholeUntilMs = isWhole ? Date.parse(inventory.startedAt) : sinceMs;
  const changed = { sinceMs: Math.min(wholeUntilMs, fromMs), nowMs: madeAtMs };
  const recent = await recentChanges(store, scope, changed, options);
  for (const [name, line] of recent.lines) {
    lines.set(name, line);
  }
  return [...lines.values()]
    .filter(isWanted)
    .sort((a, b) => Date.parse(a.archivedAt) - Date.parse(b.archivedAt))
    .slice(-MAX_LINES)
    .map(({ recordsTag: _tag, deletedAt, ...line }) => {
      const isDeleted = deletedAt !== undefined && Date.parse(deletedAt) <= madeAtMs;
      return { ...line, ...compact({ deletedAt: isDeleted ? deletedAt : undefined }) };
    });
}

/** The months of the catalogue from one moment to another, `yyyy-MM`. */
function monthsBetween(fromMs: number, toMs: number): readonly string[] {
  const first = new Date(fromMs);
  const months: string[] = [];
  for (let index = 0; ; index += 1) {
    const month = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + index));
    if (month.getTime() > toMs) {
      return months;
    }
    months.push(month.toISOString().slice(0, 7));
  }
}
