import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { WorkerReport, WorkerTask } from "./simulate-worker.ts";
import type { StorySuite } from "./story-suites.ts";
import { NOTHING_PLAYED, type SuiteResult, sumOf } from "./suite.ts";

/** Nearly all that a story makes is garbage when it is over: with room for it, a thread is 5 % quicker. */
const YOUNG_GENERATION_MB = 192;

export interface PoolOptions {
  /** Threads to play on. */
  readonly jobs: number;
  /** Ends it early; the result then holds what was played. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (soFar: SuiteResult) => void;
}

/**
 * Plays a suite on several threads, each its share.
 * @throws what a thread dies of.
 */
export async function playOnThreads(suite: StorySuite, options: PoolOptions): Promise<SuiteResult> {
  const { jobs, signal, onProgress } = options;
  const results: SuiteResult[] = [];
  const sum = () => results.reduce(sumOf, NOTHING_PLAYED);
  const threads = Array.from({ length: jobs }, async (_, index) => {
    const task: WorkerTask = { suite, share: { index, of: jobs } };
    const worker = new Worker(new URL("simulate-worker.ts", import.meta.url), {
      workerData: task,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    const stop = () => worker.postMessage("stop");
    signal?.addEventListener("abort", stop, { once: true });
    let isComplete = false;
    worker.on("message", ({ isLast, result }: WorkerReport) => {
      isComplete = isLast;
      results[index] = result;
      onProgress?.(sum());
    });
    try {
      await once(worker, "exit");
    } finally {
      signal?.removeEventListener("abort", stop);
    }
    if (!isComplete) {
      throw new Error(`thread ${index} ended before it had told its whole result`);
    }
  });
  await Promise.all(threads);
  return sum();
}
