import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import { afterAll, describe, expect, type TestContext, test, vi } from "vitest";
import { SeededRandom } from "../world/seeded-random.ts";
import {
  type AuditedLab,
  expectArchivedOnce,
  expectFailedOneLettered,
  expectPaceKept,
} from "./archive-audit.ts";
import type { Ended, Running } from "./command-line.ts";
import { runReportSchema } from "./documents.ts";
import { drawMoments, halfDoneCount, type Moment, requestsOf } from "./kills-moments.ts";
import { finishedExports } from "./lab.ts";

// `npm run verify:full` sets KILLS=200; without it the suites stay quick.
const KILLS = Number(process.env.KILLS ?? 20);
/** A folder and a bucket, each with one runner and with two. */
const SCENES = 4;
const MOST_KILLS_OF_A_NIGHT = 12;
const FIRST_EXPORTS = 3;
const NIGHT_LIMIT_MS = 180_000;
const VISIBILITY_MS = 1_500;
/** Far more than what is postponed for ten intervals of a second takes. */
const LONGEST_DELAY_MS = 60_000;
/** 3: the failed export is dead-lettered in this very run. */
const CLEAN_EXIT_CODES = [0, 3];

/** A platform, store and queue, and processes of the built command line that work on them. */
export interface KillLab extends AuditedLab {
  readonly queue: AuditedLab["queue"] & {
    /** The messages whose delay is not over, of a queue that does not tell programs when it will be. */
    delayedUnseen?(): readonly unknown[];
  };
  start(...args: readonly string[]): Running;
}

export interface KillSuiteOptions {
  /** Names the store and the queue. */
  readonly name: string;
  readonly intervalMs: number;
  /** What bodies look like: slow, so that there is a middle to kill in. */
  readonly bytesPerSecond: number;
  readonly fillerBytesOf: (exportNumber: number) => number;
  readonly open: (context: TestContext, settings: Readonly<Record<string, string>>) => Promise<KillLab>;
}

/** What the kills of a suite did, for all its nights together. */
class KillCounts {
  alone = 0;
  besideAnother = 0;
  downloadsCut = 0;
  leftUnfinished = 0;
  leftHalfDone = 0;

  toString(): string {
    return (
      `${this.alone + this.besideAnother} kills, ${this.besideAnother} of them with two runners at once; ` +
      `they cut ${this.downloadsCut} downloads and left ${this.leftUnfinished} times an unfinished file or upload, ` +
      `${this.leftHalfDone} times a copy whose task was not finished`
    );
  }
}

/** Kills the process again and again; afterwards one clean run must leave everything as if it had never happened. */
export function describeKills(options: KillSuiteOptions): void {
  const nightCount = Math.ceil(KILLS / SCENES / MOST_KILLS_OF_A_NIGHT);
  const kills = Math.ceil(KILLS / SCENES / nightCount);
  const nights = Array.from({ length: nightCount }, (_, index) => index + 1);
  const counts = new KillCounts();

  describe.concurrent(`killed (SIGKILL) at random moments, on ${options.name}`, () => {
    for (const runners of [1, 2] as const) {
      test.for(nights)(
        `${kills} kills of ${runners} runner(s) at once, night %i: one more run finishes the job, with nothing lost, doubled or left open`,
        { timeout: NIGHT_LIMIT_MS },
        async (night, context) => {
          const random = new SeededRandom(20_261_122).fork(`${options.name} ${runners} ${night}`);
          const lab = await options.open(context, { ARCHIVER_VISIBILITY_MS: String(VISIBILITY_MS) });
          await killNight(lab, options, { random, runners, kills, counts });
        },
      );
    }
    afterAll(() => {
      console.log(`${options.name}: ${counts}`);
    });
  });
}

interface Night {
  readonly random: SeededRandom;
  readonly runners: 1 | 2;
  readonly kills: number;
  readonly counts: KillCounts;
}

async function killNight(lab: KillLab, options: KillSuiteOptions, night: Night): Promise<void> {
  const exports = new ExportFeed(lab, options);
  await exports.open();
  await killRunners(lab, exports, night);

  await untilNoneIsDelayedUnseen(lab);
  // A run does not wait for what a killed one has in flight: the last one begins when that is visible again.
  await sleep(2 * VISIBILITY_MS);
  expectCleanEnd(await lab.start("run", "--json").ended);
  // Of two runners, one may lose the race for a record: its copy is an orphan, for `sweep` (architecture §4, step 6).
  await expectArchivedOnce(lab, exports.count, { mayHaveOrphan: () => night.runners === 2 });
  await expectPaceKept(lab, options.intervalMs);
  await expectFailedOneLettered(lab);
  expect((await lab.control.state()).tasks.map(({ exportTaskId }) => exportTaskId).sort()).toEqual([
    "failed-one",
    "unfinished-one",
  ]);
}

/** Keeps this many runners at work, kills one or all of them at each moment, and lets the last ones end. */
async function killRunners(lab: KillLab, exports: ExportFeed, night: Night): Promise<void> {
  const { random, runners, kills, counts } = night;
  let moments: readonly Moment[] = [];
  let working: readonly Running[] = [];
  let killed = 0;
  // A run may end before its moment comes: no kill.
  for (let tries = 0; killed < kills && tries < 3 * kills; tries += 1) {
    working = working.filter((running) => !running.isOver);
    while (working.length < runners) {
      await exports.addOne();
      working = [...working, lab.start("run", "--json")];
    }
    const [victim, ...others] = random.shuffled(working);
    const [moment, ...later] = moments.length > 0 ? moments : drawMoments(random);
    moments = later;
    if (victim === undefined || moment === undefined || !(await moment(victim, lab))) {
      continue;
    }
    killed += await kill(random.fraction() < 1 / 3 ? [victim, ...others] : [victim]);
    counts.leftUnfinished += (await lab.store.unfinished()).length > 0 ? 1 : 0;
    counts.leftHalfDone += (await halfDoneCount(lab)) > 0 ? 1 : 0;
  }
  counts[runners === 1 ? "alone" : "besideAnother"] += killed;
  counts.downloadsCut += (await requestsOf(lab, "showExportTask", "aborted")).length;
  expect(killed, "processes killed before they ended").toBeGreaterThanOrEqual(kills);
  for (const survivor of working.filter((running) => !running.isOver)) {
    const { exitCode, stderr } = await survivor.ended;
    expect(CLEAN_EXIT_CODES, stderr).toContain(exitCode);
  }
}

/** @returns how many of them died of it: one may have ended just before. */
async function kill(targets: readonly Running[]): Promise<number> {
  for (const target of targets) {
    target.kill("SIGKILL");
  }
  const ended = await Promise.all(targets.map((target) => target.ended));
  return ended.filter(({ signal }) => signal === "SIGKILL").length;
}

/**
 * SQS does not tell until when a message is delayed, so a run waits for those only that it postponed itself:
 * one that a killed process postponed is left to a later run, unless the last one begins when it is due.
 */
async function untilNoneIsDelayedUnseen({ queue }: KillLab): Promise<void> {
  await vi.waitFor(() => expect(queue.delayedUnseen?.() ?? []).toEqual([]), {
    timeout: LONGEST_DELAY_MS,
    interval: 100,
  });
}

function expectCleanEnd({ exitCode, stdout, stderr }: Ended): void {
  expect(CLEAN_EXIT_CODES, stderr).toContain(exitCode);
  const report = v.parse(runReportSchema, JSON.parse(stdout));
  expect(report).toMatchObject({ stopReason: "drained", left: { ready: 0, delayed: 0, inFlight: 0 } });
}

/** Puts exports on the platform, so that there always is one to be killed at. */
class ExportFeed {
  count = 0;
  readonly #lab: KillLab;
  readonly #options: KillSuiteOptions;

  constructor(lab: KillLab, options: KillSuiteOptions) {
    this.#lab = lab;
    this.#options = options;
  }

  /** A few finished exports, a failed and an unfinished one; every body comes slowly. */
  async open(): Promise<void> {
    const { bytesPerSecond } = this.#options;
    await this.#lab.control.scriptFaults({
      operation: "showExportTask",
      times: 10_000,
      fault: { kind: "slow-drip", bytesPerSecond },
    });
    await this.#lab.control.addTasks([
      { exportTaskId: "failed-one", condition: { task_id: "failed" }, status: "Failed" },
      { exportTaskId: "unfinished-one", condition: { task_id: "unfinished" }, status: "Processing" },
    ]);
    while (this.count < FIRST_EXPORTS) {
      await this.addOne();
    }
  }

  async addOne(): Promise<void> {
    this.count += 1;
    const fillerBytes = this.#options.fillerBytesOf(this.count);
    await this.#lab.control.addTasks(finishedExports(this.count, { fillerBytes }).slice(-1));
  }
}
