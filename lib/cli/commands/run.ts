import { drain } from "../../archive/archive-run.ts";
import { systemClock } from "../../config/system.ts";
import { type DiscoverReport, discover } from "../../discovery/discover.ts";
import { isIdentityFailure } from "../../identity/errors.ts";
import type { QueueDepth } from "../../ports/task-queue.ts";
import type { RunReport } from "../../records/run-report.ts";
import { type ExitCode, exitCodeOf } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import { requestLines } from "../request-lines.ts";
import { type Session, withSession } from "../session.ts";
import { discoveredLine, leftLines, runLines } from "../summaries.ts";
import { type ArchiveOptions, limitOf } from "./archive.ts";

/** Delayed messages that become due within this are waited for (architecture §6.4). */
const WAIT_FOR_DUE_MS = 15 * 60_000;
const DEPTH_LIMIT_MS = 10_000;

/** `run`: discovers, archives until nothing is queued or due within 15 minutes, and says what is left. */
export async function runCommand(options: ArchiveOptions, output: Output): Promise<ExitCode> {
  const { report, left } = await withSession(options, "work", async (session) => {
    let discovered: DiscoverReport | undefined;
    const { ports, settings } = session.archiver;
    const ended = await drain(ports, settings, {
      signal: session.signal,
      ...limitOf(options, settings),
      waitForDueMs: WAIT_FOR_DUE_MS,
      prepare: async (signal) => {
        discovered = await discover(ports, settings, signal);
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
