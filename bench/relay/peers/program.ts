import { setTimeout as delay } from "node:timers/promises";
import * as v from "valibot";
import { type Job, type JobTimes, jobSchema } from "../job.ts";

/**
 * The frame of every peer written in Node: reads the job, prints the times, and exits with 0 only for a success.
 */
export async function runPeer(work: (job: Job, signal: AbortSignal) => Promise<JobTimes>): Promise<void> {
  const job = v.parse(v.pipe(v.string(), v.parseJson(), jobSchema), process.argv[2]);
  const ending = new AbortController();
  const timer =
    job.abortAfterMs === undefined
      ? undefined
      : setTimeout(() => ending.abort(new Error("told to stop")), job.abortAfterMs);
  try {
    const times = await work(job, ending.signal);
    process.stdout.write(`${JSON.stringify(times)}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}\n`);
    await delay(job.lingerMs);
    process.exit(1);
  } finally {
    clearTimeout(timer);
  }
}
