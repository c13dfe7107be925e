import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { SeedShare, WorkerReport } from "./simulate-worker.ts";
import { NOTHING_PLAYED, type SuiteResult, sumOf } from "./suite.ts";

export interface SeedRange {
  readonly firstSeed: number;
  readonly seeds: number;
  readonly runners: number;
  readonly jobs: number;
}

/**
 * Plays a range of seeds on several threads.
 * @param signal ends it early; the result then holds what was played.
 * @throws what a thread dies of.
 */
export async function playSeeds(
  range: SeedRange,
  signal: AbortSignal,
  onProgress: (soFar: SuiteResult) => void,
): Promise<SuiteResult> {
  const results: SuiteResult[] = [];
  const sum = () => results.reduce(sumOf, NOTHING_PLAYED);
  const threads = Array.from({ length: Math.min(range.jobs, range.seeds) }, async (_, index) => {
    const worker = new Worker(new URL("simulate-worker.ts", import.meta.url), {
      workerData: shareOf(range, index),
    });
    const stop = () => worker.postMessage("stop");
    signal.addEventListener("abort", stop, { once: true });
    worker.on("message", ({ result }: WorkerReport) => {
      results[index] = result;
      onProgress(sum());
    });
    try {
      await once(worker, "exit");
    } finally {
      signal.removeEventListener("abort", stop);
    }
  });
  await Promise.all(threads);
  return sum();
}

function shareOf({ firstSeed, seeds, runners, jobs }: SeedRange, index: number): SeedShare {
  const step = Math.min(jobs, seeds);
  return { firstSeed: firstSeed + index, seeds: Math.ceil((seeds - index) / step), step, runners };
}
