import { table } from "../markdown.ts";
import { median } from "../statistics.ts";
import type { FreshProcess } from "./fresh-process.ts";

const MIB = 1024 * 1024;

/** One bundle and the processes that imported it. */
export interface Measured {
  readonly name: string;
  readonly sizeBytes: number;
  readonly processes: readonly FreshProcess[];
}

/** Size and import of each bundle; the first one is what the others are compared with. */
export function importPage(measured: readonly Measured[], rounds: number): string {
  const importMsOf = ({ processes }: Measured) => median(processes.map(({ importMs }) => importMs));
  const bareMs = measured[0] === undefined ? Number.NaN : importMsOf(measured[0]);
  const rows = measured.map((bundle) => [
    bundle.name,
    `${bundle.sizeBytes.toLocaleString("en")} B`,
    `${importMsOf(bundle).toFixed(1)} ms`,
    (importMsOf(bundle) / bareMs).toFixed(2),
    mib(median(bundle.processes.map(({ importedBytes }) => importedBytes))),
  ]);
  return [
    "## Import",
    "",
    "Targets: at most 800 KB, imported in at most 1.25 × the time of the two clients alone.",
    "",
    table(["bundle", "minified", "import", "/ alone", "RSS after it"], rows),
    "",
    `Medians of ${rounds} fresh processes each, one of each bundle in turn.`,
  ].join("\n");
}

/** What calls of `archive` cost in a fresh process. */
export function callPage(processes: readonly FreshProcess[]): string {
  const archived = processes.every(({ calls }) => calls.at(-1)?.report.counts.archived === 1);
  const row = (name: string, index: number) => [
    name,
    `${median(processes.map(({ calls }) => calls[index]?.tookMs ?? Number.NaN)).toFixed(0)} ms`,
    mib(median(processes.map(({ calls }) => calls[index]?.residentBytes ?? Number.NaN))),
  ];
  const peak = Math.max(...processes.map(({ peakBytes }) => peakBytes));
  return [
    "## Calls of archive.mjs",
    "",
    "Target: RSS after one task of 10 KiB at most 110 MiB.",
    "",
    table(
      ["call", "took", "RSS after it"],
      [
        row("first: a pressure event below the mark", 0),
        row("second: the same, warm", 1),
        row(archived ? "third: one export of 10 KiB, archived and deleted" : "third: **not archived**", 2),
      ],
    ),
    "",
    `Medians of ${processes.length} fresh processes; the most that one ever had was ${mib(peak)}. Each call looks for the turn`,
    "of a second of the store's clock (up to 1 s); the third also polls an empty queue for 1 s.",
  ].join("\n");
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
