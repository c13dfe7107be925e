import { ArchiverError } from "../domain/errors.ts";
import type { ExportDownload } from "../ports/platform.ts";
import { slotsGoStale } from "./errors.ts";
import type { Run } from "./run.ts";
import { runTimeLeftMs, taskLimitMs, timeUntilGraceMs } from "./task-time.ts";
import type { Visit } from "./visit.ts";

const MAX_STALE_SLOTS = 5;

/** Thrown while the request is about to be written, so that nothing is sent. */
class SlotIsStale extends ArchiverError {
  constructor() {
    super("slot-is-stale", "the download request could not be written in its slot", {
      scope: "task",
      retry: "now",
      hint: "A new slot is taken.",
    });
  }
}

/**
 * Waits for a slot and asks the platform for the file in it (design §4 step 3, §5). The task's own time
 * limit rests while it waits and starts anew at the slot; the end of the run still counts, for a store that stalls.
 * @returns `no-slot` when none comes before too little of the run is left.
 */
export async function askForFile(visit: Visit): Promise<ExportDownload | "no-slot"> {
  const { run, exportTaskId, limit } = visit;
  const { platform, clock, observe } = run.ports;
  await visit.turn.wait(clock, limit.signal);
  for (let attempt = 1; attempt <= MAX_STALE_SLOTS; attempt += 1) {
    const deadlineMs = run.pacer.nowMs() + runTimeLeftMs(run) - run.settings.minTaskMs;
    limit.arm(timeUntilGraceMs(run));
    const slot = await run.pacer.take(
      deadlineMs,
      { signal: limit.signal },
      {
        leadMs: connectLeadMs(run),
        onWaiting: (startsAtMs) => {
          visit.turn.pass();
          observe({ kind: "slot-awaited", exportTaskId, startsAtMs });
        },
      },
    );
    visit.turn.pass();
    if (slot === "none") {
      return "no-slot";
    }
    limit.arm(taskLimitMs(run, visit.message));
    const askedAtMs = clock.monotonicMs();
    try {
      const download = await platform.showExportTask(exportTaskId, {
        signal: limit.signal,
        beforeRequest: () => {
          run.connectMs = clock.monotonicMs() - askedAtMs;
          if (!slot.isFresh()) {
            throw new SlotIsStale();
          }
        },
      });
      run.pacer.noteServed();
      return download;
    } catch (error) {
      if (!(error instanceof SlotIsStale)) {
        throw error;
      }
    }
  }
  throw slotsGoStale();
}

/**
 * How much before its slot the next download is asked for, so that its connection stands in time: what the
 * last one took, aimed at the middle of the interval/62 in which a slot is fresh.
 */
function connectLeadMs(run: Run): number {
  return Math.max(0, run.connectMs - run.settings.downloadIntervalMs / 124);
}
