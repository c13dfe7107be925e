import type { PlatformScope } from "../domain/export-task.ts";
import { catalogueFolder, catalogueKey, parseCatalogueKey } from "../domain/key-layout.ts";
import { inBatches } from "../domain/promises.ts";
import type { ObjectStore, StoreAbilities } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { type CatalogueLine, compareLines, formatLine, parseLine } from "./catalogue-line.ts";
import { conditionAfter, linesIn, readTextFile, type TextFile } from "./text-file.ts";

/** Up to this many files are in memory at once. */
const MONTHS_AT_ONCE = 4;

/** One month of the catalogue. */
export interface CatalogueMonth {
  /** In the order of the file. */
  readonly lines: readonly CatalogueLine[];
  /** Whether every line of the file was understood, each revision stands once, and all are in order. */
  readonly isSound: boolean;
  /** Of the file that was read; `undefined` without one. */
  readonly etag: string | undefined;
  readonly text: string;
}

/**
 * The catalogue of one project and instance: a file for each month, one line for each archived revision. It is derived
 * from the records and never decides on anything: what is done about an export asks the records first.
 */
export class Catalogue {
  readonly #store: ObjectStore;
  readonly #scope: PlatformScope;

  constructor(store: ObjectStore, scope: PlatformScope) {
    this.#store = store;
    this.#scope = scope;
  }

  /** The months that have a file, oldest first. Throws what the store throws. */
  async months(options: CallOptions): Promise<readonly string[]> {
    const months: string[] = [];
    for await (const { key, oddity } of this.#store.list(catalogueFolder(this.#scope), options)) {
      const month = parseCatalogueKey(key, this.#scope);
      if (month !== undefined && oddity === undefined) {
        months.push(month);
      }
    }
    return months.sort();
  }

  /** Reads one month; no lines where there is no file. Throws what the store throws. */
  async read(month: string, options: CallOptions): Promise<CatalogueMonth> {
    const found = await this.#readText(month, options);
    if (found === undefined) {
      return { lines: [], isSound: true, etag: undefined, text: "" };
    }
    const { text, etag } = found;
    const inText = new MonthText(text);
    const lines = [...inText];
    return { lines, isSound: inText.isSound, etag, text };
  }

  /**
   * The texts of some months, in the given order; empty where there is no file. Some are read at once: most of the time
   * passes in waiting for the store. Throws what the store throws.
   */
  async *readTexts(
    months: readonly string[],
    options: CallOptions,
    atOnce = MONTHS_AT_ONCE,
  ): AsyncGenerator<{ readonly month: string; readonly text: string }> {
    const read = async (month: string) => ({
      month,
      text: (await this.#readText(month, options))?.text ?? "",
    });
    yield* inBatches(months, atOnce, read);
  }

  /** The text of one month as it is; `undefined` where there is no file. Throws what the store throws. */
  async #readText(month: string, options: CallOptions): Promise<TextFile | undefined> {
    return await readTextFile(this.#store, catalogueKey(this.#scope, month), options);
  }

  /**
   * Writes one month, unless its file has these bytes already.
   *
   * @param lines in the order of {@link compareLines}.
   * @returns `conflict` when another inventory has written the file since it was read.
   */
  async write(
    month: string,
    lines: readonly CatalogueLine[],
    before: Pick<CatalogueMonth, "etag" | "text">,
    abilities: Pick<StoreAbilities, "compareAndSwap" | "createOnce">,
    options: CallOptions,
  ): Promise<"written" | "unchanged" | "conflict"> {
    const text = lines.map((line) => `${formatLine(line)}\n`).join("");
    if (text === before.text && (before.etag !== undefined || text === "")) {
      return "unchanged";
    }
    const { etag } = before;
    const condition = conditionAfter(etag === undefined ? undefined : { etag }, abilities);
    const written = await this.#store.putDocument(catalogueKey(this.#scope, month), text, condition, options);
    return written === "conflict" ? "conflict" : "written";
  }
}

/** The lines of one month, parsed one after the other: together they take several times the memory of their text. */
export class MonthText implements Iterable<CatalogueLine> {
  readonly #text: string;
  #isSound = true;

  constructor(text: string) {
    this.#text = text;
  }

  /** Of the lines seen so far: whether each was understood, each revision stands once, and all are in order. */
  get isSound(): boolean {
    return this.#isSound;
  }

  *[Symbol.iterator](): Generator<CatalogueLine> {
    const names = new Set<string>();
    let before: CatalogueLine | undefined;
    for (const lineText of linesIn(this.#text)) {
      const line = parseLine(lineText);
      this.#isSound &&= line !== undefined && isInOrder(before, line) && !names.has(nameOfLine(line));
      if (line !== undefined) {
        names.add(nameOfLine(line));
        before = line;
        yield line;
      }
    }
  }
}

function isInOrder(before: CatalogueLine | undefined, line: CatalogueLine): boolean {
  return before === undefined || compareLines(before, line) < 0;
}

/** Tells revisions apart: `{exportTaskId}/{revision}`. */
export function nameOfLine({
  exportTaskId,
  revision,
}: Pick<CatalogueLine, "exportTaskId" | "revision">): string {
  return `${exportTaskId}/${revision}`;
}
