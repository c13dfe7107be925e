import type { Plan, PlanAction, PlanItem } from "../plan/plan.ts";
import { count, formatDuration } from "./format.ts";
import { columnsOf, type Line, lines } from "./output.ts";
import { leftAloneLines, slotsLines } from "./run-lines.ts";
import { table } from "./table.ts";
import { deletionInWords, reasonInWords } from "./words.ts";

const ACTION_WORDS: Readonly<Record<PlanAction, string>> = {
  "archive-delete": "archive and delete",
  archive: "archive and keep",
  delete: "delete",
  keep: "keep",
  wait: "wait",
  "give-up": "give up",
  "left-alone": "leave alone",
};

/** Narrower terminals have no room for both ids of an export. */
const COLUMNS_FOR_BATCH_TASK = 140;

/**
 * A plan for a person.
 *
 * @param file where it was written to.
 * @param columns of the terminal; `undefined` where nothing limits a line.
 */
export async function planLines(
  plan: Plan,
  file: string | undefined,
  columns: number | undefined = columnsOf(process.stdout),
): Promise<readonly Line[]> {
  const { items, deletion, madeAt, nextToGo, leftAlone, storeTriedOut } = plan;
  const { held, after, limit } = plan.totals.slots;
  return lines(
    `What a run would do at ${madeAt}: ${deletionInWords(deletion)}`,
    items.length > 0 && (await itemsTable(items, Date.parse(madeAt), columns)),
    totalsLine(plan),
    downloadsLine(plan),
    `Export slots used: ${held} of ${limit} now, ${after} after the run`,
    lossLine(plan),
    slotsLines(held, nextToGo),
    leftAloneLines(leftAlone),
    "Not in the plan: how large the files are, which the platform tells only with a download; and the queue's messages: earlier attempts, delays, and which come first.",
    !storeTriedOut &&
      "No run has tried the store out within a day, so the plan takes what it can do from its profile.",
    file !== undefined &&
      `Written to ${file}. Within 24 h, "iotda-archiver run --plan ${file}" does at most this.`,
  );
}

const HEAD = ["export task", "batch task", "when", "age", "rows", "what", "because"];

async function itemsTable(
  items: readonly PlanItem[],
  madeAtMs: number,
  columns: number | undefined,
): Promise<readonly string[]> {
  const all = [HEAD, ...items.map((item) => rowOf(item, madeAtMs))];
  const hasRoom = columns === undefined || columns >= COLUMNS_FOR_BATCH_TASK;
  const [head = [], ...rows] = hasRoom ? all : all.map(([id = "", _batchTask, ...rest]) => [id, ...rest]);
  return await table(head, rows, columns);
}

function rowOf(item: PlanItem, madeAtMs: number): readonly string[] {
  const { exportTaskId, at, ageMs, rows, batchTaskId = "", action } = item;
  return [
    exportTaskId,
    batchTaskId,
    at === undefined ? "" : whenInWords(Date.parse(at) - madeAtMs),
    ageMs === undefined ? "" : formatDuration(ageMs),
    rows === undefined ? "" : String(rows),
    ACTION_WORDS[action],
    reasonOf(item),
  ];
}

function whenInWords(inMs: number): string {
  return inMs < 1_000 ? "at once" : `in ${formatDuration(inMs)}`;
}

function reasonOf({ action, reason }: PlanItem): string {
  switch (reason) {
    case undefined:
      return action === "delete" ? "archived before" : "";
    case "unknown-status":
      return "its status is unknown to this program";
    default:
      return reasonInWords(reason);
  }
}

function totalsLine({ items, totals: { actions } }: Plan): string {
  const each = Object.entries(ACTION_WORDS).flatMap(([action, words]) => {
    const n = actions[action as PlanAction] ?? 0;
    return n === 0 ? [] : [`${n} ${words}`];
  });
  return each.length === 0
    ? "The platform holds no export."
    : `${count(items.length, "export")}: ${each.join("; ")}`;
}

function downloadsLine({ totals: { downloads, floorMs, durationMs }, downloadIntervalMs }: Plan): string {
  return downloads === 0
    ? "Downloads: none"
    : `Downloads: ${downloads}, one each ${formatDuration(downloadIntervalMs)}${floorMs === 0 ? "" : `, so at least ${formatDuration(floorMs)}`}; the last step comes ${whenInWords(durationMs)}`;
}

/** The export without a copy that goes first when no run comes. */
function lossLine({ items }: Plan): Line | undefined {
  const inDanger = items.filter(({ lostAfterCreates }) => lostAfterCreates !== undefined);
  const [first] = inDanger.sort((a, b) => (a.lostAfterCreates ?? 0) - (b.lostAfterCreates ?? 0));
  return (
    first &&
    `Lost first without a run: ${first.exportTaskId}, by the ${ordinal(first.lostAfterCreates ?? 0)} export made from now on`
  );
}

function ordinal(n: number): string {
  const isTeen = n % 100 >= 11 && n % 100 <= 13;
  const ending = isTeen ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${ending}`;
}
