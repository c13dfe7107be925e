import type { ArchiveEvent } from "../archive/events.ts";

/** One task in flight, as the live view shows it. */
export interface TaskProgress {
  readonly exportTaskId: string;
  phase: "looking" | "waiting" | "downloading" | "verifying" | "deleting";
  /** While waiting: when its slot begins. */
  startsAtMs?: number;
  receivedBytes: number;
  expectedBytes?: number | undefined;
}

/** What the live view knows: the events of a run, summed up. */
export class Progress {
  held: number | undefined;
  archived = 0;
  deleted = 0;
  archivedBytes = 0;
  failed = 0;
  deadLettered = 0;
  /** Set while nothing is ready. */
  idleUntilMs: number | undefined;
  readonly inFlight = new Map<string, TaskProgress>();

  note(event: ArchiveEvent): void {
    switch (event.kind) {
      case "run-started":
      case "listed":
        this.held = event.held;
        return;
      case "task-started":
        this.idleUntilMs = undefined;
        this.inFlight.set(event.exportTaskId, {
          exportTaskId: event.exportTaskId,
          phase: "looking",
          receivedBytes: 0,
        });
        return;
      case "slot-awaited":
        this.#move(event.exportTaskId, { phase: "waiting", startsAtMs: event.startsAtMs });
        return;
      case "download-started":
        this.#move(event.exportTaskId, { phase: "downloading", expectedBytes: event.expectedSizeBytes });
        return;
      case "bytes":
        this.#move(event.exportTaskId, { receivedBytes: event.receivedBytes });
        return;
      case "verifying":
        this.#move(event.exportTaskId, { phase: "verifying" });
        return;
      case "archived":
        this.archived += 1;
        this.archivedBytes += event.sizeBytes;
        this.#move(event.exportTaskId, { phase: "deleting" });
        return;
      case "deleted":
        this.deleted += event.outcome === "deleted" ? 1 : 0;
        return;
      case "task-ended":
        this.deadLettered += event.entry.outcome === "dead-lettered" ? 1 : 0;
        this.inFlight.delete(event.entry.exportTaskId);
        return;
      case "failed":
        this.failed += 1;
        this.inFlight.delete(event.exportTaskId);
        return;
      case "idle":
        this.idleUntilMs = event.untilMs;
        return;
      case "throttled":
      case "verification-failed":
      case "export-lost":
      case "lease-lost":
      case "left-alone":
      case "warning":
      case "run-ended":
        return;
    }
  }

  #move(exportTaskId: string, change: Partial<TaskProgress>): void {
    const task = this.inFlight.get(exportTaskId);
    if (task !== undefined) {
      Object.assign(task, change);
    }
  }
}
