import { discoverAndRequest } from "../../lib/config/discover-and-request.ts";
import { withTimeLimit } from "../../lib/run/deadline.ts";
import { archiveRun, archiveStoreOf, portsOf, settingsOf } from "../world/archive-run.ts";
import type { Runner } from "../world/world.ts";
import type { Stage } from "./stage.ts";

const MINUTE_MS = 60_000;
/** A run as it is deployed: a timer every quarter of an hour, and a limit below it. */
export const RUN_EVERY_MS = 15 * MINUTE_MS;
export const RUN_LIMIT_MS = 14 * MINUTE_MS;
export const DISCOVER_EVERY_MS = 10 * MINUTE_MS;
const DISCOVER_LIMIT_MS = MINUTE_MS;
/** What a run that stood still past its end may still take to settle. */
const AFTER_STANDSTILL_MS = 2 * MINUTE_MS;
/** More than this and every run refuses to work: repaired with the other faults. */
const MAX_WORKING_SKEW_MS = 5 * MINUTE_MS;

/** Starts the processes of a story, each with a name of its own, and checks how each ends (I8). */
export class StoryRuns {
  readonly violations: string[] = [];
  /** What the runs told and returned, for the search for secrets. */
  readonly told: unknown[] = [];
  /** The runs that said at their end that all is well. */
  readonly endedWell = new Set<string>();
  runs = 0;
  readonly #stage: Stage;
  readonly #live = new Set<Promise<void>>();
  readonly #started = new Map<number, number>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  get areLive(): boolean {
    return this.#live.size > 0;
  }

  /** Resolves when no process works any more; those that died do not. */
  async settled(): Promise<void> {
    await Promise.all(this.#live);
  }

  /** One archive run of this runner. */
  startArchive(runnerIndex: number): void {
    const { story, world } = this.#stage;
    this.#start("r", runnerIndex, RUN_LIMIT_MS, (runner) =>
      archiveRun(world, runner, {
        limitMs: RUN_LIMIT_MS,
        settings: story.settings,
        observe: (event) => this.told.push(event),
        store: this.#storeOf(runner),
      }),
    );
  }

  /** One discover run. It may fail: the next one is due in ten minutes. */
  startDiscover(): void {
    const { world, story } = this.#stage;
    const settings = settingsOf(world, story.settings);
    this.#start("d", 0, DISCOVER_LIMIT_MS + 1, async (runner) => {
      try {
        return await withTimeLimit(runner.clock, DISCOVER_LIMIT_MS, (signal) =>
          discoverAndRequest({ ports: portsOf(runner, undefined, this.#storeOf(runner)), settings }, signal),
        );
      } catch (error) {
        return error instanceof Error ? "failed" : error;
      }
    });
  }

  #start(
    kind: "r" | "d",
    runnerIndex: number,
    limitMs: number,
    main: (runner: Runner) => Promise<unknown>,
  ): void {
    const { world } = this.#stage;
    const slot = kind === "d" ? -1 : runnerIndex;
    const number = (this.#started.get(slot) ?? 0) + 1;
    this.#started.set(slot, number);
    const place = this.#stage.faultsAreOn ? this.#stage.story.runners[runnerIndex]?.place : undefined;
    const runner = world.startRunner(`${kind}${runnerIndex}-${number}`, {
      skewMs: this.#skewMs(runnerIndex),
      ...(place === undefined ? {} : { place }),
    });
    if (kind === "r" && number === 1) {
      runner.process.planStandstills(this.#standstills(runnerIndex));
    }
    this.runs += 1;
    const startedMs = world.clock.monotonicMs();
    const running = runner.process
      .execute(() => main(runner))
      .then(
        (ending) => {
          if (ending.kind === "crashed") {
            this.#stage.died.push(runner.name);
            return;
          }
          this.told.push(ending.value);
          if (isGood(ending.value)) {
            this.endedWell.add(runner.name);
          }
          this.#checkEnd(runner, startedMs, limitMs);
        },
        (thrown: unknown) => {
          this.violations.push(`I8: the run ${runner.name} threw ${String(thrown)}`);
        },
      );
    const live = running.finally(() => this.#live.delete(live));
    this.#live.add(live);
  }

  #storeOf(runner: Runner) {
    return archiveStoreOf(this.#stage.world, runner, this.#stage.archive.identity);
  }

  #skewMs(runnerIndex: number): number {
    const skewMs = this.#stage.story.runners[runnerIndex]?.skewMs ?? 0;
    return this.#stage.faultsAreOn || Math.abs(skewMs) < MAX_WORKING_SKEW_MS ? skewMs : 0;
  }

  #standstills(runnerIndex: number): readonly { wakeUp: number; forMs: number }[] {
    return this.#stage.story.faults.flatMap((fault) =>
      fault.kind === "freeze" && fault.runner === runnerIndex
        ? [{ wakeUp: fault.wakeUp, forMs: fault.forMs }]
        : [],
    );
  }

  /** I8: ended on its own before its limit, every call answered, no timer left behind. */
  #checkEnd({ name, process }: Runner, startedMs: number, limitMs: number): void {
    const nowMs = this.#stage.world.clock.monotonicMs();
    const latestMs = Math.max(
      startedMs + limitMs,
      process.standsUntilMs === 0 ? 0 : process.standsUntilMs + AFTER_STANDSTILL_MS,
    );
    if (nowMs > latestMs) {
      this.violations.push(`I8: the run ${name} ended ${nowMs - latestMs} ms after its limit`);
    }
    if (process.callsInFlight.length > 0) {
      this.violations.push(
        `I8: the run ${name} ended before ${process.callsInFlight.join(", ")} was answered`,
      );
    }
    if (process.countScheduled > 0) {
      this.violations.push(`I8: the run ${name} left ${process.countScheduled} timers behind`);
    }
  }
}

/** Whether a run's report says that nothing kept it from its work; discover returns one only then. */
function isGood(report: unknown): boolean {
  if (typeof report !== "object" || report === null) {
    return false;
  }
  const { stopReason = "drained" } = report as { readonly stopReason?: string };
  return stopReason === "drained";
}
