import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { RequestLogEntry, TaskSpecInput } from "../sandbox/start.ts";
import { measurePeers, type TransferFigures } from "./peers.ts";
import { median } from "./statistics.ts";
import type { MemorySample, WatchedProcess } from "./watched-process.ts";
import { type ArchiverRun, atWorkplace, type Workplace } from "./workplace.ts";

/** Short, so that two exports are under way at once; the pace is not what is measured here. */
const INTERVAL_MS = 100;

const run = promisify(execFile);

/** Exports archived by one process, and its memory. */
export interface MemoryFigures {
  readonly exports: number;
  readonly sizeBytes: number;
  /** Resident when the first download request arrived at the sandbox. */
  readonly idleBytes: number;
  readonly peakBytes: number;
  /** The median of what was resident while the download ran. */
  readonly typicalBytes: number;
  readonly transfer: TransferFigures;
}

/** A run that finds nothing to do. */
export interface IdleFigures {
  readonly peakBytes: number;
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** What a run with an empty platform and an empty queue uses. */
export async function measureIdle(): Promise<IdleFigures> {
  return await atWorkplace({ downloadIntervalMs: INTERVAL_MS }, async ({ runArchiver }) => {
    const { peakResidentBytes, cpuMs, wallMs } = (await runArchiver()).process;
    return { peakBytes: peakResidentBytes, cpuMs, wallMs };
  });
}

/** Archives `exports` files of about `fillerBytes` each at the same time, in one process. */
export async function measureMemory(exports: 1 | 2, fillerBytes: number): Promise<MemoryFigures> {
  return await withExports(exports, fillerBytes, measureArchiver);
}

/** The same for one export, after plain programs have fetched it from the same sandbox. */
export async function measureBesidePeers(
  fillerBytes: number,
): Promise<{ readonly archiver: MemoryFigures; readonly peers: readonly TransferFigures[] }> {
  return await withExports(1, fillerBytes, async (workplace, tasks) => {
    const [task] = tasks;
    if (task === undefined) {
      throw new Error("the sandbox took no task");
    }
    const peers = await measurePeers(workplace, task.exportTaskId, task.sizeBytes, INTERVAL_MS);
    await settleDisk();
    return { peers, archiver: await measureArchiver(workplace, tasks) };
  });
}

interface SizedTask {
  readonly exportTaskId: string;
  readonly sizeBytes: number;
}

async function withExports<T>(
  exports: number,
  fillerBytes: number,
  work: (workplace: Workplace, tasks: readonly SizedTask[]) => Promise<T>,
): Promise<T> {
  return await atWorkplace({ downloadIntervalMs: INTERVAL_MS }, async (workplace) => {
    const specs = Array.from({ length: exports }, (_, index): TaskSpecInput => {
      return {
        exportTaskId: `export-${index + 1}`,
        condition: { task_id: `batch-${index + 1}` },
        fillerBytes,
      };
    });
    const tasks = await workplace.sandbox.control.addTasks(specs);
    await settleDisk();
    return await work(workplace, tasks);
  });
}

/** What was written before is on the disk before anything is measured. */
async function settleDisk(): Promise<void> {
  await run("sync");
}

async function measureArchiver(workplace: Workplace, tasks: readonly SizedTask[]): Promise<MemoryFigures> {
  const before = (await workplace.sandbox.control.requests()).length;
  const { report, process } = await workplace.runArchiver();
  const sizeBytes = tasks.reduce((sum, task) => sum + task.sizeBytes, 0);
  assertArchived(report, tasks.length, sizeBytes);
  const requests = await workplace.sandbox.control.requests(before);
  const downloads = requests.filter(({ operation }) => operation === "showExportTask");
  const deletes = requests.filter(({ operation }) => operation === "deleteExportTask");
  const startedAtMs = Math.min(...downloads.map(({ atMs }) => atMs));
  const downloadedAtMs = Math.max(...downloads.map(endOf));
  const provedAtMs = Math.max(...deletes.map(({ atMs }) => atMs));
  const { cpuMs } = process;
  return {
    exports: tasks.length,
    sizeBytes,
    ...memoryAround(process, startedAtMs, downloadedAtMs),
    transfer: {
      name: "archiver, until the delete is asked for",
      sizeBytes,
      cpuMs,
      wallMs: provedAtMs - startedAtMs,
    },
  };
}

function assertArchived(report: ArchiverRun["report"], exports: number, sizeBytes: number): void {
  const { archived, deleted } = report.counts;
  if (archived !== exports || deleted !== exports || report.bytes !== sizeBytes) {
    throw new Error(`not all ${exports} exports were archived and deleted: ${JSON.stringify(report)}`);
  }
}

function endOf(entry: RequestLogEntry): number {
  return entry.endedAtMs ?? Number.NaN;
}

function memoryAround(
  { samples, peakResidentBytes }: WatchedProcess,
  startedAtMs: number,
  endedAtMs: number,
): Pick<MemoryFigures, "idleBytes" | "peakBytes" | "typicalBytes"> {
  const before = samples.filter(({ atEpochMs }) => atEpochMs < startedAtMs);
  const during = samples.filter(({ atEpochMs }) => atEpochMs >= startedAtMs && atEpochMs <= endedAtMs);
  return {
    idleBytes: before.at(-1)?.residentBytes ?? Number.NaN,
    peakBytes: peakResidentBytes,
    typicalBytes: medianResident(during),
  };
}

function medianResident(samples: readonly MemorySample[]): number {
  return median(samples.map(({ residentBytes }) => residentBytes));
}
