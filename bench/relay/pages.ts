import { table } from "../markdown.ts";
import { type BatteryRow, HANG_LIMIT_MS, LINGER_MS } from "./battery.ts";
import type { JobTimes } from "./job.ts";
import type { PipelineFigures } from "./memory.ts";
import { BARE, LIB_STORAGE, OURS, OURS_GENERIC, RCLONE } from "./peers.ts";
import type { RaceFigures } from "./races.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** A file streamed from source to store: speed beside our writer's, CPU, memory. */
export function relayPage(title: string, figures: readonly RaceFigures[]): string {
  const ours = figureOf(figures, OURS);
  const rows = figures.map((one) => [
    one.peer,
    seconds(one.workMs),
    seconds(Math.min(...one.roundsMs)),
    `${(bytesOf(one) / MIB / (one.workMs / 1000)).toFixed(0)} MiB/s`,
    (one.workMs / ours.workMs).toFixed(2),
    (Math.min(...one.roundsMs) / Math.min(...ours.roundsMs)).toFixed(2),
    `${(one.cpuMs / 1000 / (bytesOf(one) / GIB)).toFixed(1)} s/GiB`,
    mib(one.peakResidentBytes),
  ]);
  const head = ["", "median", "best", "speed", "time / ours", "best / ours' best", "CPU", "peak RSS"];
  return [`## ${title}`, "", table(head, rows), "", proofLine(ours)].join("\n");
}

/** What the figures of the relay mean. */
export function relayNotes(rounds: number, readBack: JobTimes, readBackBytes: number): string {
  return [
    `Medians of ${rounds} rounds; in each, every program runs once, each round beginning with another. All fetch from one HTTP source and write to`,
    "the same S3 stand-in, which checks every signature and digest, takes an MD5 of every body and a CRC32 where one is",
    "sent, and gives large bodies up once they are hashed. Source, store and program share the cores, so the store's hashing",
    "is in every time; CPU is the program's alone. Time and CPU are those of whole processes, their start included: one",
    "process for all files of a Node program, one per file of the others. Ours: body check, SHA-256, a digest per part,",
    "5 MiB × 3 buffers. lib-storage: defaults (CRC32 per part; over plain HTTP the SDK also signs a SHA-256 of it).",
    "`curl | curl` sends one PUT without a digest and proves nothing: the floor.",
    "",
    `Profile \`generic\` proves a copy by reading it back: ${seconds(readBack.proofMs)} for ${mib(readBackBytes)} from a stand-in that keeps it on disk, beside`,
    `${seconds(readBack.workMs)} to send it there; not counted above.`,
  ].join("\n");
}

/** Small bodies, fetched before the clock runs: what storing one costs beside the SDK's own request. */
export function itemPage(title: string, figures: readonly RaceFigures[]): string {
  const bare = figureOf(figures, BARE);
  const rows = figures.map((one) => [
    one.peer,
    `${(one.workMs / one.items).toFixed(2)} ms`,
    `${(Math.min(...one.roundsMs) / one.items).toFixed(2)} ms`,
    (one.workMs / bare.workMs).toFixed(2),
    (Math.min(...one.roundsMs) / Math.min(...bare.roundsMs)).toFixed(2),
    one.proofMs < 1 ? "–" : `${(one.proofMs / one.items).toFixed(2)} ms`,
    `${(one.cpuMs / one.items).toFixed(2)} ms`,
    mib(one.peakResidentBytes),
  ]);
  const head = ["", "per item", "best round", "/ bare", "best / best bare", "proof", "CPU", "peak RSS"];
  return [
    `## ${title}`,
    "",
    "Target: ours at most 1.1 × the bare loop.",
    "",
    table(head, rows),
    "",
    "Per item: from bytes in memory to the store's answer. Proof: HEAD and its CRC32 compared, one more request. CPU: of the",
    "whole process, fetching and start included.",
  ].join("\n");
}

/** The whole archiver, one export of each size. */
export function pipelinePage(figures: readonly PipelineFigures[]): string {
  const [base] = figures;
  const rows = figures.map(({ sizeBytes, peakResidentBytes, cpuMs, wallMs, openUploads }) => [
    mib(sizeBytes),
    mib(peakResidentBytes),
    base === undefined ? "–" : (peakResidentBytes / base.peakResidentBytes).toFixed(3),
    `${(cpuMs / 1000 / (sizeBytes / GIB)).toFixed(1)} s/GiB`,
    seconds(wallMs),
    String(openUploads),
  ]);
  return [
    "## Memory of `iotda-archiver run`, `s3://` store, profile `aws`",
    "",
    "Target: at most 160 MiB, within 15 % of the first row.",
    "",
    table(["export", "peak RSS", "/ first", "CPU", "run", "uploads left open"], rows),
    "",
    "One run of the built command line per export, from its start to its end: list, download, body check, upload, HEAD,",
    "records, delete. Peak: the kernel's `VmHWM` of the whole process. Default part pool.",
  ].join("\n");
}

/** What was said and what was stored. */
export function batteryPage(rows: readonly BatteryRow[]): string {
  const peers = [...(rows[0]?.verdicts.keys() ?? [])];
  const cells = rows.map(({ name, verdicts }) => [
    name,
    ...peers.map((peer) => {
      const verdict = verdicts.get(peer);
      return verdict === undefined ? "–" : verdict.isRight ? verdict.text : `**${verdict.text}**`;
    }),
  ]);
  return [
    "## Bodies that end early",
    "",
    'Right: an error, nothing stored, nothing left open. **Bold** is wrong. "success" is exit code 0 of the last command.',
    "",
    table(["case", ...peers], cells),
    "",
    `Hangs: not ended after ${seconds(HANG_LIMIT_MS)}. After a reported failure of the abort case the program lived on for ${seconds(LINGER_MS)}, then the`,
    "store was looked at. Streams for rclone are pipes into `rcat --size`. –: the program has no such way in.",
  ].join("\n");
}

/** One line per comparison that has a target. */
export function targetLines(
  relay: readonly RaceFigures[],
  items: readonly RaceFigures[],
  memory: readonly PipelineFigures[],
): string {
  const ours = figureOf(relay, OURS);
  const rivals = relay.filter(({ peer }) => peer === LIB_STORAGE || peer === RCLONE);
  const peaks = memory.map(({ peakResidentBytes }) => peakResidentBytes);
  const itemRatio = figureOf(items, OURS).workMs / figureOf(items, BARE).workMs;
  return [
    "## Targets",
    "",
    ...rivals.map(
      (rival) =>
        `- ${verdictOf(ours.workMs < rival.workMs)}: 1 GiB in ${seconds(ours.workMs)}, ${rival.peer} ${seconds(rival.workMs)} (medians; best rounds ${seconds(Math.min(...ours.roundsMs))} and ${seconds(Math.min(...rival.roundsMs))})`,
    ),
    `- ${verdictOf(itemRatio <= 1.1)}: 10 KiB items at ${itemRatio.toFixed(2)} × the bare loop (at most 1.1)`,
    `- ${verdictOf(Math.max(...peaks) <= 160 * MIB)}: peak RSS of the whole archiver ${mib(Math.max(...peaks))} (at most 160 MiB)`,
    `- ${verdictOf(Math.max(...peaks) / Math.min(...peaks) <= 1.15)}: flat, largest / smallest peak ${(Math.max(...peaks) / Math.min(...peaks)).toFixed(3)} (at most 1.15)`,
  ].join("\n");
}

function verdictOf(isMet: boolean): string {
  return isMet ? "met" : "**missed**";
}

function proofLine({ proofMs, items }: RaceFigures): string {
  return `Proving our copies by HEAD (\`stored\`): ${(proofMs / items).toFixed(1)} ms each, not counted. \`${OURS_GENERIC}\`: see the read-back below.`;
}

function figureOf(figures: readonly RaceFigures[], peer: string): RaceFigures {
  const found = figures.find((one) => one.peer === peer);
  if (found === undefined) {
    throw new Error(`${peer} was not measured`);
  }
  return found;
}

function bytesOf({ sizeBytes, items }: RaceFigures): number {
  return sizeBytes * items;
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(bytes < 256 * MIB ? 1 : 0)} MiB`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}
