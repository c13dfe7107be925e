import type { ExportFilter, FoundExport } from "../catalogue/found-export.ts";
import type { FoundExports, Gap } from "../catalogue/reading.ts";
import { formatBytes } from "../domain/format-bytes.ts";
import { harmlessText } from "../domain/harmless-text.ts";
import { count, formatDuration } from "./format.ts";
import { columnsOf, type Line, lines } from "./output.ts";

/** A catalogue that is older than this is said to be: inventories run once a day. */
const OLD_AFTER_MS = 36 * 3_600_000;
const GAP = "  ";

/** `2026-11-21 01:07`, in UTC. */
export function shortTime(isoTime: string): string {
  return new Date(isoTime).toISOString().slice(0, 16).replace("T", " ");
}

/** `list` and `find`. @param nowMs epoch milliseconds. */
export function listLines(found: FoundExports, filter: ExportFilter, nowMs: number): readonly Line[] {
  const { exports, more } = found;
  const { batchTaskId } = filter;
  const [only] = exports.length === 1 && !more ? exports : [];
  const bytes = exports.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return lines(
    exports.length === 0
      ? noneLines(filter)
      : [...rowsOf(exports), "", `${count(exports.length, "export")}, ${formatBytes(bytes)}.`],
    noteLines(found, nowMs),
    only?.state === "kept" || only?.state === "deleted"
      ? `Next: iotda-archiver restore ${only.exportTaskId} --to .`
      : exports.length > 1 &&
          batchTaskId !== undefined &&
          `Next: iotda-archiver restore --batch-task ${batchTaskId} --latest --to .`,
  );
}

function noneLines({ batchTaskId, text }: ExportFilter): readonly Line[] {
  const none = "No archived export matches.";
  if (batchTaskId !== undefined) {
    return [
      none,
      `"iotda-archiver request ${batchTaskId}" asks for one; "iotda-archiver status" shows what is on its way.`,
    ];
  }
  return text === undefined
    ? [none]
    : [none, '"iotda-archiver status" shows what is on its way, and "dead-letters list" what was given up.'];
}

/** How complete the answer is, and what it cannot show. */
export function noteLines(found: FoundExports, nowMs: number): readonly Line[] {
  return lines(
    found.more && "There are more: --limit <n> shows up to n.",
    found.unreadable.map(({ exportTaskId, revision, key }): Line => {
      const text = `${exportTaskId}, revision ${revision}: its records cannot be read (${key}).`;
      return { text, colour: "red" };
    }),
    completenessLine(found, nowMs),
    found.gaps.map((gap): Line => ({ text: GAP_WORDS[gap], colour: "magenta" })),
  );
}

function completenessLine(
  { source, completeUntil }: Pick<FoundExports, "source" | "completeUntil">,
  nowMs: number,
): string | undefined {
  // Before all records were read, a warning said why.
  if (completeUntil === undefined || source === "records") {
    return undefined;
  }
  const ageMs = nowMs - Date.parse(completeUntil);
  const age = ageMs > OLD_AFTER_MS ? ` (${formatDuration(ageMs)} ago)` : "";
  return `Complete up to ${shortTime(completeUntil)} UTC${age}, the last inventory. Later exports appear when their run has ended.`;
}

const GAP_WORDS: Readonly<Record<Gap, string>> = {
  "inventory-cut":
    'Exports may be missing: the last inventory ran out of time. "iotda-archiver inventory" goes on where it ended.',
  "inventory-unknown":
    'Exports may be missing: the report of the last inventory is lost. "iotda-archiver inventory" makes it again.',
  "many-runs":
    'Exports may be missing: the catalogue is old, and too many runs ended since. "iotda-archiver inventory" brings it up to date.',
  "catalogue-damaged":
    'Exports may be missing: lines of the catalogue cannot be read. "iotda-archiver inventory" makes them again.',
};

const HEADS = {
  time: "archived (UTC)",
  task: "export task",
  batch: "batch task",
  size: "size",
  state: "state",
};
type Cells = Readonly<Record<keyof typeof HEADS, string>>;

/**
 * One line for each export, its columns below each other. Where the terminal is too narrow for that, the batch task
 * stands on a line of its own.
 */
export function rowsOf(
  exports: readonly FoundExport[],
  columns: number | undefined = columnsOf(process.stdout),
): readonly Line[] {
  const rows = exports.map((one) => ({ cells: cellsOf(one), isDamaged: one.state === "damaged" }));
  const widthOf = (name: keyof Cells) =>
    Math.max(HEADS[name].length, ...rows.map(({ cells }) => cells[name].length));
  const widths = {
    time: widthOf("time"),
    task: widthOf("task"),
    batch: widthOf("batch"),
    size: widthOf("size"),
  };
  const shown = ({ time, task, batch, size, state }: Cells, withBatch: boolean) =>
    [
      time.padEnd(widths.time),
      task.padEnd(widths.task),
      ...(withBatch ? [batch.padEnd(widths.batch)] : []),
      size.padStart(widths.size),
      state,
    ].join(GAP);
  const wide = [HEADS, ...rows.map(({ cells }) => cells)].map((cells) => shown(cells, true));
  const isWide = columns === undefined || wide.every((text) => text.length <= columns);
  const inColour = (text: string, isDamaged: boolean): Line => (isDamaged ? { text, colour: "red" } : text);
  return [
    shown(HEADS, isWide),
    ...rows.flatMap(({ cells, isDamaged }) => [
      inColour(shown(cells, isWide), isDamaged),
      ...(isWide || cells.batch === "" ? [] : [`${" ".repeat(widths.time)}${GAP}batch task ${cells.batch}`]),
    ]),
  ];
}

function cellsOf({ archivedAt, exportTaskId, batchTaskId = "", sizeBytes, state }: FoundExport): Cells {
  const batch = harmlessText(batchTaskId);
  return { time: shortTime(archivedAt), task: exportTaskId, batch, size: formatBytes(sizeBytes), state };
}

const CSV_FIELDS = [
  "exportTaskId",
  "revision",
  "batchTaskId",
  "appId",
  "createTime",
  "endTime",
  "exportCount",
  "archivedAt",
  "deletedAt",
  "expiredAt",
  "state",
  "keptFor",
  "retainedUntil",
  "lock",
  "sizeBytes",
  "sha256",
  "key",
] as const satisfies readonly (keyof FoundExport)[];

/** A head and a line for each export, as RFC 4180 has it. */
export function csvLines(exports: readonly FoundExport[]): readonly string[] {
  return [
    CSV_FIELDS.join(","),
    ...exports.map((found) => CSV_FIELDS.map((name) => csvField(found[name])).join(",")),
  ];
}

/** A spreadsheet takes what begins with one of these for a formula, and runs it. */
const FORMULA = /^[=+\-@\t\r]/;

/** A field of a line, quoted where it must be. Text from outside cannot be a formula, nor end a line. */
export function csvField(value: string | number | undefined): string {
  if (typeof value !== "string") {
    return value === undefined ? "" : String(value);
  }
  const text = harmlessText(FORMULA.test(value) ? `'${value}` : value);
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
