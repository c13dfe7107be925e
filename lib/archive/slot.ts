import { SlotLost } from "../pacing/pacer.ts";
import type { ExportDownload } from "../ports/platform.ts";
import { runTimeLeftMs, taskLimitMs, timeUntilGraceMs } from "./task-time.ts";
import type { Visit } from "./visit.ts";

/**
 * Waits for a slot and asks the platform for the file in it. The task's own time limit rests while the task waits
 * and starts anew at the slot; the end of the run still counts, for a store that stalls.
 * @returns `no-slot` when none comes before too little of the run is left.
 */
export async function askForFile(visit: Visit): Promise<ExportDownload | "no-slot"> {
  const { run, exportTaskId, limit } = visit;
  const { platform, clock, observe } = run.ports;
  const call = { signal: limit.signal };
  await visit.turn.wait(clock, limit.signal);
  // Slots are handed out in the order in which they are asked for.
  visit.turn.pass();
  for (;;) {
    const deadlineMs = run.pacer.nowMs() + runTimeLeftMs(run) - run.settings.minTaskMs;
    limit.arm(timeUntilGraceMs(run));
    const slot = await run.pacer.take(deadlineMs, call, {
      onWaiting: (startsAtMs) => observe({ kind: "slot-awaited", exportTaskId, startsAtMs }),
    });
    if (slot === "none") {
      return "no-slot";
    }
    limit.arm(taskLimitMs(run, visit.message));
    try {
      const beforeRequest = () => slot.ready(call);
      const download = await platform.showExportTask(exportTaskId, { ...call, beforeRequest });
      run.pacer.noteServed();
      return download;
    } catch (error) {
      if (!(error instanceof SlotLost)) {
        throw error;
      }
    } finally {
      slot.release();
    }
  }
}
