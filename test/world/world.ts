import type { PlatformScope } from "../../lib/domain/export-task.ts";
import type { Clock, Random } from "../../lib/ports/clock.ts";
import type { ObjectStore } from "../../lib/ports/object-store.ts";
import type { DeadLetterQueue, SendOptions, TaskQueue } from "../../lib/ports/task-queue.ts";
import { EffectLog } from "./effects.ts";
import { Faults } from "./faults.ts";
import { UNWATCHED } from "./observer.ts";
import { Oracle } from "./oracle.ts";
import { type PlaceName, Places } from "./places.ts";
import { DEFAULT_PLATFORM_SETTINGS, type PlatformSettings } from "./platform-settings.ts";
import { PlatformState } from "./platform-state.ts";
import { DEFAULT_QUEUE_SETTINGS, type JudgedQueue, type QueueSettings, QueueState } from "./queue-state.ts";
import { type Ending, RunnerProcess, type Surroundings } from "./runner-process.ts";
import { SeededRandom } from "./seeded-random.ts";
import { DEFAULT_STORE_SETTINGS, type StoreSettings, StoreState } from "./store-state.ts";
import { queueInStore, StoredQueueState } from "./stored-queue-state.ts";
import { VirtualClock, type VirtualClockOptions } from "./virtual-clock.ts";
import { MemoryState, WorldMemory } from "./world-memory.ts";
import { WorldPlatform } from "./world-platform.ts";
import { WorldQueue } from "./world-queue.ts";
import { WorldStore } from "./world-store.ts";

export interface WorldOptions {
  /** Decides everything that is left to chance. */
  readonly seed?: number;
  readonly scope?: PlatformScope;
  /** The interval whose spacing I4 promises; the platform itself refuses below 30/31 of it. */
  readonly downloadIntervalMs?: number;
  readonly platform?: Partial<PlatformSettings>;
  readonly store?: Partial<StoreSettings>;
  readonly queue?: Partial<QueueSettings>;
  readonly clock?: Omit<VirtualClockOptions, "describeWaiting">;
  /** Calls to the outside before a run counts as endless. Default: 200,000. */
  readonly maxCalls?: number;
}

export interface RunnerOptions {
  /** How far this runner's wall clock is ahead of true time. */
  readonly skewMs?: number;
  /** Where this runner looks for its archive, whatever is mounted. */
  readonly place?: PlaceName;
}

/** The task queue and its dead letters, which others may send anything to. */
export type RunnerQueue = TaskQueue &
  DeadLetterQueue & { sendBodies(bodies: readonly string[], options: SendOptions): Promise<void> };

/** One runner: the ports that policy is given, and the process they belong to. */
export interface Runner {
  readonly name: string;
  readonly process: RunnerProcess;
  readonly clock: Clock;
  readonly random: Random;
  readonly platform: WorldPlatform;
  readonly store: WorldStore;
  readonly queue: RunnerQueue;
  /** The queue that belongs to a store as the runner's programs open it; one that lies elsewhere is `queue`. */
  readonly queueIn: (store: ObjectStore) => RunnerQueue;
  readonly memory: WorldMemory;
}

/** A promise of the product was broken. The message lists every violation with the seed that shows it. */
export class InvariantViolation extends Error {
  override readonly name = "InvariantViolation";
}

/** A platform, a store and a queue on one virtual clock, reached by any number of runners that may die. */
export class World {
  readonly seed: number;
  readonly scope: PlatformScope;
  readonly clock: VirtualClock;
  readonly faults = new Faults();
  readonly effects = new EffectLog();
  readonly oracle: Oracle;
  readonly platform: PlatformState;
  /** The archive that all runners are set up for. */
  readonly store: StoreState;
  readonly places: Places;
  readonly queue: JudgedQueue;
  /** Which archive the queue remembers. */
  readonly memory = new MemoryState();
  /** One that does not lie in the store; then the same as `queue`. */
  readonly queueApart: QueueState;
  readonly #random: SeededRandom;
  readonly #around: Surroundings;
  readonly #runners: Runner[] = [];

  constructor(options: WorldOptions = {}) {
    this.seed = options.seed ?? 1;
    this.scope = options.scope ?? { projectId: "project-1", instanceId: undefined };
    this.#random = new SeededRandom(this.seed);
    this.clock = new VirtualClock({ ...options.clock, describeWaiting: () => this.#describeWaiting() });
    const downloadIntervalMs = options.downloadIntervalMs ?? 31_000;
    const minSpacingMs = Math.floor((downloadIntervalMs * 30) / 31);
    this.oracle = new Oracle({
      clock: this.clock,
      scope: this.scope,
      store: () => this.store,
      queue: () => this.queue,
      downloadIntervalMs,
    });
    const platformSettings = { ...DEFAULT_PLATFORM_SETTINGS, minSpacingMs, ...options.platform };
    this.platform = new PlatformState(platformSettings, this.clock, this.oracle);
    const storeSettings = { ...DEFAULT_STORE_SETTINGS, ...options.store };
    this.store = new StoreState(storeSettings, this.clock, this.oracle);
    this.places = new Places({
      home: this.store,
      scope: this.scope,
      makeStore: () => new StoreState(storeSettings, this.clock, UNWATCHED),
      countEffects: () => this.effects.all.length,
    });
    const queueSettings = { ...DEFAULT_QUEUE_SETTINGS, ...options.queue };
    this.queueApart = new QueueState(queueSettings, this.clock, this.#random.fork("queue"));
    this.queue = queueSettings.inStore
      ? new StoredQueueState(queueSettings, this.store, this.clock)
      : this.queueApart;
    this.#around = {
      clock: this.clock,
      faults: this.faults,
      effects: this.effects,
      random: this.#random.fork("latencies"),
      maxCalls: options.maxCalls ?? 200_000,
    };
  }

  /** Starts a runner on what is durable now. A name is used once. */
  startRunner(name: string, options: RunnerOptions = {}): Runner {
    if (this.#runners.some((runner) => runner.name === name)) {
      throw new Error(`there was a runner named ${name} already`);
    }
    const random = this.#random.fork(`runner/${name}`);
    const process = new RunnerProcess(name, this.#around, {
      skewMs: options.skewMs ?? 0,
      monotonicOriginMs: random.integer(0, 1_000_000_000),
    });
    if (options.place !== undefined) {
      this.places.setOwn(name, options.place);
    }
    const { clock, oracle: observer } = this;
    const latencies = this.#around.random;
    const store = new WorldStore({
      state: () => this.places.storeOf(name),
      runner: process,
      random: latencies,
      clock,
      observer,
    });
    const nonces = random.fork("nonces");
    const queueApart = new WorldQueue({ state: this.queueApart, runner: process, clock });
    const { inStore, visibilityMs, longPollMs } = this.queue.settings;
    const queueIn = (opened: ObjectStore) =>
      inStore
        ? queueInStore(opened, { visibilityMs, longPollMs, clock: process.clock, random: nonces })
        : queueApart;
    const runner: Runner = {
      name,
      process,
      clock: process.clock,
      random: nonces,
      platform: new WorldPlatform({
        state: this.platform,
        runner: process,
        random: latencies,
        clock,
        observer,
      }),
      store,
      queue: queueIn(store),
      queueIn,
      memory: new WorldMemory({ state: this.memory, queue: this.queueApart, runner: process }),
    };
    this.#runners.push(runner);
    return runner;
  }

  /** Drives anything: several runners at once, or a test that acts while they run. */
  run<T>(main: () => Promise<T>): Promise<T> {
    return this.clock.run(main);
  }

  /** Drives one runner's main function until it returns, throws or freezes. */
  runAlone<T>(runner: Runner, main: (runner: Runner) => Promise<T>): Promise<Ending<T>> {
    return this.run(() => runner.process.execute(() => main(runner)));
  }

  /** Every broken promise so far: those seen as they happened, and I3. */
  findViolations(): readonly string[] {
    const lost = this.oracle.findLostIds().map((id) => `I3: ${id} entered the queue and came to no end`);
    return [...this.oracle.violations, ...lost];
  }

  #describeWaiting(): string {
    const calls = this.#runners.flatMap(({ process }) => process.callsInFlight);
    return calls.length === 0 ? "something outside this world" : calls.join(", ");
  }
}

/** Throws {@link InvariantViolation} when a promise was broken. To be called after each run of a test. */
export function checkInvariants(world: World): void {
  const violations = world.findViolations();
  if (violations.length > 0) {
    throw new InvariantViolation(`seed ${world.seed}:\n${violations.join("\n")}`);
  }
}
