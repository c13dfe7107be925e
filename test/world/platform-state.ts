import { type ExportTask, revisionOf } from "../../lib/domain/export-task.ts";
import type { CreateExportTaskRequest, OddItem } from "../../lib/ports/platform.ts";
import { type ExportFile, exportFile } from "./export-file.ts";
import { type FileEnd, FileHistory } from "./file-history.ts";
import type { ListedFile, WorldObserver } from "./observer.ts";
import type { PlatformSettings } from "./platform-settings.ts";
import { platformError, throttledError } from "./port-errors.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import { type NewWorldTask, toExportTask, type WorldTask } from "./world-task.ts";

/** The platform itself: its tasks, files and limits. Runners reach it through `WorldPlatform` only. */
export class PlatformState {
  readonly settings: PlatformSettings;
  /** Items of no task of ours that every list shows and that cannot be understood. */
  readonly oddItems: Omit<OddItem, "index">[] = [];
  /** How the lists show a task that they distort, by its id; it is there all the same. */
  readonly distorted = new Map<string, Omit<OddItem, "index">>();
  readonly history = new FileHistory();
  readonly #clock: VirtualClock;
  readonly #observer: WorldObserver;
  readonly #tasks = new Map<string, WorldTask>();
  readonly #files = new Map<string, ExportFile>();
  readonly #evicted: string[] = [];
  #sequence = 0;
  #lastStartMs = Number.NEGATIVE_INFINITY;

  constructor(settings: PlatformSettings, clock: VirtualClock, observer: WorldObserver) {
    this.settings = settings;
    this.#clock = clock;
    this.#observer = observer;
  }

  /** Ids that the task limit destroyed, in order. */
  get evicted(): readonly string[] {
    return this.#evicted;
  }

  /** Puts a task on the platform without any call: what users did before. Returns its id. */
  addTask(task: NewWorldTask = {}): string {
    const sequence = ++this.#sequence;
    const nowMs = this.#clock.monotonicMs();
    const exportTaskId = task.exportTaskId ?? `5f2d9c3a${sequence.toString(16).padStart(16, "0")}`;
    const resourceCondition = task.resourceCondition ?? { task_id: `batch-${sequence}` };
    const status = task.status ?? "Success";
    const file = task.file ?? exportFile(sequence);
    const exportCount = task.exportCount ?? sequence;
    const added: WorldTask = {
      exportTaskId,
      sequence,
      resourceCondition,
      fileKey: JSON.stringify(resourceCondition),
      createdAtMs: task.createdAtMs ?? this.#clock.wallMs(),
      status,
      endTimeMs: status === "Processing" ? undefined : this.#clock.wallMs(),
      exportCount: status === "Processing" ? undefined : exportCount,
      view: undefined,
      ending: undefined,
    };
    if (status === "Processing") {
      const atMs = nowMs + (task.processingMs ?? 10_000);
      added.ending = { atMs, status: task.endsAs ?? "Success", exportCount, file };
    }
    this.#tasks.set(exportTaskId, added);
    if (status === "Success") {
      this.#setFile(added.fileKey, file);
    }
    this.#evict();
    return exportTaskId;
  }

  /** The file a task's download would give now. */
  fileOf(exportTaskId: string): ExportFile | undefined {
    const task = this.#task(exportTaskId);
    return task?.status === "Success" ? this.#files.get(task.fileKey) : undefined;
  }

  /** Whether the platform still holds this task. */
  has(exportTaskId: string): boolean {
    return this.#task(exportTaskId) !== undefined;
  }

  /** Every task with its file, newest first. */
  list(): readonly ListedFile[] {
    this.#settle();
    return [...this.#tasks.values()]
      .sort((a, b) => b.sequence - a.sequence)
      .map((task) => {
        const fileSha256 = task.status === "Success" ? this.#files.get(task.fileKey)?.sha256 : undefined;
        if (task.view === undefined || task.view.fileSha256 !== fileSha256) {
          const shown = toExportTask(task);
          task.view = { task: shown, revision: revisionOf(shown), fileSha256 };
        }
        return task.view;
      });
  }

  /**
   * A download request has been written: checks the pace, then gives the file.
   *
   * @throws PlatformError `platform-throttled`, or `platform-task-not-found`.
   */
  startDownload(exportTaskId: string, runner: string): ExportFile {
    this.#observer.downloadStarted(exportTaskId, runner);
    const nowMs = this.#clock.monotonicMs();
    const isTooEarly = nowMs - this.#lastStartMs < this.settings.minSpacingMs;
    if (!isTooEarly || this.settings.refusedCounts) {
      this.#lastStartMs = nowMs;
    }
    if (isTooEarly) {
      throw throttledError(this.settings.throttleAnswer, this.settings.retryAfterMs);
    }
    const file = this.fileOf(exportTaskId);
    if (file === undefined) {
      throw notFound();
    }
    return file;
  }

  /** Deletes as the platform does. Throws `platform-task-not-found` for an unknown id. */
  deleteTask(exportTaskId: string, startedAtMs: number): void {
    const task = this.#task(exportTaskId);
    if (task === undefined) {
      throw notFound();
    }
    this.#observer.taskDeleted(exportTaskId, startedAtMs);
    this.#remove(task, "deleted", startedAtMs);
  }

  /** Somebody else removes a task: another tool, or a person. */
  removeTask(exportTaskId: string): void {
    const task = this.#task(exportTaskId);
    if (task !== undefined) {
      this.#remove(task, "removed");
    }
  }

  /** Replaces a task's file and gives it a new end time and row count, as a same-condition create may do. */
  overwriteTask(exportTaskId: string, file: ExportFile, exportCount?: number): void {
    const task = this.#task(exportTaskId);
    if (task === undefined) {
      throw new Error(`the platform has no task ${exportTaskId} to overwrite`);
    }
    task.view = undefined;
    task.endTimeMs = this.#clock.wallMs();
    task.exportCount = exportCount ?? (task.exportCount ?? 0) + 1;
    this.#setFile(task.fileKey, file);
  }

  /** Gives a task an undocumented status, and leaves its file and times alone. */
  changeStatus(exportTaskId: string, status: string): void {
    const task = this.#task(exportTaskId);
    if (task === undefined) {
      throw new Error(`the platform has no task ${exportTaskId} whose status could change`);
    }
    task.view = undefined;
    task.status = status;
  }

  /** Creates an export. Throws `platform-rejected-request` beyond the limit of unfinished ones. */
  create(request: CreateExportTaskRequest, processingMs: number): ExportTask {
    this.#settle();
    const unfinished = [...this.#tasks.values()].filter((task) => task.ending !== undefined);
    if (unfinished.length >= this.settings.unfinishedLimit) {
      throw platformError("platform-rejected-request", { httpStatus: 400 });
    }
    const { resourceCondition } = request;
    const fileKey = JSON.stringify(resourceCondition);
    const same = [...this.#tasks.values()].find((task) => task.fileKey === fileKey);
    if (same === undefined || this.settings.sameCondition === "new-id") {
      const exportTaskId = this.addTask({ status: "Processing", resourceCondition, processingMs });
      return toExportTask(this.#taskOrThrow(exportTaskId));
    }
    const revisionSeed = ++this.#sequence;
    // Its old file is out of reach from here on.
    this.history.end(same.exportTaskId, "overwritten", this.#clock.monotonicMs());
    same.view = undefined;
    same.status = "Processing";
    same.endTimeMs = undefined;
    same.exportCount = undefined;
    const atMs = this.#clock.monotonicMs() + processingMs;
    same.ending = { atMs, status: "Success", exportCount: revisionSeed, file: exportFile(revisionSeed) };
    return toExportTask(same);
  }

  #task(exportTaskId: string): WorldTask | undefined {
    this.#settle();
    return this.#tasks.get(exportTaskId);
  }

  #taskOrThrow(exportTaskId: string): WorldTask {
    const task = this.#task(exportTaskId);
    if (task === undefined) {
      throw notFound();
    }
    return task;
  }

  /** Ends the exports whose time has come, in that order. Done at each look instead of by wake-ups. */
  #settle(): void {
    const nowMs = this.#clock.monotonicMs();
    const due = [...this.#tasks.values()]
      .flatMap((task) =>
        task.ending !== undefined && task.ending.atMs <= nowMs ? [{ task, ending: task.ending }] : [],
      )
      .sort((a, b) => a.ending.atMs - b.ending.atMs);
    for (const { task, ending } of due) {
      task.view = undefined;
      task.status = ending.status;
      task.endTimeMs = this.#clock.wallMs() - (nowMs - ending.atMs);
      task.exportCount = ending.exportCount;
      task.ending = undefined;
      if (ending.status === "Success") {
        this.#setFile(task.fileKey, ending.file, ending.atMs);
      }
    }
  }

  #setFile(fileKey: string, file: ExportFile, atMs = this.#clock.monotonicMs()): void {
    this.#observer.fileAppeared(file.sha256);
    this.#files.set(fileKey, file);
    for (const task of this.#tasksWithFile(fileKey)) {
      this.history.begin(task.exportTaskId, file.sha256, atMs);
    }
  }

  #tasksWithFile(fileKey: string): readonly WorldTask[] {
    return [...this.#tasks.values()].filter((task) => task.fileKey === fileKey && task.status === "Success");
  }

  #remove(task: WorldTask, by: FileEnd, requestedAtMs?: number): void {
    const nowMs = this.#clock.monotonicMs();
    this.history.end(task.exportTaskId, by, nowMs, requestedAtMs);
    this.#tasks.delete(task.exportTaskId);
    const isShared = [...this.#tasks.values()].some((other) => other.fileKey === task.fileKey);
    if (!isShared || this.settings.deleteRemovesSharedFile) {
      this.#files.delete(task.fileKey);
      for (const other of this.#tasksWithFile(task.fileKey)) {
        this.history.end(other.exportTaskId, by, nowMs, requestedAtMs);
      }
    }
  }

  #evict(): void {
    while (this.#tasks.size > this.settings.taskLimit) {
      const [earliest] = [...this.#tasks.values()].sort((a, b) => a.sequence - b.sequence);
      if (earliest === undefined) {
        return;
      }
      this.#evicted.push(earliest.exportTaskId);
      this.#remove(earliest, "evicted");
    }
  }
}

function notFound(): Error {
  return platformError("platform-task-not-found", { httpStatus: 404, platformCode: "IOTDA.014003" });
}
