import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, type TestContext, test, vi } from "vitest";
import { drain } from "../../lib/archive/archive-run.ts";
import { readConfiguration } from "../../lib/config/configuration.ts";
import { wire } from "../../lib/config/wiring.ts";
import type { ObjectStore } from "../../lib/ports/object-store.ts";
import type { Platform } from "../../lib/ports/platform.ts";
import type { RunReport } from "../../lib/records/run-report.ts";
import { effortOf } from "../simulation/effort.ts";
import { expectArchivedOnce, expectSpaced } from "./archive-audit.ts";
import { type CloudLab, type CloudLabOptions, openCloudLab } from "./cloud-lab.ts";
import { finishedExports } from "./lab.ts";

// The runners are drains in this process, each with adapters, connections and clock reading of its own: eight
// processes on two cores are late for most slots of an interval this short (64 messages took 157 s). What a
// process adds, its death, is tested in cloud-kills.exhaustive.test.ts.

// `.ci/run` sets CLOUD_RUNNERS_MESSAGES=400; without it the suite stays quick.
const MESSAGES = Number(process.env.CLOUD_RUNNERS_MESSAGES ?? 16);
const MESSAGES_UNSHARED = effortOf(process.env).everyStore ? 16 : 8;
/** Eight runners in one process; a pace that is not kept misses by far more. */
const COLLECTOR_PAUSE_MS = 10;
const RUNNERS = 8;
/** One export of this many has its message twice. */
const DUPLICATE_EVERY = 10;
/** Places that the feeder fills, below the 50 at which the oldest export is lost. */
const PLACES = 40;
/** A slot is good for 1/62 of it. */
const INTERVAL_MS = 200;
const FEED_EVERY_MS = 200;
const LIMIT_MS = 600_000;

/** How many messages there are for this many exports, repetitions included. */
function messagesOf(exports: number): number {
  return exports + Math.floor(exports / DUPLICATE_EVERY);
}

function exportsOf(messages: number): number {
  let exports = messages;
  while (messagesOf(exports) > messages) {
    exports -= 1;
  }
  return exports;
}

/** The number in an id of {@link finishedExports} decides. */
function isSentTwice(exportTaskId: string): boolean {
  return Number(exportTaskId.split("-").at(-1)) % DUPLICATE_EVERY === 0;
}

/** Puts exports on the platform as places become free, and their messages into the queue, some twice. */
async function feed(lab: CloudLab, exports: number): Promise<void> {
  const tasks = finishedExports(exports).map((task) => ({
    ...task,
    createTime: "2026-11-21T01:00:00.000Z",
    fillerBytes: 2_000,
  }));
  let fed = 0;
  while (fed < exports) {
    const { tasks: held } = await lab.control.state();
    const next = tasks.slice(fed, fed + Math.max(0, PLACES - held.length));
    if (next.length > 0) {
      await lab.control.addTasks(next);
      fed += next.length;
      for (const { exportTaskId = "" } of next) {
        lab.queue.send(...(isSentTwice(exportTaskId) ? [exportTaskId, exportTaskId] : [exportTaskId]));
      }
    }
    await sleep(FEED_EVERY_MS);
  }
}

/** One machine: runs follow each other until there is nothing left to do. */
async function keepRunning(
  lab: CloudLab,
  isOver: () => boolean,
  onDownload: () => void,
): Promise<readonly RunReport[]> {
  const configuration = readConfiguration(lab.settings, new Set(["platform", "store", "queue"] as const));
  const reports: RunReport[] = [];
  while (!isOver()) {
    const archiver = await wire(configuration, () => undefined, { purpose: "work" });
    const platform = watched(archiver.ports.platform, onDownload);
    const { signal } = new AbortController();
    shareClock(archiver.ports.store);
    reports.push(await drain({ ...archiver.ports, platform }, archiver.settings, { signal }));
    await archiver.close();
  }
  return reports;
}

/** Tells the moment at which each download request is written, as promise I4 counts. */
function watched(platform: Platform, onDownload: () => void): Platform {
  return {
    listExportTasks: (options) => platform.listExportTasks(options),
    createExportTask: (request, options) => platform.createExportTask(request, options),
    deleteExportTask: (exportTaskId, options) => platform.deleteExportTask(exportTaskId, options),
    showExportTask: (exportTaskId, options) =>
      platform.showExportTask(exportTaskId, {
        ...options,
        beforeRequest: async () => {
          await options.beforeRequest?.();
          onDownload();
        },
      }),
  };
}

/**
 * S3 tells whole seconds, so that two runners' readings of its clock differ by some tens of milliseconds. The
 * real interval leaves 500 ms for that, and one of {@link INTERVAL_MS} 3 ms: here all get the same reading.
 */
function shareClock(store: ObjectStore): void {
  Object.assign(store, { readClockMs: async () => performance.timeOrigin + performance.now() });
}

interface Night {
  readonly lab: CloudLab;
  readonly exports: number;
  readonly reports: readonly RunReport[];
  /** When download requests were written. */
  readonly downloadsMs: readonly number[];
}

async function runNight(
  context: TestContext,
  messages: number,
  store: Pick<CloudLabOptions, "s3" | "storeProfile">,
): Promise<Night> {
  const lab = await openCloudLab(context, {
    intervalMs: INTERVAL_MS,
    longestPollSeconds: 2,
    apart: true,
    ...store,
  });
  for (const [name, value] of Object.entries(lab.awsKeys)) {
    vi.stubEnv(name, value);
  }
  context.onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const exports = exportsOf(messages);
  const downloadsMs: number[] = [];
  let isFed = false;
  const isOver = () => isFed && lab.queue.messages().length === 0;
  const runners = Array.from({ length: RUNNERS }, () =>
    keepRunning(lab, isOver, () => downloadsMs.push(performance.now())),
  );
  const feeding = feed(lab, exports).then(() => {
    isFed = true;
  });
  const [reports] = await Promise.all([Promise.all(runners), feeding]);
  return { lab, exports, reports: reports.flat(), downloadsMs };
}

function expectAllFinished({ reports, exports }: Night): void {
  expect(new Set(reports.map(({ failure }) => failure))).toEqual(new Set([undefined]));
  const total = (name: "received" | "deleted" | "deadLettered") =>
    reports.reduce((sum, { counts }) => sum + counts[name], 0);
  expect(total("received")).toBeGreaterThanOrEqual(messagesOf(exports));
  expect(total("deadLettered")).toBe(0);
}

describe(`${RUNNERS} runners on one queue and one bucket`, () => {
  test(
    `${MESSAGES} messages, some twice: each task recorded once, spacing held, nothing lost`,
    async (context) => {
      const night = await runNight(context, MESSAGES, {
        s3: { profile: "generic-rich" },
        storeProfile: "aws",
      });
      expectAllFinished(night);
      // Two runners may hold the two messages of one export at once: the record names one copy, and `sweep` finds the other.
      await expectArchivedOnce(night.lab, night.exports, { mayHaveOrphan: isSentTwice });
      // Seen where it is written, not where it arrives; only a pause of the collector may come between.
      expectSpaced(night.downloadsMs, (INTERVAL_MS * 30) / 31 - COLLECTOR_PAUSE_MS);
      expect(new Set(night.reports.map(({ pacing }) => pacing))).toEqual(new Set(["shared"]));
      expect(night.lab.queue.letters()).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    `${MESSAGES_UNSHARED} messages on a store without conditional writes: nothing lost`,
    async (context) => {
      const night = await runNight(context, MESSAGES_UNSHARED, {
        s3: { profile: "generic-poorest" },
        storeProfile: "generic",
      });
      expectAllFinished(night);
      // Two runners may both archive one export: the record names one copy, and `sweep` finds the other.
      await expectArchivedOnce(night.lab, night.exports, { mayHaveOrphan: () => true });
      expect(new Set(night.reports.map(({ pacing }) => pacing))).toEqual(new Set(["unshared"]));
      expect(night.lab.queue.letters()).toEqual([]);
    },
    LIMIT_MS,
  );
});
