import { type Slot, SlotLost } from "../pacing/pacer.ts";
import type { ExportDownload } from "../ports/platform.ts";
import type { Attempt } from "./attempt.ts";
import { runTimeLeftMs, taskLimitMs, timeUntilGraceMs } from "./task-time.ts";

/**
 * Waits for a slot and asks the platform for the file in it. The task's own time limit rests while the task waits
 * and starts anew at the slot; the end of the run still counts, for a store that stalls.
 * @returns `no-slot` when none comes before too little of the run is left.
 */
export async function askForFile(attempt: Attempt): Promise<ExportDownload | "no-slot"> {
  const { run, exportTaskId, limit } = attempt;
  const { platform, clock, observe } = run.ports;
  const call = { signal: limit.signal };
  await attempt.turn.wait(clock, limit.signal);
  // Slots are handed out in the order in which they are asked for.
  attempt.turn.pass();
  for (let line: Pick<Slot, "take"> = run.pacer; ; ) {
    const deadlineMs = run.pacer.nowMs() + runTimeLeftMs(run) - run.settings.minTaskMs;
    limit.arm(timeUntilGraceMs(run));
    const slot = await line.take(deadlineMs, call, {
      onWaiting: (startsAtMs) => observe({ kind: "slot-awaited", exportTaskId, startsAtMs }),
    });
    if (slot === "none") {
      return "no-slot";
    }
    limit.arm(taskLimitMs(run, attempt.message));
    try {
      const beforeRequest = () => slot.ready(call);
      const download = await platform.showExportTask(exportTaskId, { ...call, beforeRequest });
      slot.release();
      run.pacer.noteServed();
      return download;
    } catch (error) {
      if (!(error instanceof SlotLost)) {
        slot.release();
        throw error;
      }
      // The younger task behind this one waits on, or it would get the slot of the older export.
      line = slot;
    }
  }
}
