import { join } from "node:path";
import type { FaultRule } from "./faults.ts";
import { afterMeeting, type FaultProgress } from "./kit/faults.ts";
import { Journal } from "./kit/journal.ts";
import { changedSettings, type Settings, type SettingsPatch } from "./settings.ts";
import type { StoredTask } from "./task.ts";

/** One result file that was ever made. */
export interface MadeFile {
  readonly exportTaskId: string;
  readonly generation: number;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Why a task, or the earlier file of a task, is no longer there. */
export type RemovalReason = "deleted" | "evicted" | "overwritten" | "control";

/** One task, or one overwritten file of a task, that is gone. */
export interface Removal {
  readonly exportTaskId: string;
  readonly generation: number;
  readonly reason: RemovalReason;
  /** Epoch milliseconds. */
  readonly atMs: number;
}

/** Everything that changes the platform; a line of the journal holds the events of one change. */
export type SandboxEvent =
  | { readonly type: "settings-changed"; readonly patch: SettingsPatch }
  | { readonly type: "file-made"; readonly file: MadeFile }
  | { readonly type: "task-put"; readonly task: StoredTask }
  | { readonly type: "task-removed"; readonly removal: Removal }
  | { readonly type: "file-replaced"; readonly removal: Removal }
  | { readonly type: "download-counted"; readonly atMs: number }
  | { readonly type: "fault-scripted"; readonly rule: FaultRule }
  | { readonly type: "fault-met"; readonly index: number }
  | { readonly type: "faults-cleared" };

/** The platform's state: the default settings, and every event since, replayed. */
export class SandboxState {
  settings: Settings;
  readonly tasks = new Map<string, StoredTask>();
  readonly files: MadeFile[] = [];
  readonly removals: Removal[] = [];
  faults: FaultProgress<FaultRule>[] = [];
  /** Epoch milliseconds of the last download that moved the window. */
  lastDownloadMs: number | undefined;
  readonly #journal: Journal<readonly SandboxEvent[]>;

  /** @param folder where the journal lies; an existing one is replayed on top of the default `settings`. */
  constructor(folder: string, settings: Settings) {
    this.settings = settings;
    this.#journal = new Journal(join(folder, "journal.jsonl"));
    for (const event of this.#journal.entries.flat()) {
      this.#apply(event);
    }
  }

  /** Makes one change, whole or not at all, durable before it shows. */
  commit(...events: readonly SandboxEvent[]): void {
    if (events.length === 0) {
      return;
    }
    this.#journal.append(events);
    for (const event of events) {
      this.#apply(event);
    }
  }

  /** Newest first, as the platform lists (iotda-api §1.4). */
  newestFirst(): StoredTask[] {
    return [...this.tasks.values()].sort((a, b) => (a.recordId < b.recordId ? 1 : -1));
  }

  /** How many files were made for an id, including those of removed tasks. */
  lastGenerationOf(exportTaskId: string): number {
    return this.files.findLast((file) => file.exportTaskId === exportTaskId)?.generation ?? 0;
  }

  close(): void {
    this.#journal.close();
  }

  #apply(event: SandboxEvent): void {
    switch (event.type) {
      case "settings-changed":
        this.settings = changedSettings(this.settings, event.patch);
        return;
      case "file-made":
        this.files.push(event.file);
        return;
      case "task-put":
        this.tasks.set(event.task.exportTaskId, event.task);
        return;
      case "task-removed":
        this.tasks.delete(event.removal.exportTaskId);
        this.removals.push(event.removal);
        return;
      case "file-replaced":
        this.removals.push(event.removal);
        return;
      case "download-counted":
        this.lastDownloadMs = event.atMs;
        return;
      case "fault-scripted":
        this.faults.push({ rule: event.rule, met: 0 });
        return;
      case "fault-met":
        this.faults = afterMeeting(this.faults, event.index);
        return;
      case "faults-cleared":
        this.faults = [];
        return;
    }
  }
}
