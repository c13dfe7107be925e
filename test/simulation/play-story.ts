import { findUnwantedDeletes } from "../world/unwanted-deletes.ts";
import type { World } from "../world/world.ts";
import { findWrongPlaces } from "../world/wrong-places.ts";
import { Aftermath } from "./aftermath.ts";
import { findHeldDeletes } from "./held-deletes.ts";
import { Stage } from "./stage.ts";
import type { Happening, Story, StoryResult } from "./story.ts";
import { DISCOVER_EVERY_MS, RUN_EVERY_MS, StoryRuns } from "./story-runs.ts";

const HOUR_MS = 3_600_000;
/** Liveness: within this many runs after the faults have stopped, nothing is left to do (I3). */
const MAX_CLEAN_RUNS = 40;
/** Tasks that wait for hours or days need not be looked at every quarter of an hour. */
const LONGEST_GAP_MS = 6 * HOUR_MS;
/** Discover enqueues a revision again after 6 h. */
const DISCOVER_AGAIN_MS = 6 * HOUR_MS + 60_000;
const SIBLING_PATIENCE_MS = 24 * HOUR_MS;
const MAX_RESCUES = 5;
const SWEEP_AFTER_MS = 25 * HOUR_MS;

/** Something due at a moment of the faulty time. */
interface Cue {
  readonly atMs: number;
  readonly act: () => void;
  /** Runs look for work by themselves; only these keep a story going that has none. */
  readonly isHappening: boolean;
}

/** Plays one story from its start until nothing is left to do, checking every promise on the way. */
class Play {
  readonly #stage: Stage;
  readonly #runs: StoryRuns;
  readonly #aftermath: Aftermath;
  readonly #violations: string[] = [];
  #cleanRuns = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#runs = new StoryRuns(this.#stage);
    this.#aftermath = new Aftermath(this.#stage);
  }

  async toItsEnd(): Promise<StoryResult> {
    const { world } = this.#stage;
    try {
      await world.run(() => this.#allPhases());
    } catch (error) {
      // A world that stands still or never ends: somebody waits for what does not come.
      this.#violations.push(`I8: ${String(error)}`);
    }
    return {
      violations: [
        ...this.#stage.archive.excused(world.oracle.violations),
        ...findWrongPlaces(world, this.#stage.archive.start, this.#runs.endedWell),
        ...findUnwantedDeletes(world.effects.all, this.#stage.story.settings.deletion),
        ...findHeldDeletes(world.effects.all, this.#stage.holds),
        ...this.#runs.violations,
        ...this.#violations,
      ],
      counts: {
        calls: world.effects.all.length,
        runs: this.#runs.runs,
        crashes: this.#stage.died.length,
        virtualMs: world.clock.monotonicMs(),
        faultsHit: world.faults.hits.length,
        ...this.#aftermath.countLosses(),
      },
      ends: this.#aftermath.ends(),
    };
  }

  async #allPhases(): Promise<void> {
    await this.#faultyTime();
    this.#stage.endFaults();
    this.#violations.push(...(await this.#stage.archive.init()));
    await this.#runUntilQueueIsEmpty();
    const { story, world } = this.#stage;
    this.#violations.push(...this.#aftermath.findUnsettled("untouched"));
    if (story.discovers || this.#aftermath.hasTouched) {
      await this.#discoverUntilQuiet();
    }
    this.#violations.push(
      ...this.#aftermath.findUnsettled("all"),
      ...this.#aftermath.findUnfitLetters(),
      ...this.#aftermath.findLosses(),
      ...this.#aftermath.findOpenUploads(),
      ...this.#aftermath.findSecrets(this.#runs.told),
    );
    if (this.#aftermath.needsSweep()) {
      await world.clock.sleep(SWEEP_AFTER_MS);
      this.#violations.push(...(await this.#aftermath.sweep()));
    }
  }

  /** Runs by the timer, happenings and faults, until the time is over or nothing can happen any more. */
  async #faultyTime(): Promise<void> {
    const { clock } = this.#stage.world;
    const cues = this.#cues();
    let happeningsLeft = cues.filter(({ isHappening }) => isHappening).length;
    for (const cue of cues) {
      if (happeningsLeft === 0 && !this.#stage.story.discovers && this.#isIdle()) {
        break;
      }
      happeningsLeft -= cue.isHappening ? 1 : 0;
      await clock.sleep(cue.atMs - clock.monotonicMs());
      cue.act();
    }
    await this.#runs.settled();
  }

  #cues(): readonly Cue[] {
    const { faultyMs, discovers, happenings, runners } = this.#stage.story;
    const cues: Cue[] = happenings.flatMap((happening) => this.#cuesOf(happening));
    runners.forEach(({ offsetMs }, index) => {
      for (let atMs = offsetMs; atMs < faultyMs; atMs += RUN_EVERY_MS) {
        cues.push({ atMs, isHappening: false, act: () => this.#startIfThereIsWork(index) });
      }
    });
    for (let atMs = 0; discovers && atMs < faultyMs; atMs += DISCOVER_EVERY_MS) {
      cues.push({ atMs, isHappening: false, act: () => this.#runs.startDiscover() });
    }
    return cues.sort((a, b) => a.atMs - b.atMs);
  }

  #cuesOf(happening: Happening): readonly Cue[] {
    const cue = (atMs: number, act: () => void): Cue => ({ atMs, act, isHappening: true });
    const happens = cue(happening.atMs, () => this.#stage.act(happening, this.#runs.areLive));
    switch (happening.kind) {
      case "outage":
        return [];
      case "hold": {
        const { untilMs } = happening;
        return untilMs === undefined
          ? [happens]
          : [happens, cue(untilMs, () => this.#stage.releaseHold(happening))];
      }
      case "odd-item":
        return [happens, cue(happening.untilMs, () => this.#stage.endOddItem(happening.id))];
      case "swap":
        return [happens, cue(happening.untilMs, () => this.#stage.archive.endSwap())];
      case "slow-connections":
        return [happens, cue(happening.untilMs, () => this.#stage.endSlowConnections())];
      default:
        return [happens];
    }
  }

  #isIdle(): boolean {
    return this.#stage.world.queue.messages.length === 0 && !this.#runs.areLive;
  }

  /** A run that would find nothing changes nothing; leaving it out saves half of a simulation. */
  #startIfThereIsWork(runnerIndex: number): void {
    const { clock, queue } = this.#stage.world;
    const soonMs = clock.monotonicMs() + queue.settings.longPollMs;
    if (queue.messages.some(({ visibleAtMs }) => visibleAtMs <= soonMs)) {
      this.#runs.startArchive(runnerIndex);
    }
  }

  async #runUntilQueueIsEmpty(): Promise<void> {
    const { clock, queue } = this.#stage.world;
    let gapMs = RUN_EVERY_MS;
    for (let run = 0; queue.messages.length > 0; run += 1) {
      if (run >= MAX_CLEAN_RUNS) {
        const bodies = queue.messages.map(({ body }) => body).join(" ");
        this.#violations.push(`I3: still in the queue after ${MAX_CLEAN_RUNS} clean runs: ${bodies}`);
        return;
      }
      await clock.sleep(gapMs);
      gapMs = Math.min(LONGEST_GAP_MS, gapMs * 2);
      this.#cleanRuns += 1;
      this.#runs.startArchive(this.#cleanRuns % this.#stage.story.runners.length);
      await this.#runs.settled();
    }
  }

  /** What was overwritten or held since its last visit only comes back by discover. */
  async #discoverUntilQuiet(): Promise<void> {
    const { clock, queue } = this.#stage.world;
    for (let rescue = 1; rescue <= MAX_RESCUES; rescue += 1) {
      await clock.sleep(DISCOVER_AGAIN_MS);
      this.#runs.startDiscover();
      await this.#runs.settled();
      if (queue.messages.length === 0) {
        if (this.#aftermath.findUnsettled("all").length === 0) {
          return;
        }
        await clock.sleep(SIBLING_PATIENCE_MS);
      }
      await this.#runUntilQueueIsEmpty();
    }
  }
}

/**
 * Plays a story. Deterministic: the same story gives the same result, whatever else the process did before.
 * @param look is shown the world at its end.
 */
export async function playStory(story: Story, look?: (world: World) => void): Promise<StoryResult> {
  const stage = new Stage(story);
  const result = await new Play(stage).toItsEnd();
  look?.(stage.world);
  return result;
}
