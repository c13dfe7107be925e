import Table from "cli-table3";
import { harmlessText } from "../domain/harmless-text.ts";
import { columnsOf } from "./output.ts";

const KIB = 1024;
const SIZE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** `0 B`, `10.0 KiB`, `1.25 GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= KIB && unit < SIZE_UNITS.length - 1) {
    value /= KIB;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${SIZE_UNITS[unit] ?? ""}`;
}

/** `0.4 s`, `42 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  if (whole < 60) {
    return `${whole} s`;
  }
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) {
    return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  }
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `due now`, `due in 42 s`. */
export function formatDue(atMs: number, nowMs: number): string {
  return atMs <= nowMs ? "due now" : `due in ${formatDuration(atMs - nowMs)}`;
}

/** `1 task`, `3 tasks`; `3 copies` with a plural of its own. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : plural}`;
}

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
export function table(
  head: Row,
  given: readonly Row[],
  columns: number | undefined = columnsOf(process.stdout),
): readonly string[] {
  // Before the cells are measured, and since one that holds a line end would look like two rows.
  const rows = given.map((row) => row.map(harmlessText));
  const natural = drawn(head, rows);
  const [top = ""] = natural;
  if (columns === undefined || top.length <= columns) {
    return natural;
  }
  const lastWidth = top.length - 2 - top.lastIndexOf("┬");
  const room = lastWidth - (top.length - columns);
  return room - CELL_PADDING >= LEAST_LAST_COLUMN
    ? drawn(head, rows, room)
    : rows.flatMap((row) => entryOf(head, row));
}

function drawn(head: Row, rows: readonly Row[], lastWidth?: number): readonly string[] {
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
