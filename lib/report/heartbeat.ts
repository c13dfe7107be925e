import { describeFailure, type Failure } from "../domain/errors.ts";
import { formatBytes } from "../domain/format-bytes.ts";
import type { Clock } from "../ports/clock.ts";
import type { Beat, Heartbeat } from "../ports/notifier.ts";
import type { RunReport } from "../records/run-report.ts";
import { withTimeLimit } from "../run/deadline.ts";

/** A ping takes no longer than this; a run with a time limit keeps as much of it for the last one. */
export const PING_LIMIT_MS = 10_000;

/** What pinging needs. */
export interface Pinging {
  /** `undefined` where no check is set: nothing happens then. */
  readonly heartbeat: Heartbeat | undefined;
  readonly clock: Pick<Clock, "sleep">;
  /** Ends a ping early. A run that it ended early is told of neither as success nor as failure. */
  readonly signal: AbortSignal;
  /** Takes known secrets out of what is sent. */
  readonly redact: (text: string) => string;
  /** Is told of a ping that was not taken. */
  readonly say: (message: string) => void;
}

/** How a run ended, for whoever watches the check. */
interface End {
  readonly beat: Exclude<Beat, "start">;
  readonly text: string;
}

/** When the check hears of a kind of run. */
interface Told<Result> {
  /** Whether it hears of the start. */
  readonly starts: boolean;
  /** `undefined` for a run that says nothing about the next one: the check waits on. */
  readonly endOf: (result: Result) => End | undefined;
}

/**
 * Does a run between two pings. Whatever becomes of them, the result is that of the run.
 *
 * The first ping is sent while the run works, and the last one when the run has ended: no receiver delays a task.
 *
 * @throws what the run throws.
 */
export async function withHeartbeat<Result>(
  pinging: Pinging,
  { starts, endOf }: Told<Result>,
  run: () => Promise<Result>,
): Promise<Result> {
  const begun = starts ? ping(pinging, "start", "") : Promise.resolve();
  const end = async (told: End | undefined) => {
    // A start that arrives after the end would look like a run that hangs.
    await begun;
    if (told !== undefined && !pinging.signal.aborted) {
      await ping(pinging, told.beat, told.text);
    }
  };
  let result: Result;
  try {
    result = await run();
  } catch (error) {
    await end(endOfFailure(describeFailure(error)));
    throw error;
  }
  await end(endOf(result));
  return result;
}

/** Never throws: a watchdog that does not listen must not stop what it watches. */
async function ping(
  { heartbeat, clock, signal, redact, say }: Pinging,
  beat: Beat,
  text: string,
): Promise<void> {
  if (heartbeat === undefined) {
    return;
  }
  try {
    await withTimeLimit(
      clock,
      PING_LIMIT_MS,
      (limited) => heartbeat.ping(beat, redact(text), { signal: limited }),
      signal,
      () => new DOMException("the time limit of a ping is over", "TimeoutError"),
    );
  } catch (error) {
    const why =
      error instanceof DOMException ? "the receiver did not answer in time" : describeFailure(error).message;
    say(`The heartbeat was not taken (${beat}): ${why}.`);
  }
}

/** How a failure of the system is told. */
function endOfFailure({ code, message, hint }: Failure): End {
  return { beat: "fail", text: `System failure ${code}: ${message}\n${hint}\n` };
}

/**
 * How an archive run is told: success only after a run that listed the platform, used the archive and settled every task
 * that it received. One that was interrupted, or whose time was over before that, is neither.
 *
 * @param failureBeside stopped a part of the run that its report does not have.
 */
export function endOfRun(report: RunReport, failureBeside?: Failure): End | undefined {
  const failure = report.failure ?? failureBeside;
  if (failure !== undefined) {
    return endOfFailure(failure);
  }
  switch (report.stopReason) {
    case "drained":
    case "no-pressure":
    case "time-budget":
      return report.platform.held === undefined ? undefined : { beat: "success", text: textOf(report) };
    case "aborted":
    case "system-failure":
      return undefined;
  }
}

/** How a discover run is told: only a failure. Its success would hide that no archive run follows. */
export function endOfDiscover({ failure }: { readonly failure?: Failure | undefined }): End | undefined {
  return failure && endOfFailure(failure);
}

function textOf({ runId, stopReason, counts, bytes, platform }: RunReport): string {
  const { archived, deleted, kept, retried, postponed, deadLettered } = counts;
  return [
    `${archived} archived (${formatBytes(bytes)}), ${deleted} deleted, ${kept} kept, ${deadLettered} given up`,
    `${retried} to be tried again, ${postponed} postponed`,
    `${platform.held ?? "?"} of ${platform.limit} export slots used`,
    `run ${runId}: ${stopReason}`,
    "",
  ].join("\n");
}
