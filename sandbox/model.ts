import { randomBytes } from "node:crypto";
import type { ResultFiles } from "./files.ts";
import { nowMs } from "./kit/request-log.ts";
import type { MadeFile, RemovalReason, SandboxEvent, SandboxState } from "./state.ts";
import {
  conditionKeyOf,
  type Overwrite,
  type StoredTask,
  statusAt,
  type TaskPatch,
  type TaskSpec,
} from "./task.ts";

/** What a new export is made from. */
export type NewExport = Pick<StoredTask, "condition" | "appType" | "appId">;

/** The tasks of the account and the rules the platform keeps over them (iotda-api §1.6). */
export class TaskModel {
  readonly #state: SandboxState;
  readonly #files: ResultFiles;
  /** Changes wait for each other, as making a file takes time: limits hold for simultaneous creates. */
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor(state: SandboxState, files: ResultFiles) {
    this.#state = state;
    this.#files = files;
  }

  /** The platform's clock, which may be off, in epoch milliseconds. */
  platformMs(): number {
    return Date.now() + this.#state.settings.dateSkewMs;
  }

  /** @returns the new task, or `undefined` when too many are unfinished. */
  async create(request: NewExport): Promise<StoredTask | undefined> {
    return await this.#exclusively(async () => {
      const { settings } = this.#state;
      const now = this.platformMs();
      const tasks = [...this.#state.tasks.values()];
      if (
        tasks.filter((task) => statusAt(task, now) === "Processing").length >= settings.maxUnfinishedTasks
      ) {
        return undefined;
      }
      const earlier = tasks.find((task) => conditionKeyOf(task) === conditionKeyOf(request));
      if (earlier !== undefined && settings.sameCondition === "same-id") {
        return await this.#startOver(earlier, { finishesAfterMs: settings.processingMs });
      }
      return await this.#put(
        {
          ...request,
          exportTaskId: newTaskId(),
          exportCount: 3,
          fillerBytes: settings.createdFillerBytes,
          container: "zip",
        },
        { status: "Processing", finalStatus: "Success", finishesAfterMs: settings.processingMs },
        earlier,
      );
    });
  }

  /** Puts a task there by force: of the limits, only the number of places applies. */
  async add(spec: TaskSpec): Promise<StoredTask> {
    return await this.#exclusively(async () => {
      const exportTaskId = spec.exportTaskId ?? newTaskId();
      const condition = spec.condition ?? { task_id: newTaskId() };
      return await this.#put({ ...spec, exportTaskId, condition, appId: spec.appId }, spec, undefined);
    });
  }

  /** @returns the task with its new file, or `undefined` when there is no such task. */
  async overwrite(exportTaskId: string, change: Overwrite): Promise<StoredTask | undefined> {
    return await this.#exclusively(async () => {
      const task = this.#state.tasks.get(exportTaskId);
      return task === undefined ? undefined : await this.#startOver(task, change);
    });
  }

  /** @returns the changed task, or `undefined` when there is no such task. */
  async patch(exportTaskId: string, patch: TaskPatch): Promise<StoredTask | undefined> {
    return await this.#exclusively(async () => {
      const task = this.#state.tasks.get(exportTaskId);
      if (task === undefined) {
        return undefined;
      }
      const { status = statusAt(task, this.platformMs()), exportCount = task.exportCount } = patch;
      const ended = status === "Processing" ? undefined : (task.endTime ?? isoTime(this.platformMs()));
      const endTime = patch.endTime ?? ended;
      const { listedAs = task.listedAs } = patch;
      const changed: StoredTask = {
        ...task,
        status,
        exportCount,
        endTime,
        listedAs,
        finishesAtMs: undefined,
      };
      this.#state.commit({ type: "task-put", task: changed });
      return changed;
    });
  }

  /** @returns whether there was such a task. */
  async remove(exportTaskId: string, reason: RemovalReason): Promise<boolean> {
    return await this.#exclusively(async () => {
      const task = this.#state.tasks.get(exportTaskId);
      if (task === undefined) {
        return false;
      }
      this.#state.commit(removed(task, reason));
      await this.#files.remove(task);
      return true;
    });
  }

  async #put(
    wanted: Pick<
      StoredTask,
      "exportTaskId" | "condition" | "appType" | "appId" | "exportCount" | "fillerBytes" | "container"
    >,
    course: Pick<TaskSpec, "status" | "finalStatus" | "finishesAfterMs" | "createTime" | "endTime">,
    replaces: StoredTask | undefined,
  ): Promise<StoredTask> {
    const generation = this.#state.lastGenerationOf(wanted.exportTaskId) + 1;
    const file = await this.#files.make({ ...wanted, generation });
    const now = this.platformMs();
    const createTime = course.createTime ?? isoTime(now);
    const task: StoredTask = {
      exportTaskId: wanted.exportTaskId,
      condition: wanted.condition,
      appType: wanted.appType,
      appId: wanted.appId,
      exportCount: wanted.exportCount,
      fillerBytes: wanted.fillerBytes,
      container: wanted.container,
      recordId: recordIdOf(createTime, now, this.#state.files.length),
      createTime,
      status: course.status,
      finalStatus: course.finalStatus,
      ...endingOf(course, now),
      generation,
    };
    const held = this.#state.tasks.get(task.exportTaskId);
    const gone = [held, replaces].filter((one) => one !== undefined);
    const events = [...gone.map((one) => removed(one, "overwritten")), ...this.#evictionsFor(gone)];
    await this.#commit(file, task, events);
    return task;
  }

  /** The same id starts over: a new file, a new end time, another count (iotda-api §1.6). */
  async #startOver(task: StoredTask, change: Overwrite): Promise<StoredTask> {
    const { fillerBytes = task.fillerBytes, container = task.container } = change;
    const exportCount = change.exportCount ?? task.exportCount + 1;
    const generation = this.#state.lastGenerationOf(task.exportTaskId) + 1;
    const renewed = { ...task, exportCount, fillerBytes, container, generation };
    const file = await this.#files.make(renewed);
    const ending = endingOf({ status: "Processing", ...change, endTime: undefined }, this.platformMs());
    const started: StoredTask = { ...renewed, status: "Processing", finalStatus: "Success", ...ending };
    await this.#commit(file, started, [{ ...removed(task, "overwritten"), type: "file-replaced" }]);
    return started;
  }

  /** The oldest tasks make room, silently (iotda-api §1.6). */
  #evictionsFor(gone: readonly StoredTask[]): RemovedEvent[] {
    const staying = this.#state.newestFirst().filter((task) => !gone.includes(task));
    return staying.slice(this.#state.settings.maxTasks - 1).map((task) => removed(task, "evicted"));
  }

  async #commit(file: MadeFile, task: StoredTask, removals: readonly RemovedEvent[]): Promise<void> {
    this.#state.commit(...removals, { type: "file-made", file }, { type: "task-put", task });
    await Promise.all(removals.map(({ removal }) => this.#files.remove(removal)));
  }

  async #exclusively<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#lastChange.then(change);
    this.#lastChange = result.catch(() => undefined);
    return await result;
  }
}

type RemovedEvent = Extract<SandboxEvent, { type: "task-removed" | "file-replaced" }>;

function removed(task: StoredTask, reason: RemovalReason): RemovedEvent {
  const { exportTaskId, generation } = task;
  return { type: "task-removed", removal: { exportTaskId, generation, reason, atMs: nowMs() } };
}

function endingOf(
  course: Pick<TaskSpec, "status" | "finishesAfterMs" | "endTime">,
  platformMs: number,
): Pick<StoredTask, "finishesAtMs" | "endTime"> {
  if (course.status !== "Processing") {
    return { finishesAtMs: undefined, endTime: course.endTime ?? isoTime(platformMs) };
  }
  if (course.finishesAfterMs === undefined) {
    return { finishesAtMs: undefined, endTime: course.endTime };
  }
  const finishesAtMs = platformMs + course.finishesAfterMs;
  return { finishesAtMs, endTime: course.endTime ?? isoTime(finishesAtMs) };
}

function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

function newTaskId(): string {
  return randomBytes(12).toString("hex");
}

/** Time of creation, then order of arrival: what makes a task the oldest one. */
function recordIdOf(createTime: string, nowPlatformMs: number, sequence: number): string {
  const compact = createTime.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z");
  const parsedMs = Date.parse(compact);
  const createdMs = Number.isNaN(parsedMs) ? nowPlatformMs : Math.max(0, parsedMs);
  return hex12(createdMs) + hex12(sequence);
}

function hex12(value: number): string {
  return Math.trunc(value).toString(16).padStart(12, "0");
}
