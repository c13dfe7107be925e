import { describeFailure } from "../domain/errors.ts";
import type { RunReport } from "../records/run-report.ts";
import { TimeLimit } from "../run/deadline.ts";
import { placesHeld, slotsIn } from "../run/platform-list.ts";
import { type RunStart, startRun } from "../run/run-frame.ts";
import { timeUntilGraceMs } from "./deadlines.ts";
import type { ArchivePorts } from "./events.ts";
import type { Permission } from "./permission.ts";
import { type PreflightResult, preflight } from "./run.ts";
import { type RunEnding, summarize } from "./run-summary.ts";
import type { ArchiveSettings } from "./settings.ts";
import { WorkerLoop } from "./worker-loop.ts";

export interface DrainOptions {
  /** Aborted to end the run early and cleanly: an operator's interrupt. */
  readonly signal: AbortSignal;
  /** How long the run may take, settling and report included; without it there is no limit. */
  readonly limitMs?: number;
  /** Waits for delayed messages that become due within this; default 0: a long poll that finds nothing ends the run. */
  readonly waitForDueMs?: number;
  /** Work to be done once the preflight has passed, before the first message: `run` discovers here. */
  readonly prepare?: (signal: AbortSignal) => Promise<void>;
  /** `pressure`: does nothing unless enough places are held to put exports in danger of eviction. */
  readonly when?: "always" | "pressure";
  /** What the run may do at most, such as a plan. */
  readonly permission?: Permission;
}

/**
 * One archive run: preflight, then task after task until the queue is drained or the time is up, then the
 * report (architecture §4, §6.4). A system failure is returned in the report, not thrown.
 */
export async function drain(
  ports: ArchivePorts,
  settings: ArchiveSettings,
  options: DrainOptions,
): Promise<RunReport> {
  const start = startRun(ports, options.limitMs);
  const ending: RunEnding =
    start.limitAtMs - start.startedMonotonicMs < settings.minTaskMs
      ? { stopReason: "time-budget", tasks: [] }
      : await runUntilEnd(ports, settings, options, start);
  return await summarize(ports, settings.scope, start, ending);
}

async function runUntilEnd(
  ports: ArchivePorts,
  settings: ArchiveSettings,
  options: DrainOptions,
  start: RunStart,
): Promise<RunEnding> {
  const { runId, limitAtMs } = start;
  const limit = new TimeLimit(ports.clock, options.signal);
  limit.arm(timeUntilGraceMs({ ports, limitAtMs }));
  let ready: PreflightResult;
  try {
    ready = await preflight(ports, settings, runId, limit.signal);
    ports.observe({
      kind: "run-started",
      runId,
      pacing: ready.abilities.compareAndSwap ? "shared" : "unshared",
      ...slotsIn(ready.list),
      deletion: settings.deletion,
    });
    await options.prepare?.(limit.signal);
  } catch (error) {
    if (options.signal.aborted) {
      return { stopReason: "aborted", tasks: [] };
    }
    return limit.signal.aborted
      ? { stopReason: "time-budget", tasks: [] }
      : { stopReason: "system-failure", tasks: [], failure: describeFailure(error) };
  } finally {
    limit.close();
  }
  const held = placesHeld(ready.list);
  if (options.when === "pressure" && held < settings.pressure) {
    return { stopReason: "no-pressure", tasks: [], ready };
  }
  const loop = new WorkerLoop(ports, settings, ready, {
    ...start,
    waitForDueMs: options.waitForDueMs ?? 0,
    signal: options.signal,
    permission: options.permission,
  });
  return { ...(await loop.drain()), ready, run: loop.run };
}
