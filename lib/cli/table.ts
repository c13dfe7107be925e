import { harmlessText } from "../domain/harmless-text.ts";
import { columnsOf } from "./output.ts";

/** Lines between rows only make a short table long. */
const NO_ROW_LINES = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };
/** With less room than this, words of the last column stand below each other. */
const LEAST_LAST_COLUMN = 24;
const CELL_PADDING = 2;

type Row = readonly string[];

/**
 * A table without colours of its own: it must read well in a file too. On a terminal that it is too wide for,
 * its last column is broken between words; where that leaves no room for words, every row is an entry of two
 * lines, the first cell and below it the others with their heads.
 *
 * @param columns of the terminal; `undefined` where nothing limits a line.
 */
export async function table(
  head: Row,
  given: readonly Row[],
  columns: number | undefined = columnsOf(process.stdout),
): Promise<readonly string[]> {
  // Before the cells are measured, and since one that holds a line end would look like two rows.
  const rows = given.map((row) => row.map(harmlessText));
  const natural = await drawn(head, rows);
  const [top = ""] = natural;
  if (columns === undefined || top.length <= columns) {
    return natural;
  }
  const lastWidth = top.length - 2 - top.lastIndexOf("┬");
  const room = lastWidth - (top.length - columns);
  return room - CELL_PADDING >= LEAST_LAST_COLUMN
    ? await drawn(head, rows, room)
    : rows.flatMap((row) => entryOf(head, row));
}

async function drawn(head: Row, rows: readonly Row[], lastWidth?: number): Promise<readonly string[]> {
  // Few commands draw a table, and this takes a tenth of a start to load.
  const { default: Table } = await import("cli-table3");
  const fitted =
    lastWidth === undefined
      ? {}
      : { colWidths: [...head.slice(1).map(() => null), lastWidth], wordWrap: true };
  const made = new Table({
    head: [...head],
    chars: NO_ROW_LINES,
    style: { head: [], border: [] },
    ...fitted,
  });
  made.push(...rows.map((row) => [...row]));
  return made.toString().split("\n");
}

function entryOf([, ...heads]: Row, [first = "", ...cells]: Row): readonly string[] {
  const facts = heads.flatMap((head, index) => {
    const cell = cells[index] ?? "";
    return cell === "" ? [] : [`${head}: ${cell}`];
  });
  return [first, `  ${facts.join(", ")}`];
}
