import { parentPort, workerData } from "node:worker_threads";
import * as v from "valibot";
import { shareSchema, storiesOf, storySuiteSchema } from "./story-suites.ts";
import { playAll, type SuiteResult } from "./suite.ts";

const PROGRESS_EVERY_MS = 200;

const taskSchema = v.object({ suite: storySuiteSchema, share: shareSchema });

/** What a worker is started with. */
export type WorkerTask = v.InferOutput<typeof taskSchema>;

/** What a worker posts: how far it has come. The last one is the whole result. */
export interface WorkerReport {
  readonly isLast: boolean;
  readonly result: SuiteResult;
}

const { suite, share } = v.parse(taskSchema, workerData);
// No code reads the stacks of the errors that are made here by the million.
Error.stackTraceLimit = 0;
let isStopped = false;
let toldAtMs = 0;
const tell = (report: WorkerReport) => parentPort?.postMessage(report);
parentPort?.once("message", () => {
  isStopped = true;
});
const result = await playAll(storiesOf(suite, share), {
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
