import type { ArchiveSettings } from "../../../../lib/archive/settings.ts";
import type { PlannedFault } from "../../../world/faults.ts";
import { platformError, throttledError } from "../../../world/port-errors.ts";
import type { Scene } from "../scene.ts";
import { HOUR_MS, MINUTE_MS, Stage } from "../stage.ts";

const FOREVER = Number.POSITIVE_INFINITY;
/** Patience that is over within a scene. */
const IMPATIENT = { maxAttempts: 3, giveUpAfterMs: HOUR_MS };
const RUNS_OF_OUTAGE = 24;

interface Outage {
  readonly name: string;
  readonly tasks: number;
  readonly fault: PlannedFault;
  readonly settings?: Partial<ArchiveSettings>;
  /** Tries are 15 minutes apart; this many fail. */
  readonly runs?: number;
}

/** Nothing can be downloaded for hours; then all is well, and every task has to be archived. */
function outage({ name, tasks, fault, settings = {}, runs = RUNS_OF_OUTAGE }: Outage): Scene {
  return {
    name,
    async play(seed) {
      const stage = new Stage({ seed }, settings);
      stage.tasks(tasks);
      stage.world.faults.plant({ ...fault, times: FOREVER });
      await stage.runOn(runs);
      stage.world.faults.clear();
      await stage.runOn(8);
      return stage;
    },
  };
}

/** One task fails for ever, whatever goes well beside it. */
function illTask(name: string, healthy: number): Scene {
  return {
    name,
    async play(seed) {
      const stage = new Stage({ seed }, IMPATIENT);
      const ill = stage.task("dead-letter:max-attempts");
      stage.tasks(healthy);
      stage.world.faults.plant({
        site: "platform.showExportTask",
        match: ({ subject }) => subject === ill,
        times: FOREVER,
        form: "not-done",
        error: platformError("platform-unavailable"),
      });
      await stage.runOn(24);
      return stage;
    },
  };
}

interface ForbiddenDeletes {
  readonly newPerRun: number;
  readonly runs: number;
  readonly waits: "between new exports and their run" | "after each run";
  readonly gapMs: number;
  readonly settings?: Partial<ArchiveSettings>;
}

/** Deletes are forbidden, while new exports come that can be archived all the same, before or after the old ones. */
function forbiddenDeletes({ newPerRun, runs, waits, gapMs, settings = {} }: ForbiddenDeletes): Scene {
  return {
    name: `deletes are forbidden, ${newPerRun} new exports a run; time passes ${waits}`,
    async play(seed) {
      const stage = new Stage({ seed }, settings);
      const error = platformError("platform-forbidden");
      stage.world.faults.plant({
        site: "platform.deleteExportTask",
        times: FOREVER,
        form: "not-done",
        error,
      });
      for (let run = 1; run <= runs; run += 1) {
        const ids = stage.tasks(newPerRun);
        await stage.wait(waits === "after each run" ? 0 : gapMs);
        await stage.run();
        for (const id of ids.filter((one) => stage.objects(one).length === 0)) {
          stage.note(`I3: ${id} was not archived in its run`);
        }
        await stage.wait(waits === "after each run" ? gapMs : 0);
      }
      stage.world.faults.clear();
      await stage.runOn(8);
      return stage;
    },
  };
}

/** Ill tasks and ill systems. */
export const FAILURE_SCENES: readonly Scene[] = [
  forbiddenDeletes({ newPerRun: 1, runs: 5, waits: "after each run", gapMs: 24 * HOUR_MS }),
  forbiddenDeletes({
    // The old ones come back after 15 minutes, while the run is busy with the new ones.
    newPerRun: 7,
    runs: 7,
    waits: "between new exports and their run",
    gapMs: 9 * MINUTE_MS,
    settings: IMPATIENT,
  }),
  outage({
    name: "a platform that throttles for hours",
    tasks: 1,
    settings: IMPATIENT,
    fault: { site: "platform.showExportTask", form: "not-done", error: throttledError("IOTDA.021101") },
  }),
  outage({
    name: "downloads are forbidden for hours",
    tasks: 3,
    settings: IMPATIENT,
    fault: { site: "platform.showExportTask", form: "not-done", error: platformError("platform-forbidden") },
  }),
  outage({
    name: "a proxy's page instead of every file",
    tasks: 4,
    runs: 4,
    fault: {
      site: "platform.body",
      form: "body",
      damage: { kind: "replace", bytes: Buffer.from("<this is a proxy speaking>") },
    },
  }),
  outage({
    name: "downloads fail for some hours",
    tasks: 1,
    fault: {
      site: "platform.showExportTask",
      form: "not-done",
      error: platformError("platform-unavailable"),
    },
  }),
  illTask("one ill task alone", 0),
  illTask("one ill task among others", 2),
];
