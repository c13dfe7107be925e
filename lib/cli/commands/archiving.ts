import { drain } from "../../archive/archive-run.ts";
import type { ArchiveSettings } from "../../archive/settings.ts";
import { type DiscoverRunReport, discoverAndRequest } from "../../config/discover-and-request.ts";
import { ConfigurationError } from "../../config/errors.ts";
import { systemClock } from "../../config/system.ts";
import { isIdentityFailure } from "../../identity/errors.ts";
import { sweep } from "../../maintenance/sweep.ts";
import type { QueueDepth } from "../../ports/task-queue.ts";
import { Records } from "../../records/records.ts";
import type { RunReport } from "../../records/run-report.ts";
import { makeRequest } from "../../requests/request-ledger.ts";
import { freshList } from "../../run/platform-list.ts";
import { EXIT, type ExitCode, exitCodeOf } from "../exit-codes.ts";
import { formatDuration } from "../format.ts";
import type { Output } from "../output.ts";
import { requestLines } from "../request-lines.ts";
import { withArchive } from "../retention-session.ts";
import { type CommonOptions, type Session, withSession } from "../session.ts";
import { discoveredLine, discoverLines, leftLines, runLines, sweepLines } from "../summaries.ts";

/** Delayed messages that become due within this are waited for (architecture §6.4). */
const WAIT_FOR_DUE_MS = 15 * 60_000;
const DEPTH_LIMIT_MS = 10_000;

/** `run`: discovers, archives until nothing is queued or due within 15 minutes, and says what is left. */
export async function runCommand(options: ArchiveOptions, output: Output): Promise<ExitCode> {
  const { report, left } = await withSession(options, "work", async (session) => {
    let discovered: DiscoverRunReport | undefined;
    const { ports, settings } = session.archiver;
    const ended = await drain(ports, settings, {
      signal: session.signal,
      ...limitOf(options, settings),
      waitForDueMs: WAIT_FOR_DUE_MS,
      prepare: async (signal) => {
        discovered = await discoverAndRequest(session.archiver, signal);
        session.view.say(discoveredLine(discovered));
      },
    });
    return { report: { ...ended, discovered }, left: await depthOf(session, ended) };
  });
  const lines = [
    ...runLines(report),
    ...requestLines(report.discovered ?? {}, report.tasks),
    ...(left === undefined ? [] : leftLines(left, systemClock.wallMs())),
  ];
  output.show({ ...report, left }, lines);
  return exitCodeOf(report);
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
    view.say("What is left in the queue could not be found out; `iotda-archiver status` asks again.");
    return undefined;
  }
}

interface ArchiveOptions extends CommonOptions {
  /** The run ends on its own before this many minutes are over. */
  readonly maxMinutes?: number;
  /** Do nothing unless so many export slots are used that eviction threatens. */
  readonly underPressure?: boolean;
}

const MINUTE_MS = 60_000;

/** `archive`: one archive run; a queue that is empty now ends it. */
export async function archiveCommand(options: ArchiveOptions, output: Output): Promise<ExitCode> {
  const report = await withSession(options, "work", ({ archiver, signal }) =>
    drain(archiver.ports, archiver.settings, {
      signal,
      ...limitOf(options, archiver.settings),
      when: options.underPressure ? "pressure" : "always",
    }),
  );
  output.show(report, runLines(report));
  return exitCodeOf(report);
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
        problem: `leaves no time to start a task: it waits up to ${formatDuration(downloadIntervalMs)} for its slot, and ${formatDuration(minTaskMs)} must remain then (ARCHIVER_MIN_TASK_MS)`,
        fix: `Give it ${leastMinutes} or more.`,
      },
    ]);
  }
  return { limitMs: maxMinutes * MINUTE_MS };
}

/** `discover`: enqueues every finished export that still needs work. */
export async function discoverCommand(options: CommonOptions, output: Output): Promise<ExitCode> {
  const report = await withSession(options, "work", async ({ archiver, signal }) => {
    // The archive first: nothing is asked of the platform on behalf of a place that is none.
    await archiver.ports.store.preflight({ signal });
    return await discoverAndRequest(archiver, signal);
  });
  output.show(report, discoverLines(report));
  return report.requests?.failure === undefined ? EXIT.done : EXIT.failed;
}

/**
 * `request`: asks by hand for an export of a batch task as it is now; the next discover run creates it.
 *
 * "Now" is the platform's: an export that was made before the request must not pass for one made after it because
 * this machine's clock is behind. Its own clock counts only where the platform tells no time.
 */
export async function requestCommand(
  batchTaskId: string,
  options: CommonOptions,
  output: Output,
): Promise<ExitCode> {
  const requested = await withSession(options, "use", async ({ archiver: { ports, settings }, signal }) => {
    const { platformDateMs } = await freshList(ports, settings, signal);
    const statusAtMs = platformDateMs ?? ports.clock.wallMs();
    const wanted = { batchTaskId, statusAtMs, source: "cli" as const };
    return await makeRequest(ports, settings.scope, wanted, { signal });
  });
  output.show({ batchTaskId, requested }, [
    requested === "new"
      ? `Requested an export of ${batchTaskId}; the next discover creates it.`
      : `An export of ${batchTaskId} was requested in this very second already.`,
  ]);
  return EXIT.done;
}

export interface SweepCommandOptions extends CommonOptions {
  readonly removeOrphans?: boolean;
}

/** `sweep`: aborts old uploads, lists copies that lost a race, and removes those when asked to. */
export async function sweepCommand(options: SweepCommandOptions, output: Output): Promise<ExitCode> {
  const removeOrphans = options.removeOrphans === true;
  const report = await withArchive(options, async ({ store, scope, signal }) => {
    const records = new Records(store, scope, await store.preflight({ signal }));
    return await sweep(store, records, scope, { signal, removeOrphans });
  });
  output.show(report, sweepLines(report));
  return EXIT.done;
}
