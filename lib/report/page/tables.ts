import { formatBytes } from "../../domain/format-bytes.ts";
import { MAX_NIGHT_EXPORTS, type Night, type NightExport, type NightRun } from "../night.ts";
import type { Speech } from "../verdict-line.ts";
import { type Html, html, type Shown } from "./html.ts";
import { mark, STANDING_MARKS } from "./marks.ts";
import { grouped } from "./numbers.ts";

/** A table with at most this many rows stands open. */
const FEW_ROWS = 12;

const IS_SAFE: Readonly<Record<NightExport["standing"], boolean>> = {
  "given-up": false,
  waiting: false,
  retried: false,
  "archived-kept": true,
  "archived-deleted": true,
  deleted: true,
};

/** One column: its heading, the class of its cells, and what stands in them. */
interface Column<Row> {
  readonly head: string;
  readonly kind?: "num" | "time" | "state" | "id";
  readonly cell: (row: Row) => Shown;
  readonly isHeading?: boolean;
}

/** The exports of the night, those first that are not safe. */
export function exportsSection({ exports, counts }: Night, speech: Speech): Html {
  const { exports: words } = speech.texts.page;
  const unsafe = exports.filter(({ standing }) => !IS_SAFE[standing]);
  const rest = exports.filter(({ standing }) => IS_SAFE[standing]);
  const columns = exportColumns(speech);
  const all = Math.max(exports.length, counts.finished);
  return html`<section aria-labelledby="exports"><h2 id="exports">${words.title(all)}</h2>
    ${exports.length === 0 ? html`<p>${words.none}</p>` : undefined}
    ${unsafe.length === 0 ? undefined : table(words.unsafe(unsafe.length), columns, unsafe)}
    ${rest.length === 0 ? undefined : folded(words.rest(rest.length), table(undefined, columns, rest), rest.length)}
    ${exports.length < MAX_NIGHT_EXPORTS ? undefined : html`<p class="soft">${words.cut(exports.length)}</p>`}</section>`;
}

function exportColumns({ texts, moments, say }: Speech): readonly Column<NightExport>[] {
  const { exports: words } = texts.page;
  const time = (iso: string | undefined) => timeOf(iso, moments.brief);
  const state = ({ standing, reason }: NightExport) => {
    const { mark: name, tone } = STANDING_MARKS[standing];
    const why = reason === undefined ? undefined : html` <span class="soft">${say.reason(reason)}</span>`;
    return html`${mark(name, tone)} ${texts.standings[standing]}${why}`;
  };
  return [
    { head: words.id, kind: "id", cell: ({ exportTaskId }) => exportTaskId, isHeading: true },
    { head: words.state, kind: "state", cell: state },
    { head: words.batchTask, kind: "id", cell: ({ batchTaskId }) => batchTaskId },
    { head: words.rows, kind: "num", cell: ({ rows }) => (rows === undefined ? undefined : grouped(rows)) },
    {
      head: words.size,
      kind: "num",
      cell: ({ sizeBytes }) => (sizeBytes === undefined ? undefined : formatBytes(sizeBytes)),
    },
    { head: words.attempts, kind: "num", cell: ({ attempts }) => attempts },
    { head: words.made, kind: "time", cell: ({ createTime }) => time(createTime) },
    { head: words.archived, kind: "time", cell: ({ archivedAt }) => time(archivedAt) },
    { head: words.deleted, kind: "time", cell: ({ deletedAt }) => time(deletedAt) },
  ];
}

/** The runs of the night. */
export function runsSection({ runs }: Night, { texts, moments }: Speech): Html {
  const { runs: words } = texts.page;
  const stops: Readonly<Record<string, string>> = texts.stops;
  const how = ({ stopReason, failureCode }: NightRun) => {
    const stopped = Object.hasOwn(stops, stopReason) ? stops[stopReason] : stopReason;
    return html`${mark(failureCode === undefined ? "check" : "cross", failureCode === undefined ? "ok" : "act")} ${stopped}${
      failureCode === undefined ? undefined : html` <span class="soft">${failureCode}</span>`
    }`;
  };
  const columns: readonly Column<NightRun>[] = [
    {
      head: words.started,
      kind: "time",
      cell: ({ startedAt }) => timeOf(startedAt, moments.brief),
      isHeading: true,
    },
    { head: words.ended, kind: "time", cell: ({ endedAt }) => timeOf(endedAt, moments.brief) },
    { head: words.how, kind: "state", cell: how },
    { head: words.archived, kind: "num", cell: ({ archived }) => archived },
    { head: words.deleted, kind: "num", cell: ({ deleted }) => deleted },
    { head: words.id, kind: "id", cell: ({ runId }) => runId },
  ];
  return html`<section aria-labelledby="runs"><h2 id="runs">${words.title(runs.length)}</h2>${
    runs.length === 0
      ? html`<p>${words.none}</p>`
      : runs.length > FEW_ROWS
        ? folded(words.title(runs.length), table(undefined, columns, runs), runs.length)
        : table(undefined, columns, runs)
  }</section>`;
}

/** How the copies stand by the last inventory. */
export function verificationSection({ verification }: Night, { texts, moments }: Speech): Html {
  const { verification: words } = texts.page;
  if (verification === undefined) {
    return html`<section aria-labelledby="copies"><h2 id="copies">${words.title}</h2><p>${texts.copies.unknown}</p></section>`;
  }
  const { limitDays, isLimitKept, oldestUnreadDays, copies, coldCopies, readToday, damaged, at } =
    verification;
  return html`<section aria-labelledby="copies"><h2 id="copies">${words.title}</h2>${facts([
    [words.limit, `${words.days(limitDays)}${texts.comma}${isLimitKept ? words.kept : words.late}`],
    [words.oldest, words.days(Math.floor(oldestUnreadDays))],
    [words.copies, grouped(copies)],
    [words.cold, grouped(coldCopies)],
    [words.readToday, grouped(readToday)],
    [words.damaged, damaged],
    [words.inventory, timeOf(at, moments.full)],
  ])}</section>`;
}

/** What the night was made with. */
export function settingsSection(night: Night, { texts, moments }: Speech): Html {
  const { settings: words } = texts.page;
  const { deletion, projectId, instanceId, endpoint, timeZone, from, madeAt } = night;
  return html`<section aria-labelledby="settings"><h2 id="settings">${words.title}</h2>${facts([
    [words.deletion, words.deletions[deletion]],
    [words.project, html`<span class="id">${projectId}</span>`],
    [
      words.instance,
      instanceId === undefined ? words.defaultInstance : html`<span class="id">${instanceId}</span>`,
    ],
    [words.endpoint, endpoint],
    [words.timeZone, timeZone],
    [words.night, texts.window(moments.full(Date.parse(from)), moments.full(Date.parse(madeAt)))],
  ])}</section>`;
}

function facts(rows: readonly (readonly [string, Shown])[]): Html {
  return html`<dl class="facts card">${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** A column of which nothing is known is left out. */
function table<Row>(caption: string | undefined, all: readonly Column<Row>[], rows: readonly Row[]): Html {
  const columns = all.filter((column) => rows.some((row) => column.cell(row) !== undefined));
  const kindOf = ({ kind }: Column<Row>) => (kind === undefined ? undefined : html` class="${kind}"`);
  const cell = (column: Column<Row>, row: Row) => {
    const value = column.cell(row);
    // What is not known leaves nothing behind on a narrow screen.
    return column.isHeading === true
      ? html`<th scope="row"${kindOf(column)} data-l="${column.head}">${value}</th>`
      : html`<td${kindOf(column)} data-l="${column.head}">${value}</td>`;
  };
  return html`<div class="table"><table>${caption === undefined ? undefined : html`<caption>${caption}</caption>`}<thead><tr>${columns.map(
    (column) =>
      html`<th scope="col"${kindOf({ ...column, kind: column.kind === "num" ? "num" : "time" })}>${column.head}</th>`,
  )}</tr></thead><tbody>${rows.map(
    (row) => html`<tr>${columns.map((column) => cell(column, row))}</tr>`,
  )}</tbody></table></div>`;
}

function folded(title: string, content: Html, rows: number): Html {
  const open = rows <= FEW_ROWS ? html` open` : undefined;
  return html`<details${open}><summary>${title}</summary>${content}</details>`;
}

/** A moment for people and for programs. */
export function timeOf(iso: string | undefined, write: (epochMs: number) => string): Html | undefined {
  return iso === undefined ? undefined : html`<time datetime="${iso}">${write(Date.parse(iso))}</time>`;
}
