import { revisionOf } from "../../lib/domain/export-task.ts";
import { recordKey } from "../../lib/domain/key-layout.ts";
import type { PlannedFault, Site } from "../world/faults.ts";
import { platformError, queueError, storeError } from "../world/port-errors.ts";
import type { Ending } from "../world/runner-process.ts";
import { SeededRandom } from "../world/seeded-random.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, RequestsScene, SECOND_MS } from "./requests-scene.ts";

const BATCH_TASKS = ["b1", "b2", "b3"] as const;
const FAULTY_SITES = [
  "platform.listExportTasks",
  "platform.createExportTask",
  "store.list",
  "store.getDocument",
  "store.putDocument",
  "store.preflight",
  "store.head",
  "queue.send",
] as const satisfies readonly Site[];
const STEPS = { least: 4, most: 9 };
/** Rounds of a timer after the trouble is over; an export that vanished is waited for a day, and asked for again. */
const QUIET_ROUNDS = 40;

/** One random history of events, people, faults and runs, which always ends with quiet days. */
export class RequestHistory {
  readonly scene: RequestsScene;
  /** What a run threw; there must be nothing. */
  readonly thrown: unknown[] = [];
  readonly #random: SeededRandom;
  readonly #statusTimes: { readonly batchTaskId: string; readonly atMs: number }[] = [];

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    const createOnce = this.#chance(0.8);
    this.scene = new RequestsScene({
      seed,
      platform: {
        sameCondition: this.#chance(0.5) ? "new-id" : "keeps-id",
        processingMs: { minMs: SECOND_MS, maxMs: this.#chance(0.2) ? 2 * HOUR_MS : MINUTE_MS },
        dateSkewMs: this.#chance(0.9) ? 0 : undefined,
        // What a person deletes takes no file away that an export of ours still shows.
        deleteRemovesSharedFile: false,
      },
      store: { createOnce, compareAndSwap: createOnce },
    });
  }

  /** Plays the whole history. */
  async play(): Promise<void> {
    const { platform } = this.scene.world;
    // The oldest are worth something, so that an eviction is a loss; then what only takes up places.
    for (let n = this.#random.integer(0, 3); n > 0; n -= 1) {
      platform.addTask(this.#chance(0.5) ? {} : { resourceCondition: this.#condition() });
    }
    const crowd = this.#chance(0.15) ? this.#random.integer(42, 48) : 0;
    const failed = Array.from({ length: crowd }, () => this.#addGivenUpTask());
    const steps = this.#random.integer(STEPS.least, STEPS.most);
    for (let step = 0; step < steps; step += 1) {
      await this.#step();
      await this.scene.wait(this.#pick([SECOND_MS, MINUTE_MS, 31 * MINUTE_MS, 7 * HOUR_MS]));
    }
    this.scene.world.faults.clear();
    // Somebody tidies up: failed exports hold their places until a person takes them away.
    for (const exportTaskId of failed) {
      platform.removeTask(exportTaskId);
    }
    for (let round = 0; round < QUIET_ROUNDS && this.scene.openRequests().length > 0; round += 1) {
      await this.scene.wait(round < QUIET_ROUNDS / 2 ? 31 * MINUTE_MS : 6 * HOUR_MS);
      await this.#discover(1);
      await this.scene.world.run(() => this.scene.startArchive());
    }
  }

  /** A failed export whose letter is written: no run works on it, and it holds its place. */
  #addGivenUpTask(): string {
    const { platform, scope, store } = this.scene.world;
    const exportTaskId = platform.addTask({ status: "Failed" });
    const listed = platform.list().find(({ task }) => task.exportTaskId === exportTaskId);
    const revision = listed === undefined ? "" : revisionOf(listed.task);
    store.plantObject(recordKey(scope, exportTaskId, revision, "dead-letter", 1), Buffer.from("{}"));
    return exportTaskId;
  }

  async #step(): Promise<void> {
    const { platform } = this.scene.world;
    switch (this.#random.integer(0, 10)) {
      case 0:
      case 1:
      case 2:
        return await this.#event();
      case 3:
      case 4:
        if (platform.list().length < 50) {
          platform.addTask(this.#someonesTask());
        }
        return;
      case 5: {
        const listed = platform.list();
        const victim = listed[this.#random.integer(0, Math.max(0, listed.length - 1))];
        return victim === undefined ? undefined : platform.removeTask(victim.task.exportTaskId);
      }
      case 6:
        await this.scene.world.run(() => this.scene.startArchive());
        return;
      default: {
        const runs = this.#random.integer(1, 2);
        this.#plantFault(runs);
        return await this.#discover(runs);
      }
    }
  }

  /** New, late, repeated, or out of order. */
  async #event(): Promise<void> {
    const isReplay = this.#statusTimes.length > 0 && this.#chance(0.4);
    const { batchTaskId, atMs } = isReplay
      ? this.#pick(this.#statusTimes)
      : {
          batchTaskId: this.#pick(BATCH_TASKS),
          atMs: this.scene.nowMs() - this.#pick([0, 0, 5 * SECOND_MS, 3 * HOUR_MS, 30 * DAY_MS]),
        };
    this.#statusTimes.push({ batchTaskId, atMs });
    // Whoever sends events sends one again that was not taken.
    const isTaken = await this.scene.world.run(() =>
      this.#survive(() => this.scene.startRequest(batchTaskId, atMs)),
    );
    if (!isTaken) {
      this.scene.world.faults.clear();
      await this.scene.request(batchTaskId, atMs);
    }
  }

  /** @returns whether the process came to its end without a planted failure or death. */
  async #survive(work: () => Promise<Ending<unknown>>): Promise<boolean> {
    try {
      return (await work()).kind === "finished";
    } catch (error) {
      // Discover itself fails without a list or a queue; its requests must not.
      if (!this.#isPlanted(error)) {
        this.thrown.push(error);
      }
      return false;
    }
  }

  async #discover(runs: number): Promise<void> {
    const { clock } = this.scene.world;
    const one = async () => {
      await clock.sleep(this.#pick([0, 10, 300, 2_000, 3 * MINUTE_MS]));
      const skewMs = this.#pick([0, 0, 4 * MINUTE_MS, -4 * MINUTE_MS]);
      await this.#survive(() => this.scene.startDiscover({ runner: { skewMs } }));
    };
    await this.scene.world.run(() => Promise.all(Array.from({ length: runs }, one)));
  }

  readonly #planted = new Set<unknown>();

  #isPlanted(error: unknown): boolean {
    return this.#planted.has(error) || (error instanceof Error && this.#planted.has(error.cause));
  }

  #plantFault(runs: number): void {
    if (this.#chance(0.3)) {
      return;
    }
    const site = this.#pick(FAULTY_SITES);
    const error = site.startsWith("platform")
      ? platformError(this.#pick(["platform-unreachable", "platform-unavailable", "platform-throttled"]))
      : site.startsWith("queue")
        ? queueError("queue-unavailable")
        : storeError(this.#pick(["store-unavailable", "store-forbidden"]));
    this.#planted.add(error);
    const at = { site, occurrence: this.#random.integer(1, 5), times: this.#random.integer(1, 3) };
    // Between our last list and our create the platform offers no protection: then others ask for other things.
    const isProtected = runs === 1 && (site === "platform.listExportTasks" || site === "store.putDocument");
    const condition = isProtected ? this.#condition() : undefined;
    const others = () => {
      if (this.scene.world.platform.list().length < 48) {
        this.scene.world.platform.addTask({
          status: "Processing",
          ...(condition && { resourceCondition: condition }),
        });
      }
    };
    const faults: readonly PlannedFault[] = [
      { ...at, form: "not-done", error },
      { ...at, form: "done-answer-lost", error },
      { ...at, form: "crash", when: "before" },
      { ...at, form: "crash", when: "after" },
      { ...at, form: "slow", extraMs: this.#pick([500, 4_000, 6 * MINUTE_MS]) },
      { ...at, form: "race", act: others },
    ];
    this.scene.world.faults.plant(
      site === "store.putDocument" && this.#chance(0.2)
        ? { ...at, site, form: "done-says-conflict" }
        : this.#pick(faults),
    );
  }

  #someonesTask() {
    const endsAs = this.#chance(0.3) ? ("Failed" as const) : ("Success" as const);
    const status = this.#pick(["Processing", "Success", "Failed"]);
    const processingMs = this.#pick([10 * SECOND_MS, HOUR_MS]);
    const task = { status, endsAs, processingMs };
    return this.#chance(0.3) ? task : { ...task, resourceCondition: this.#condition() };
  }

  #condition(): Readonly<Record<string, unknown>> {
    return { task_id: this.#pick(BATCH_TASKS) };
  }

  #chance(probability: number): boolean {
    return this.#random.fraction() < probability;
  }

  #pick<T>(from: readonly T[]): T {
    const picked = from[this.#random.integer(0, from.length - 1)];
    if (picked === undefined) {
      throw new RangeError("there is nothing to pick from");
    }
    return picked;
  }
}
