import type { ArchiveSettings } from "../../../lib/archive/settings.ts";
import { revisionOf } from "../../../lib/domain/export-task.ts";
import { taskRecordsFolder } from "../../../lib/domain/key-layout.ts";
import type { DeadLetterReason, TaskMessage } from "../../../lib/domain/task-message.ts";
import type { ArchiveObjectStore } from "../../../lib/identity/archive-store.ts";
import { encodeMessage } from "../../../lib/queue/message-codec.ts";
import { type ArchiveRunOptions, archiveRun, archiveStoreOf } from "../../world/archive-run.ts";
import { HOME_ID, plantMarker, plantOldRecord } from "../../world/places.ts";
import { findUnwantedDeletes } from "../../world/unwanted-deletes.ts";
import { type Runner, type RunnerOptions, World, type WorldOptions } from "../../world/world.ts";
import type { NewWorldTask } from "../../world/world-task.ts";
import { type ArchiveStart, findWrongPlaces } from "../../world/wrong-places.ts";

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
/** One run of a function with a 15 min limit, as it is deployed. */
const RUN_LIMIT_MS = 14 * MINUTE_MS;

/** What is known of the archive before the first run: an archive that its queue will remember, unless a scene says more. */
export interface StageArchive {
  readonly home?: ArchiveStart["home"];
  /** The settings name the archive. */
  readonly isSet?: boolean;
  /** The queue remembers the archive already; `never`: it cannot. */
  readonly memory?: "home" | "blank" | "never";
}

/** How a task has to end. */
export type End = "archived" | "kept" | `dead-letter:${DeadLetterReason}`;

export interface StageRunOptions extends ArchiveRunOptions {
  readonly runner?: RunnerOptions;
}

/** One world, the runs that happen in it, and how each task has to end: says afterwards what was broken. */
export class Stage {
  readonly world: World;
  readonly #settings: Partial<ArchiveSettings>;
  readonly #archive: ArchiveStart;
  readonly #hasMemory: boolean;
  readonly #ends = new Map<string, End>();
  readonly #broken: string[] = [];
  #runs = 0;

  constructor(
    options: WorldOptions = {},
    settings: Partial<ArchiveSettings> = {},
    { home = "marked", isSet = false, memory = "blank" }: StageArchive = {},
  ) {
    this.world = new World(options);
    this.#settings = settings;
    this.#archive = { home, deletion: settings.deletion ?? "after-verify", isSet };
    this.#hasMemory = memory !== "never";
    if (home === "marked") {
      plantMarker(this.world.store, HOME_ID);
    } else if (home === "from-before") {
      plantOldRecord(this.world.store, this.world.scope);
    }
    if (memory === "home") {
      this.world.memory.archiveId = HOME_ID;
    }
  }

  /** A task on the platform and its id in the queue. */
  task(end: End = "archived", task: NewWorldTask = {}): string {
    const id = this.world.platform.addTask(task);
    this.world.queue.send(id);
    this.expectEnd(id, end);
    return id;
  }

  tasks(count: number): readonly string[] {
    return Array.from({ length: count }, () => this.task());
  }

  expectEnd(id: string, end: End): void {
    this.#ends.set(id, end);
  }

  send(message: TaskMessage, delayMs = 0): void {
    this.world.queue.send(encodeMessage(message), delayMs);
  }

  /** Says that a promise was broken; the text begins with its number. */
  note(broken: string): void {
    this.#broken.push(broken);
  }

  /** The revision that the platform shows for a task now. */
  revision(id: string): string {
    const listed = this.world.platform.list().find(({ task }) => task.exportTaskId === id);
    return listed === undefined ? "" : revisionOf(listed.task);
  }

  /** The keys of a task's objects. */
  objects(id: string): readonly string[] {
    return this.world.store.keysUnder("exports/").filter((key) => key.includes(`/${id}/`));
  }

  /** One run, to its end or its death. To be called inside `world.run`. */
  async start(options: StageRunOptions = {}): Promise<void> {
    this.#runs += 1;
    const { runner: runnerOptions = {}, settings: changes, ...runOptions } = options;
    const settings = { ...this.#settings, ...changes };
    const { world } = this;
    const runner = world.startRunner(`run-${this.#runs}`, runnerOptions);
    const startedAtMs = world.clock.monotonicMs();
    const limitMs = options.limitMs ?? RUN_LIMIT_MS;
    const store = this.storeOf(runner, settings.deletion);
    const ending = await runner.process.execute(() =>
      archiveRun(world, runner, { limitMs, store, ...runOptions, settings }),
    );
    if (ending.kind === "crashed") {
      return;
    }
    const tookMs = world.clock.monotonicMs() - startedAtMs;
    if (tookMs >= limitMs) {
      this.note(`I8: a run of at most ${limitMs} ms took ${tookMs} ms`);
    }
    if (runner.process.callsInFlight.length > 0) {
      this.note(`I8: a run ended before ${runner.process.callsInFlight.join(", ")}`);
    }
    for (const { key } of world.store.openUploads.filter((upload) => upload.runner === runner.name)) {
      this.note(`I8: a run ended on its own and left its upload of ${key} open`);
    }
  }

  /** The store as a program of this operator opens it. */
  storeOf(runner: Runner, deletion = this.#archive.deletion): ArchiveObjectStore {
    const archiveId = this.#archive.isSet ? HOME_ID : undefined;
    return archiveStoreOf(this.world, runner, { archiveId, hasMemory: this.#hasMemory, deletion });
  }

  /** One run. */
  async run(options: StageRunOptions = {}): Promise<void> {
    await this.world.run(() => this.start(options));
  }

  /** Several runs at once, until the queue is empty or `maxRounds` are over. */
  async runTogether(runners: readonly StageRunOptions[], maxRounds: number): Promise<void> {
    for (let round = 1; round <= maxRounds && this.world.queue.messages.length > 0; round += 1) {
      await this.world.run(() => Promise.all(runners.map((options) => this.start(options))));
      await this.wait(6 * MINUTE_MS);
    }
  }

  /** Run after run, as a timer does, until the queue is empty or `maxRuns` are over. */
  async runOn(maxRuns: number, gapMs = 15 * MINUTE_MS): Promise<void> {
    for (let run = 1; run <= maxRuns && this.world.queue.messages.length > 0; run += 1) {
      await this.run();
      await this.wait(gapMs);
    }
  }

  async wait(ms: number): Promise<void> {
    await this.world.run(() => this.world.clock.sleep(ms));
  }

  /** Every broken promise, with how each task ended. */
  violations(): readonly string[] {
    const { world } = this;
    const wrongEnds = [...this.#ends].flatMap(([id, end]) => this.#problemOfEnd(id, end));
    const leftOpen = world.store.openUploads.map(({ key }) => `I8: the upload of ${key} is still open`);
    return [
      ...findWrongPlaces(world, this.#archive),
      ...world.findViolations(),
      ...findUnwantedDeletes(world.effects.all, this.#settings.deletion ?? "after-verify"),
      ...this.#broken,
      ...wrongEnds,
      ...leftOpen,
    ];
  }

  #problemOfEnd(id: string, expected: End): readonly string[] {
    const end = this.#endOf(id);
    if (end === expected) {
      return [];
    }
    const invariant = expected === "archived" && end.startsWith("dead-letter") ? "I5" : "I3";
    return [`${invariant}: ${id} ended as ${end} instead of ${expected}`];
  }

  #endOf(id: string): string {
    const { platform, queue, scope, store } = this.world;
    if (queue.idsHeld().has(id)) {
      return "still queued";
    }
    const letter = queue.deadLetters.find(({ body }) => body.includes(id));
    if (letter !== undefined) {
      return `dead-letter:${letter.reason}`;
    }
    const names = store
      .keysUnder(taskRecordsFolder(scope, id))
      .map((key) => key.slice(key.lastIndexOf("/") + 1));
    if (!names.some((name) => name.startsWith("archived"))) {
      return "never archived";
    }
    if (platform.has(id)) {
      return names.includes("deleted.json") ? "recorded as deleted, but still on the platform" : "kept";
    }
    return names.includes("deleted.json") ? "archived" : "deleted without a record of it";
  }
}
