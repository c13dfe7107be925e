import { compact } from "../domain/compact.ts";
import { NameSet } from "../domain/name-set.ts";
import { Catalogue, MonthText, nameOfLine } from "../records/catalogue.ts";
import { type CatalogueLine, compareLines, monthOf } from "../records/catalogue-line.ts";
import type { Holds } from "../records/holds.ts";
import { type InventoryState, lastWholeMs } from "../records/inventory-state.ts";
import type { InventoryRun } from "./ports.ts";

/** New lines are written to the catalogue after this many, so that an inventory that dies has not read for nothing. */
const LINES_BEFORE_WRITING = 2_000;

/** What an update counts, in the report of its inventory. */
interface CatalogueCounts {
  read: number;
  monthsWritten: number;
  monthsInConflict: number;
}

/** Brings the files of the catalogue up to date: what was met stays, what was read is added, the rest goes. */
export class CatalogueUpdate {
  readonly #run: InventoryRun;
  readonly #counts: CatalogueCounts;
  readonly #holds: Holds;
  readonly #catalogue: Catalogue;
  /** The lines of the catalogue, by revision and state of the records; those that the records bear out are marked. */
  readonly #lines = new NameSet();
  readonly #months = new Set<string>();
  /** Those whose file was there, or was said to be missing. */
  readonly #accountedMonths = new Set<string>();
  /** Up to when the last whole inventory was sure to have written every line, epoch milliseconds. */
  readonly #wasCompleteUntilMs: number;
  #unwritten: CatalogueLine[] = [];

  constructor(
    run: InventoryRun,
    counts: CatalogueCounts,
    holds: Holds,
    before: Pick<InventoryState, "startedAt" | "stopReason" | "lastWholeAt"> | undefined,
  ) {
    this.#wasCompleteUntilMs = lastWholeMs(before) ?? Number.NEGATIVE_INFINITY;
    this.#run = run;
    this.#counts = counts;
    this.#holds = holds;
    this.#catalogue = new Catalogue(run.ports.store, run.scope);
  }

  /** Reads what the catalogue has. A file that is not as this program wrote it counts as lost. */
  async readKnown(): Promise<void> {
    const months = await this.#catalogue.months(this.#run);
    for await (const { month, text } of this.#catalogue.readTexts(months, this.#run)) {
      this.#months.add(month);
      this.#accountedMonths.add(month);
      const lines = new MonthText(text);
      const names: string[] = [];
      for (const line of lines) {
        if (monthOf(line) === month) {
          names.push(nameOfState(line));
        }
      }
      if (!lines.isSound) {
        const message = `the catalogue file of ${month} is damaged; it is made again from the records`;
        this.#run.ports.observe({ kind: "warning", code: "catalogue-damaged", message });
        continue;
      }
      for (const name of names) {
        this.#lines.add(name);
      }
    }
  }

  /** Marks a revision's line. @returns whether the catalogue has the line of this state of the records. */
  meet(name: string, recordsTag: string): boolean {
    return this.#lines.mark(`${name} ${recordsTag}`);
  }

  /** Takes lines that were made from the records just now. */
  async add(lines: readonly CatalogueLine[]): Promise<void> {
    this.#counts.read += lines.length;
    for (const line of lines) {
      this.#lines.add(nameOfState(line));
      this.#lines.mark(nameOfState(line));
      this.#warnOfLostMonth(line);
      this.#months.add(monthOf(line));
      this.#unwritten.push(line);
    }
    if (this.#unwritten.length >= LINES_BEFORE_WRITING) {
      for (const month of new Set(this.#unwritten.map(monthOf))) {
        await this.#write(month, () => true);
      }
    }
  }

  /** The last whole inventory wrote this line. Where there is no file of its month, somebody removed it. */
  #warnOfLostMonth(line: CatalogueLine): void {
    const month = monthOf(line);
    const wasWritten = Date.parse(line.archivedAt) < this.#wasCompleteUntilMs;
    if (wasWritten && !this.#accountedMonths.has(month)) {
      this.#accountedMonths.add(month);
      const message = `the catalogue file of ${month} is missing; it is made again from the records`;
      this.#run.ports.observe({ kind: "warning", code: "catalogue-lost", message });
    }
  }

  /**
   * Writes every file that has to change, and yields every line.
   * @param isWhole whether all records were listed and read: a line that was not met is dropped only then.
   */
  async *update(isWhole: boolean): AsyncGenerator<CatalogueLine> {
    const isKept = (line: CatalogueLine) => !isWhole || this.#lines.isMarked(nameOfState(line));
    for (const [done, month] of [...this.#months].sort().entries()) {
      this.#run.ports.observe({ kind: "progress", step: "months", done });
      yield* await this.#write(month, isKept);
    }
  }

  /** Writes one month. @returns its lines. */
  async #write(month: string, isKept: (line: CatalogueLine) => boolean): Promise<readonly CatalogueLine[]> {
    const before = await this.#catalogue.read(month, this.#run);
    const added = this.#unwritten.filter((line) => monthOf(line) === month);
    this.#unwritten = this.#unwritten.filter((line) => monthOf(line) !== month);
    const standing = before.lines.filter((line) => monthOf(line) === month && isKept(line));
    const byRevision = new Map<string, CatalogueLine>();
    for (const line of [...standing, ...added]) {
      byRevision.set(nameOfLine(line), this.#withHold(line));
    }
    const lines = [...byRevision.values()].sort(compareLines);
    const { abilities } = this.#run;
    const written = await this.#catalogue.write(month, lines, before, abilities, this.#run);
    this.#counts.monthsWritten += written === "written" ? 1 : 0;
    this.#counts.monthsInConflict += written === "conflict" ? 1 : 0;
    return lines;
  }

  /** Holds change without a record: whether one keeps the task is looked at each time. */
  #withHold(line: CatalogueLine): CatalogueLine {
    const isOnPlatform = line.deletedAt === undefined && line.expiredAt === undefined;
    const keptFor = isOnPlatform && this.#holds.isHeld(line.exportTaskId) ? ("hold" as const) : undefined;
    if (line.keptFor === keptFor) {
      return line;
    }
    const { keptFor: _before, ...others } = line;
    return { ...others, ...compact({ keptFor }) };
  }
}

function nameOfState(line: CatalogueLine): string {
  return `${nameOfLine(line)} ${line.recordsTag}`;
}
