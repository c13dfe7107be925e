import { parentPort, workerData } from "node:worker_threads";
import * as v from "valibot";
import { randomStory } from "./random-story.ts";
import type { Story } from "./story.ts";
import { playAll, type SuiteResult } from "./suite.ts";

const PROGRESS_EVERY_MS = 200;

const shareSchema = v.object({
  firstSeed: v.number(),
  seeds: v.number(),
  step: v.number(),
  runners: v.number(),
});

/** The seeds of one worker: `firstSeed`, and every `step`-th after it. */
export type SeedShare = v.InferOutput<typeof shareSchema>;

/** What a worker posts: how far it has come. The last one is the whole result. */
export interface WorkerReport {
  readonly isLast: boolean;
  readonly result: SuiteResult;
}

function* stories({ firstSeed, seeds, step, runners }: SeedShare): Generator<Story> {
  for (let index = 0; index < seeds; index += 1) {
    yield randomStory(firstSeed + index * step, runners);
  }
}

const share = v.parse(shareSchema, workerData);
// Nobody reads the stacks of the errors that are made here by the million.
Error.stackTraceLimit = 0;
let isStopped = false;
let toldAtMs = 0;
const tell = (report: WorkerReport) => parentPort?.postMessage(report);
parentPort?.once("message", () => {
  isStopped = true;
});
const result = await playAll(stories(share), {
  isStopped: () => isStopped,
  onStory: (soFar) => {
    if (performance.now() - toldAtMs > PROGRESS_EVERY_MS) {
      toldAtMs = performance.now();
      tell({ isLast: false, result: soFar });
    }
  },
});
tell({ isLast: true, result });
// An open port would keep this thread alive.
parentPort?.close();
