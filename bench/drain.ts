import { DatabaseSync } from "node:sqlite";
import type { TaskSpecInput } from "../sandbox/start.ts";
import { epochMs } from "./epoch.ts";
import { median } from "./statistics.ts";
import { atWorkplace } from "./workplace.ts";

const TASKS = 50;
const FILLER_BYTES = 100 * 1024;
const LOOK_EVERY_MS = 5;

/** What a drain of 50 tasks took. */
export interface DrainFigures {
  readonly tasks: number;
  readonly intervalMs: number;
  /** How long the platform is made to take over each file, in intervals; 0: as fast as it can. */
  readonly slowness: number;
  /** From the arrival of the first download request to the last acknowledgement. */
  readonly drainMs: number;
  /** From the arrival of the last download request to the last acknowledgement. */
  readonly lastTaskMs: number;
  /** (N−1) × interval + the last task: the bound without its 2 %. */
  readonly floorMs: number;
  /** Of a task, from its download request to the answer to its delete. */
  readonly medianTaskMs: number;
  /** The shortest and longest time between two download starts. */
  readonly closestStartsMs: number;
  readonly farthestStartsMs: number;
  /** Intervals that passed without a start. */
  readonly missedSlots: number;
  readonly throttled: number;
}

/**
 * Drains 50 finished exports with one archiver process. Start and spacing are taken from the sandbox's request
 * log, the end from the queue file, where the last message goes with its acknowledgement (seen within 5 ms).
 */
export async function measureDrain(intervalMs: number, slowness = 0): Promise<DrainFigures> {
  return await atWorkplace(
    { downloadIntervalMs: intervalMs },
    async ({ sandbox, queueFile, runArchiver }) => {
      await sandbox.control.addTasks(Array.from({ length: TASKS }, (_, index) => finishedTask(index)));
      if (slowness > 0) {
        const bytesPerSecond = FILLER_BYTES / ((slowness * intervalMs) / 1000);
        const fault = { kind: "slow-drip", bytesPerSecond } as const;
        await sandbox.control.scriptFaults({ operation: "showExportTask", times: TASKS, fault });
      }
      const queue = new QueueWatch(queueFile);
      try {
        const { report } = await runArchiver();
        if (report.counts.archived !== TASKS || report.counts.deleted !== TASKS) {
          throw new Error(`not all ${TASKS} tasks were archived and deleted: ${JSON.stringify(report)}`);
        }
        const requests = await sandbox.control.requests();
        const downloads = requests.filter(({ operation }) => operation === "showExportTask");
        const starts = downloads.map(({ atMs }) => atMs).sort((a, b) => a - b);
        const spacings = starts.slice(1).map((startMs, index) => startMs - (starts[index] ?? Number.NaN));
        const taskTimes = downloads.map(({ exportTaskId, atMs }) => {
          const deletes = requests.filter(
            (one) => one.operation === "deleteExportTask" && one.exportTaskId === exportTaskId,
          );
          return (deletes.at(-1)?.endedAtMs ?? Number.NaN) - atMs;
        });
        const endedAtMs = queue.emptiedAtMs();
        const lastTaskMs = endedAtMs - (starts.at(-1) ?? Number.NaN);
        return {
          tasks: TASKS,
          intervalMs,
          slowness,
          drainMs: endedAtMs - (starts[0] ?? Number.NaN),
          lastTaskMs,
          floorMs: (TASKS - 1) * intervalMs + lastTaskMs,
          medianTaskMs: median(taskTimes),
          closestStartsMs: Math.min(...spacings),
          farthestStartsMs: Math.max(...spacings),
          missedSlots: spacings.reduce((sum, spacingMs) => sum + Math.round(spacingMs / intervalMs) - 1, 0),
          throttled: report.counts.throttled,
        };
      } finally {
        queue.close();
      }
    },
  );
}

function finishedTask(index: number): TaskSpecInput {
  const number = String(index + 1).padStart(2, "0");
  return {
    exportTaskId: `drain-${number}`,
    // Each its own condition: siblings would wait for each other.
    condition: { task_id: `batch-${number}` },
    createTime: `2026-11-21T00:${number}:00.000Z`,
    fillerBytes: FILLER_BYTES,
  };
}

/** Looks at the queue file from outside, without a lock, and notes when its last message is gone. */
class QueueWatch {
  readonly #file: string;
  readonly #looking: NodeJS.Timeout;
  #database: DatabaseSync | undefined;
  #messages = 0;
  #changedAtMs: number | undefined;

  constructor(file: string) {
    this.#file = file;
    this.#looking = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  /** Epoch milliseconds. @throws Error when messages are left. */
  emptiedAtMs(): number {
    if (this.#messages !== 0 || this.#changedAtMs === undefined) {
      throw new Error(`the queue was not seen to drain: ${this.#messages} messages are left`);
    }
    return this.#changedAtMs;
  }

  close(): void {
    clearInterval(this.#looking);
    this.#database?.close();
  }

  #look(): void {
    const messages = this.#count();
    if (messages !== undefined && messages !== this.#messages) {
      this.#messages = messages;
      this.#changedAtMs = epochMs();
    }
  }

  /** `undefined` while the archiver has not made the queue yet. */
  #count(): number | undefined {
    try {
      this.#database ??= new DatabaseSync(this.#file, { readOnly: true });
      return Number(this.#database.prepare("SELECT count(*) AS n FROM messages").get()?.n);
    } catch (error) {
      if (this.#changedAtMs !== undefined) {
        throw error;
      }
      return undefined;
    }
  }
}
