import type { ArchiveEvent } from "../../lib/archive/events.ts";
import type { Permission } from "../../lib/archive/permission.ts";
import { RUN_WAITS_FOR_DUE_MS } from "../../lib/archive/settings.ts";
import { discover } from "../../lib/discovery/discover.ts";
import { exportFolder, exportObjectKey, holdKey, recordKey } from "../../lib/domain/key-layout.ts";
import { makePlan } from "../../lib/plan/make-plan.ts";
import type { Plan } from "../../lib/plan/plan.ts";
import { Records } from "../../lib/records/records.ts";
import type { RunReport } from "../../lib/records/run-report.ts";
import { archiveRun, portsOf, settingsOf } from "../world/archive-run.ts";
import type { Effect } from "../world/effects.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { exportFile } from "../world/export-file.ts";
import { SeededRandom } from "../world/seeded-random.ts";
import { type Runner, World } from "../world/world.ts";

const HOUR_MS = 3_600_000;
/** Longer than any test goes on: such an export is never finished. */
const NEVER_MS = 1e12;

/** What a run did in the world. */
export interface Done {
  readonly report: RunReport;
  readonly events: readonly ArchiveEvent[];
  readonly effects: readonly Effect[];
}

/**
 * A platform and an archive in any state that runs, people and accidents leave behind, and a queue with the messages
 * that belong to it.
 */
export class PlanWorld {
  readonly seed: number;
  readonly world: World;
  readonly deletion: "after-verify" | "never";
  readonly #random: SeededRandom;
  #runners = 0;

  constructor(seed: number) {
    this.seed = seed;
    this.#random = new SeededRandom(seed).fork("plan");
    const canWriteOnce = this.#chance(0.8);
    this.world = new World({
      seed,
      // A run that waits a day for a sibling asks its queue every 5 s.
      maxCalls: 1_000_000,
      store: {
        createOnce: canWriteOnce,
        compareAndSwap: canWriteOnce,
        verification: this.#chance(0.5) ? "read-back" : "stored",
      },
      // SQLite keeps a message away as long as it is told to, and tells when the next one is due.
      queue: { maxDelayMs: Number.POSITIVE_INFINITY },
      platform: { deleteRemovesSharedFile: this.#chance(0.5) },
    });
    this.deletion = this.#chance(0.85) ? "after-verify" : "never";
  }

  get settings() {
    return settingsOf(this.world, { deletion: this.deletion });
  }

  /** Lets the past happen. */
  async prepare(): Promise<void> {
    const { platform, queue } = this.world;
    for (let count = this.#random.integer(0, 9); count > 0; count -= 1) {
      this.addTask();
    }
    for (const { task } of platform.list()) {
      // A message for an unfinished export is given up after 48 h: no plan can read that in a queue.
      if ((task.status === "Success" || task.status === "Failed") && this.#chance(0.4)) {
        queue.send(task.exportTaskId);
      }
    }
    await this.run({ deletion: this.#chance(0.8) ? "never" : "after-verify", isWhole: false });
    await this.#wait(this.#pick([0, 10 * 60_000, 2 * HOUR_MS, 30 * HOUR_MS]));
    for (let count = this.#random.integer(0, 4); count > 0; count -= 1) {
      this.addTask();
    }
    for (let count = this.#random.integer(0, 4); count > 0; count -= 1) {
      this.accident();
    }
    if (this.#chance(0.3)) {
      const runner = this.#startRunner("discover");
      await this.world.run(() => discover(portsOf(runner), this.settings, ALWAYS.signal));
    }
  }

  addTask(): string {
    const { clock, platform } = this.world;
    // An unfinished sibling makes a run wait for a day, which is dear to play: few worlds have one.
    const waitsLong = this.#chance(0.1);
    const others = platform.list().filter(({ task }) => waitsLong || task.status === "Success");
    const sibling = this.#chance(0.25) ? this.#pickOf(others) : undefined;
    const mayBeUnfinished = waitsLong || sibling === undefined;
    const unfinished = mayBeUnfinished ? ["Processing", "Paused"] : [];
    const condition = sibling?.task.resourceCondition as Readonly<Record<string, unknown>> | undefined;
    return platform.addTask({
      status: this.#pick(["Success", "Success", "Success", "Success", "Failed", ...unfinished]),
      processingMs: NEVER_MS,
      createdAtMs: clock.wallMs() - this.#random.integer(0, 72) * HOUR_MS,
      ...(condition === undefined ? {} : { resourceCondition: condition }),
    });
  }

  /** Something that changes what a run does about an export. @returns the export it is about. */
  accident(): string | undefined {
    const listed = this.#pickOf(this.world.platform.list());
    if (listed === undefined) {
      return undefined;
    }
    const { store, scope, platform } = this.world;
    const { task, revision } = listed;
    const { exportTaskId } = task;
    const folder = exportFolder(scope, task);
    switch (this.#random.integer(0, 8)) {
      case 0:
        store.plantObject(holdKey(exportTaskId), Buffer.from("{}"));
        break;
      case 1:
        if (this.#chance(0.2)) {
          store.plantObject("holds/whatever.txt", Buffer.from("held"));
        }
        break;
      case 2:
        this.#plantRecord(exportTaskId, revision, "dead-letter", {
          schemaVersion: 1,
          exportTaskId,
          revision,
          reason: "max-attempts",
          detail: "planted",
          attempts: 5,
          runId: "planted",
          deadLetteredAt: new Date(this.world.clock.wallMs()).toISOString(),
          body: exportTaskId,
        });
        break;
      case 3:
        this.#plantRecord(exportTaskId, revision, "expired", {});
        break;
      case 4: {
        // Left by a runner that died before it recorded its copy; damaged, now and then.
        const file = platform.fileOf(exportTaskId);
        const key = exportObjectKey(folder, revision, "abcdef");
        if (file !== undefined && store.entries.get(key) === undefined) {
          store.plantObject(key, this.#chance(0.7) ? file.bytes : file.bytes.subarray(0, 100));
        }
        break;
      }
      case 5:
        this.#ofCopies(exportTaskId, (key) => store.removeObject(key));
        break;
      case 6:
        // Elsewhere the store itself sees that its bytes have changed.
        if (store.settings.verification === "read-back") {
          this.#ofCopies(exportTaskId, (key) => store.rotObject(key));
        }
        break;
      case 7:
        platform.oddItems.push({
          field: "status",
          problem: "is not a text",
          id: this.#pick([exportTaskId, "odd-one", undefined]),
          condition: this.#chance(0.2) ? { ...task } : undefined,
        });
        break;
      case 8:
        this.#plantRecord(exportTaskId, revision, "archived", "not a record");
        break;
    }
    return exportTaskId;
  }

  /** Something happens between a plan and its run. */
  async change(): Promise<void> {
    const { platform, store } = this.world;
    const exportTaskId = this.#pickOf(platform.list())?.task.exportTaskId;
    switch (this.#random.integer(0, 6)) {
      case 0:
        this.addTask();
        break;
      case 1:
        if (exportTaskId !== undefined) {
          platform.overwriteTask(exportTaskId, exportFile(1_000 + this.#random.integer(0, 99)));
        }
        break;
      case 2:
        platform.removeTask(exportTaskId ?? "");
        break;
      case 3:
        for (const key of store.keysUnder("holds/")) {
          store.removeObject(key);
        }
        break;
      case 4:
        if (this.#chance(0.3)) {
          await this.run({ deletion: this.#chance(0.5) ? "never" : "after-verify", isWhole: false });
        }
        break;
      default:
        this.accident();
    }
  }

  /** A plan, made as the command makes it. */
  async plan(): Promise<{ readonly plan: Plan; readonly effects: readonly Effect[] }> {
    const { platform, store, clock, name } = this.#startRunner("plan");
    const nextTurn = () => this.world.clock.sleep(0);
    const planned = { abilities: store.assume(), triedOut: true };
    const plan = await this.world.run(() =>
      makePlan({ platform, store, clock, nextTurn }, this.settings, planned, ALWAYS.signal),
    );
    return { plan, effects: this.#effectsOf(name) };
  }

  /** What the platform shows and what is held now. */
  async look() {
    const { store } = this.#startRunner("look");
    const records = new Records(store, this.world.scope, store.assume());
    const holds = await this.world.run(() => records.holds(ALWAYS));
    const listed = this.world.platform.list();
    return {
      revisions: new Map(listed.map(({ task, revision }) => [task.exportTaskId, revision])),
      held: listed.map(({ task }) => task.exportTaskId).filter((id) => holds.isHeld(id)),
    };
  }

  /** One `run`; not whole, it neither discovers nor waits for what is delayed. */
  async run({
    deletion = this.deletion,
    isWhole = true,
    permission,
  }: {
    readonly deletion?: "after-verify" | "never";
    readonly isWhole?: boolean;
    readonly permission?: Permission;
  } = {}): Promise<Done> {
    const runner = this.#startRunner("run");
    const events: ArchiveEvent[] = [];
    const settings = settingsOf(this.world, { deletion });
    const ending = await this.world.runAlone(runner, () =>
      archiveRun(this.world, runner, {
        ...(permission === undefined ? {} : { permission }),
        settings: { deletion },
        waitForDueMs: isWhole ? RUN_WAITS_FOR_DUE_MS : 0,
        observe: (event) => events.push(event),
        prepare: async (signal) => {
          if (isWhole) {
            await discover(portsOf(runner), settings, signal);
          }
        },
      }),
    );
    if (ending.kind === "crashed") {
      throw new Error(`seed ${this.seed}: the run crashed`);
    }
    return { report: ending.value, events, effects: this.#effectsOf(runner.name) };
  }

  #startRunner(kind: string): Runner {
    this.#runners += 1;
    return this.world.startRunner(`${kind}-${this.#runners}`);
  }

  #effectsOf(runner: string): readonly Effect[] {
    return this.world.effects.all.filter((effect) => effect.runner === runner);
  }

  #plantRecord(
    exportTaskId: string,
    revision: string,
    name: "archived" | "dead-letter" | "expired",
    content: object | string,
  ): void {
    const key = recordKey(this.world.scope, exportTaskId, revision, name, 1);
    const text = typeof content === "string" ? content : JSON.stringify(content);
    if (this.world.store.entries.get(key) === undefined) {
      this.world.store.plantObject(key, Buffer.from(text));
    }
  }

  #ofCopies(exportTaskId: string, change: (key: string) => void): void {
    for (const key of this.world.store.keysUnder("exports/")) {
      if (key.includes(`/${exportTaskId}/`)) {
        change(key);
      }
    }
  }

  async #wait(ms: number): Promise<void> {
    await this.world.run(() => this.world.clock.sleep(ms));
  }

  #chance(probability: number): boolean {
    return this.#random.fraction() < probability;
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#random.integer(0, items.length - 1)] as T;
  }

  #pickOf<T>(items: readonly T[]): T | undefined {
    return items.length === 0 ? undefined : this.#pick(items);
  }
}
