import { type DrainOptions, drain } from "../archive/archive-run.ts";
import { type ArchiveSettings, RUN_WAITS_FOR_DUE_MS } from "../archive/settings.ts";
import { sweep } from "../catalogue/sweep.ts";
import { type DiscoverRunReport, discoverAndRequest } from "../config/discover-and-request.ts";
import { ConfigurationError } from "../config/errors.ts";
import { systemClock } from "../config/system.ts";
import { discover } from "../discovery/discover.ts";
import { compact } from "../domain/compact.ts";
import { isIdentityFailure } from "../identity/errors.ts";
import { readMarker } from "../identity/marker.ts";
import type { WorkPlan } from "../plan/plan.ts";
import { notAttempted, PlannedWork } from "../plan/planned-work.ts";
import type { QueueDepth } from "../ports/task-queue.ts";
import type { RunReport } from "../records/run-report.ts";
import { endOfRun, withHeartbeat } from "../report/heartbeat.ts";
import { makeRequest } from "../requests/request-ledger.ts";
import { freshList } from "../run/platform-list.ts";
import { formatDuration } from "./format.ts";
import { showingInventory } from "./inventory.ts";
import { lines, type Result } from "./output.ts";
import { readPlanFile, requirePlannedArchive } from "./plan-file.ts";
import { EXIT, exitCodeOf } from "./process.ts";
import { requestLines } from "./request-lines.ts";
import {
  discoveredLine,
  discoverLines,
  leftLines,
  notAttemptedLines,
  runLines,
  sweepLines,
} from "./run-lines.ts";
import { type CommonOptions, type Session, withInventory, withSession } from "./session.ts";

const DEPTH_LIMIT_MS = 10_000;
const MINUTE_MS = 60_000;

interface ArchiveOptions extends CommonOptions {
  /** The run ends on its own before this many minutes are over. */
  readonly maxMinutes?: number;
  /** Do nothing unless eviction threatens: ARCHIVER_PRESSURE export slots are used. */
  readonly underPressure?: true;
}

interface RunOptions extends ArchiveOptions {
  /** The file of a plan: the run does at most what it says. */
  readonly plan?: string;
}

/** `run`: discovers, archives until nothing is queued or due within 15 minutes, and says what is left. */
export async function runCommand(options: RunOptions): Promise<Result> {
  const { report, left } = await withSession(options, "work", async (session) => {
    let discovered: DiscoverRunReport | undefined;
    const { ports, settings } = session.archiver;
    const plan = options.plan === undefined ? undefined : await planFor(session, options.plan);
    const drainOptions: DrainOptions = {
      signal: session.signal,
      ...limitOf(options, settings),
      waitForDueMs: RUN_WAITS_FOR_DUE_MS,
      ...(plan === undefined ? {} : { permission: new PlannedWork(plan) }),
      prepare: async (signal) => {
        discovered = await (plan === undefined
          ? discoverAndRequest(session.archiver, signal)
          : // An export that is made for a request may destroy another one, and no plan says so.
            discover(ports, settings, signal));
        session.view.say(discoveredLine(discovered));
        const { downloadIntervalMs } = settings;
        session.view.expect({ exportTaskIds: expectedTasks(discovered), downloadIntervalMs });
      },
    };
    const told = {
      starts: true,
      endOf: (ended: RunReport) => endOfRun(ended, discovered?.requests?.failure),
    };
    const ended = await withHeartbeat(session.pinging, told, () => drain(ports, settings, drainOptions));
    await session.news.ofRun(ended);
    const planned = plan && { madeAt: plan.madeAt, notAttempted: notAttempted(plan, ended) };
    return {
      report: { ...ended, ...compact({ discovered, plan: planned }) },
      left: await depthOf(session, ended),
    };
  });
  const shown = lines(
    await runLines(report),
    report.plan && notAttemptedLines(report.plan.notAttempted),
    requestLines(report.discovered ?? {}, report.tasks),
    left && leftLines(left, systemClock.wallMs()),
  );
  return { document: { ...report, left }, lines: shown, exitCode: exitCodeOf(report) };
}

/** The exports that have a message: a new one, or one of a discover run before. */
function expectedTasks({ enqueued, skipped }: DiscoverRunReport): readonly string[] {
  const before = skipped.filter(({ reason }) => reason === "enqueued-recently");
  return [...enqueued, ...before.map(({ exportTaskId }) => exportTaskId)];
}

/** @throws ConfigurationError for a plan that is not for this run, and what opening the archive throws. */
async function planFor({ archiver, signal }: Session, file: string): Promise<WorkPlan> {
  const { ports, settings } = archiver;
  const plan = await readPlanFile(file, { scope: settings.scope, nowMs: ports.clock.wallMs() });
  requirePlannedArchive(file, plan, (await readMarker(ports.store, { signal }))?.archiveId);
  return plan;
}

/** What is left in the queue; not worth failing a finished run for. */
async function depthOf(
  { archiver, view }: Session,
  { failure }: Pick<RunReport, "failure">,
): Promise<QueueDepth | undefined> {
  if (isIdentityFailure(failure)) {
    // The queue would answer with the same failure once more.
    return undefined;
  }
  try {
    return await archiver.ports.queue.depth({ signal: AbortSignal.timeout(DEPTH_LIMIT_MS) });
  } catch {
    view.say('The queue did not say what is left in it. Run "iotda-archiver status" to ask again.');
    return undefined;
  }
}

/** `archive`: one archive run; a queue that is empty now ends it. */
export async function archiveCommand(options: ArchiveOptions): Promise<Result> {
  const report = await withSession(options, "work", async ({ archiver, pinging, news, signal }) => {
    const drainOptions: DrainOptions = {
      signal,
      ...limitOf(options, archiver.settings),
      when: options.underPressure ? "pressure" : "always",
    };
    const ended = await withHeartbeat(pinging, { starts: true, endOf: endOfRun }, () =>
      drain(archiver.ports, archiver.settings, drainOptions),
    );
    await news.ofRun(ended);
    return ended;
  });
  return { document: report, lines: await runLines(report), exitCode: exitCodeOf(report) };
}

/**
 * The run limit that `--max-minutes` asks for.
 *
 * @throws ConfigurationError when no task could start within it: the run would end at once, and well.
 */
export function limitOf(
  { maxMinutes }: Pick<ArchiveOptions, "maxMinutes">,
  { minTaskMs, downloadIntervalMs }: Pick<ArchiveSettings, "minTaskMs" | "downloadIntervalMs">,
): { limitMs?: number } {
  if (maxMinutes === undefined) {
    return {};
  }
  const leastMinutes = Math.ceil((minTaskMs + downloadIntervalMs) / MINUTE_MS);
  if (maxMinutes < leastMinutes) {
    throw new ConfigurationError([
      {
        name: `--max-minutes ${maxMinutes}`,
        problem: `is too short: a task waits up to ${formatDuration(downloadIntervalMs)} for its download slot and then needs ${formatDuration(minTaskMs)} (ARCHIVER_MIN_TASK_MS)`,
        fix: `Set it to ${leastMinutes} or more.`,
      },
    ]);
  }
  return { limitMs: maxMinutes * MINUTE_MS };
}

/** `discover`: enqueues every finished export that still needs work. */
export async function discoverCommand(options: CommonOptions): Promise<Result> {
  const report = await withSession(options, "work", async ({ archiver, signal }) => {
    // The archive first: a place without an archive causes no call to the platform.
    await archiver.ports.store.preflight({ signal });
    return await discoverAndRequest(archiver, signal);
  });
  const exitCode = report.requests?.failure === undefined ? EXIT.done : EXIT.failed;
  return { document: report, lines: discoverLines(report), exitCode };
}

/**
 * `request`: asks by hand for an export of a batch task as it is now; the next discover run creates it.
 *
 * "Now" is the platform's time: where this machine's clock is behind, an export made before the request would else pass
 * for one made after it. This machine's clock counts only where the platform tells no time.
 */
export async function requestCommand(batchTaskId: string, options: CommonOptions): Promise<Result> {
  const requested = await withSession(options, "use", async ({ archiver: { ports, settings }, signal }) => {
    const { platformDateMs } = await freshList(ports, settings, signal);
    const statusAtMs = platformDateMs ?? ports.clock.wallMs();
    const wanted = { batchTaskId, statusAtMs, source: "cli" as const };
    return await makeRequest(ports, settings.scope, wanted, { signal });
  });
  const line =
    requested === "new"
      ? `Requested an export of ${batchTaskId}; the next discover run creates it.`
      : `An export of ${batchTaskId} was already requested within the same second.`;
  return { document: { batchTaskId, requested }, lines: [line], exitCode: EXIT.done };
}

interface SweepCommandOptions extends CommonOptions {
  readonly removeOrphans?: true;
}

/** `sweep`: an inventory that reads no copy; it ends old uploads, and lists the orphans or removes them when asked to. */
export async function sweepCommand(options: SweepCommandOptions): Promise<Result> {
  const removeOrphans = options.removeOrphans === true;
  const report = await showingInventory((observe) =>
    withInventory(options, observe, async ({ ports, settings, signal }) => {
      // A place without an archive is an error of its own.
      await ports.store.preflight({ signal });
      return await sweep(ports, settings, { signal, removeOrphans });
    }),
  );
  const exitCode = report.failure === undefined ? EXIT.done : EXIT.failed;
  return { document: report, lines: sweepLines(report), exitCode };
}
