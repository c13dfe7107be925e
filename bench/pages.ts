import type { DrainFigures } from "./drain.ts";
import { table } from "./markdown.ts";
import type { IdleFigures, MemoryFigures } from "./memory.ts";
import type { TransferFigures } from "./peers.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const MEMORY_TARGET = "at most 64 MiB above idle, for 1 GiB";
const DRAIN_TARGET = "at most 1.02";

/** The section on memory: flat, whatever the size of the file. */
export function memoryPage(idle: IdleFigures, figures: readonly MemoryFigures[]): string {
  const rows = figures.map(({ exports, sizeBytes, idleBytes, typicalBytes, peakBytes }) => [
    exports === 1 ? mib(sizeBytes) : `${exports} × ${mib(sizeBytes / exports)} at once`,
    mib(idleBytes),
    mib(typicalBytes),
    mib(peakBytes),
    mib(peakBytes - idleBytes),
  ]);
  return [
    "## Memory of `iotda-archiver run`, `file://` store",
    "",
    `Target: ${MEMORY_TARGET}.`,
    "",
    table(["export", "idle", "typical", "peak", "peak above idle"], rows),
    "",
    "Idle is `VmRSS` of the same process when its first download request reaches the platform, typical the median while",
    "it downloads, peak the kernel's `VmHWM` over the whole life of the process, read-back included.",
    `A run with nothing to do peaks at ${mib(idle.peakBytes)}, and takes ${seconds(idle.wallMs)} and ${seconds(idle.cpuMs)} of CPU.`,
  ].join("\n");
}

/** The section on speed. */
export function speedPage(archiver: TransferFigures, peers: readonly TransferFigures[]): string {
  const rows = [...peers, archiver].map(({ name, sizeBytes, wallMs, cpuMs }) => [
    name,
    seconds(wallMs),
    `${(sizeBytes / MIB / (wallMs / 1000)).toFixed(0)} MiB/s`,
    `${(cpuMs / 1000 / (sizeBytes / GIB)).toFixed(1)} s/GiB`,
  ]);
  return [
    "## Speed with one export of 1 GiB",
    "",
    "No target: the platform lets one file through per 30 s. The plain programs are the floor beside it.",
    "",
    table(["", "time", "speed", "CPU"], rows),
    "",
    "All fetch the same export from the same sandbox, one after the other; it shares the machine and hashes what it",
    "sends. The archiver also checks the ZIP, flushes, reads the file back, lists, and writes the record. CPU is that of",
    "the whole process, its start included.",
  ].join("\n");
}

/** The section on the drain of 50 tasks. */
export function drainPage(figures: readonly DrainFigures[]): string {
  const rows = figures.map((one) => [
    `${one.intervalMs} ms${one.slowness === 0 ? "" : `, each file takes ${one.slowness} intervals`}`,
    seconds(one.drainMs, 3),
    seconds(one.floorMs, 3),
    (one.drainMs / one.floorMs).toFixed(4),
    `${one.medianTaskMs.toFixed(0)} ms`,
    `${one.lastTaskMs.toFixed(0)} ms`,
    `${one.closestStartsMs.toFixed(0)}–${one.farthestStartsMs.toFixed(0)} ms`,
    String(one.missedSlots),
    String(one.throttled),
  ]);
  const tasks = figures[0]?.tasks ?? 0;
  return [
    `## Drain of ${tasks} tasks, one process`,
    "",
    `Target: drain / ((N−1) × interval + last task) ${DRAIN_TARGET}; no two starts closer than 30/31 of the interval.`,
    "",
    table(
      [
        "interval",
        "drain",
        "(N−1) × interval + last",
        "ratio",
        "median task",
        "last task",
        "starts apart",
        "missed slots",
        "throttled",
      ],
      rows,
    ),
    "",
    "Drain: from the arrival of the first download request at the sandbox to the last acknowledgement, seen in the queue",
    "file within 5 ms. Last task: from the arrival of its download request to the same end. Median task: from its download",
    "request to the answer to its delete. The first row is the one to judge; the others are for information. A slot counts",
    "as missed where the next start is an interval later than it could be: it costs one interval, 2 % of this drain.",
  ].join("\n");
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(bytes % MIB < MIB / 100 ? 0 : 1)} MiB`;
}

function seconds(ms: number, digits = 1): string {
  return `${(ms / 1000).toFixed(digits)} s`;
}
