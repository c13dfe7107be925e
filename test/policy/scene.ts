import { expect } from "vitest";
import type { ArchiveEvent } from "../../lib/archive/events.ts";
import { revisionOf } from "../../lib/domain/export-task.ts";
import { taskRecordsFolder } from "../../lib/domain/key-layout.ts";
import type { TaskMessage } from "../../lib/domain/task-message.ts";
import { encodeMessage, parseBody } from "../../lib/queue/message-codec.ts";
import type { RunReport, TaskEntry } from "../../lib/records/run-report.ts";
import { type ArchiveRunOptions, archiveRun } from "../world/archive-run.ts";
import type { Site } from "../world/faults.ts";
import type { CrashPoint, Ending } from "../world/runner-process.ts";
import { checkInvariants, type RunnerOptions, World, type WorldOptions } from "../world/world.ts";
import type { NewWorldTask } from "../world/world-task.ts";

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const INTERVAL_MS = 31 * SECOND_MS;
/** One run of a function with a 15 min limit, as it is deployed. */
export const RUN_LIMIT_MS = 14 * MINUTE_MS;

export interface SceneRunOptions extends ArchiveRunOptions {
  readonly runner?: RunnerOptions;
}

/** A record as a test reads it: the whole JSON document. */
export type RecordDocument = Readonly<Record<string, unknown>> & {
  readonly object?: { readonly key: string; readonly sha256: string; readonly sizeBytes: number };
  readonly verification?: Readonly<Record<string, unknown>>;
};

/** One world and the runs that happen in it, one after the other; each runner has its own name. */
export class Scene {
  readonly world: World;
  /** What the runs of this scene told, in order. */
  readonly events: ArchiveEvent[] = [];
  #runs = 0;

  constructor(options: WorldOptions = {}) {
    this.world = new World(options);
  }

  /** A task on the platform and its bare id in the queue. */
  addTask(task: NewWorldTask = {}): string {
    const id = this.world.platform.addTask(task);
    this.world.queue.send(id);
    return id;
  }

  addTasks(count: number): readonly string[] {
    return Array.from({ length: count }, () => this.addTask());
  }

  send(message: TaskMessage, delayMs = 0): void {
    this.world.queue.send(encodeMessage(message), delayMs);
  }

  /** The revision that the platform shows for a task now. */
  revision(id: string): string {
    const listed = this.world.platform.list().find(({ task }) => task.exportTaskId === id);
    if (listed === undefined) {
      throw new Error(`the platform does not list ${id}`);
    }
    return revisionOf(listed.task);
  }

  /** One run in a process of its own, to its end or its death. */
  start(options: SceneRunOptions = {}): Promise<Ending<RunReport>> {
    this.#runs += 1;
    const { runner: runnerOptions = {}, ...runOptions } = options;
    const runner = this.world.startRunner(`run-${this.#runs}`, runnerOptions);
    return runner.process
      .execute(() =>
        archiveRun(this.world, runner, {
          limitMs: RUN_LIMIT_MS,
          observe: (event) => this.events.push(event),
          ...runOptions,
        }),
      )
      .then((ending) => {
        if (ending.kind === "finished") {
          expect(runner.process.callsInFlight).toEqual([]);
        }
        return ending;
      });
  }

  /** One run that has to end on its own, leave no call and no timer behind, and keep every promise. */
  async run(options: SceneRunOptions = {}): Promise<RunReport> {
    const startedMs = this.world.clock.monotonicMs();
    const ending = await this.world.run(() => this.start(options));
    if (ending.kind === "crashed") {
      throw new Error(`the run crashed at ${ending.at.site} ${ending.at.subject}`);
    }
    expect(this.world.clock.countPending()).toBe(0);
    const limitMs = options.limitMs ?? RUN_LIMIT_MS;
    expect(this.world.clock.monotonicMs() - startedMs).toBeLessThan(limitMs);
    checkInvariants(this.world);
    return ending.value;
  }

  /** One run that has to die, at a planted fault. */
  async crash(options: SceneRunOptions = {}): Promise<CrashPoint> {
    const ending = await this.world.run(() => this.start(options));
    if (ending.kind === "finished") {
      throw new Error(`the run was to crash and ended: ${ending.value.stopReason}`);
    }
    checkInvariants(this.world);
    return ending.at;
  }

  /** Runs again and again, as a timer does, until no message is left; returns the reports. */
  async runUntilQueueIsEmpty(maxRuns: number, options: SceneRunOptions & { gapMs?: number } = {}) {
    const reports: RunReport[] = [];
    const { gapMs = 15 * MINUTE_MS, ...runOptions } = options;
    while (this.world.queue.messages.length > 0) {
      if (reports.length >= maxRuns) {
        throw new Error(`${this.bodies().join(" ")} still in the queue after ${maxRuns} runs`);
      }
      reports.push(await this.run(runOptions));
      await this.wait(gapMs);
    }
    return reports;
  }

  async wait(ms: number): Promise<void> {
    await this.world.run(() => this.world.clock.sleep(ms));
  }

  /** Calls at a site that took effect. */
  count(site: Site): number {
    return this.world.effects.at(site).filter(({ outcome }) => outcome === "done").length;
  }

  /** The task's records by their key below `records/{scope}/{id}/`. */
  records(id: string): Readonly<Record<string, RecordDocument>> {
    const folder = taskRecordsFolder(this.world.scope, id);
    const keys = this.world.store.keysUnder(folder);
    return Object.fromEntries(
      keys.map((key) => [key.slice(folder.length), JSON.parse(this.world.store.textAt(key) ?? "")]),
    );
  }

  /** Names of the task's records, without revision: `archived.json`, `deleted.json` … */
  recordNames(id: string): readonly string[] {
    return Object.keys(this.records(id)).map((key) => key.slice(key.indexOf("/") + 1));
  }

  /** The first record whose name begins so. */
  record(id: string, name: string): RecordDocument {
    const found = Object.entries(this.records(id)).find(([key]) => key.includes(`/${name}`));
    if (found === undefined) {
      throw new Error(`${id} has no record ${name}, but ${this.recordNames(id).join(", ")}`);
    }
    return found[1];
  }

  /** The keys of a task's objects under `exports/`. */
  objects(id: string): readonly string[] {
    return this.world.store.keysUnder("exports/").filter((key) => key.includes(`/${id}/`));
  }

  bodies(): readonly string[] {
    return this.world.queue.messages.map(({ body }) => body);
  }

  /** The task messages in the queue, parsed. */
  messages(): readonly TaskMessage[] {
    return this.bodies().map((body) => {
      const parsed = parseBody(body);
      if (parsed.kind !== "task") {
        throw new Error(`unreadable: ${parsed.problem}`);
      }
      return parsed.message;
    });
  }

  /** The single message in the queue. */
  message(): TaskMessage {
    const [message, ...more] = this.messages();
    if (message === undefined || more.length > 0) {
      throw new Error(`expected one message, found ${this.bodies().join(" ") || "none"}`);
    }
    return message;
  }

  /** How long until the single message shows, in milliseconds. */
  delayMs(): number {
    const [message] = this.world.queue.messages;
    return (message?.visibleAtMs ?? Number.NaN) - this.world.clock.monotonicMs();
  }

  /** Archived once, deleted, acknowledged, nothing left over: how every healthy task has to end. */
  expectAllDone(ids: readonly string[]): void {
    checkInvariants(this.world);
    for (const id of ids) {
      expect(this.world.platform.has(id), `${id} on the platform`).toBe(false);
      expect(this.recordNames(id)).toEqual(["archived.json", "deleted.json"]);
      const { key = "", sha256 } = this.record(id, "archived").object ?? {};
      expect(this.world.store.entries.get(key)?.sha256).toBe(sha256);
    }
    expect(this.bodies()).toEqual([]);
    expect(this.world.store.openUploads).toEqual([]);
    expect(this.world.queue.deadLetters).toEqual([]);
  }
}

/** A report's single entry. */
export function onlyEntry(report: RunReport): TaskEntry {
  const [entry, ...more] = report.tasks;
  if (entry === undefined || more.length > 0) {
    throw new Error(`expected one entry: ${JSON.stringify(report.tasks)}`);
  }
  return entry;
}

/** Still on the platform, and no delete was asked for. */
export function expectKept(scene: Scene, id: string): void {
  expect(scene.world.platform.has(id)).toBe(true);
  expect(scene.count("platform.deleteExportTask")).toBe(0);
}

/** The run ended because of the system, with something to do about it. */
export function expectSystemFailure(report: RunReport, code: string): void {
  expect(report).toMatchObject({ stopReason: "system-failure", failure: { code } });
  expect(report.failure?.hint).not.toBe("");
}
