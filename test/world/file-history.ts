/** What took a file away from a task. */
export type FileEnd =
  /** Our own delete request, of the task itself or of one that shares the file. */
  | "deleted"
  /** The limit of tasks. */
  | "evicted"
  /** Somebody else's delete. */
  | "removed"
  /** A create with the same condition. */
  | "overwritten";

/** A file that a finished task gave for a while. */
export interface HistoricFile {
  readonly exportTaskId: string;
  readonly sha256: string;
  readonly fromMs: number;
  endedBy: FileEnd | undefined;
  endedAtMs: number | undefined;
  /** When the delete request was made that took it away. */
  requestedAtMs: number | undefined;
}

/** Which files each task ever had, and what became of them: the truth that archives are measured by. */
export class FileHistory {
  readonly #files: HistoricFile[] = [];
  readonly #current = new Map<string, HistoricFile>();

  get all(): readonly HistoricFile[] {
    return this.#files;
  }

  /** The task gives this file from now on. */
  begin(exportTaskId: string, sha256: string, nowMs: number): void {
    this.end(exportTaskId, "overwritten", nowMs);
    const file: HistoricFile = {
      exportTaskId,
      sha256,
      fromMs: nowMs,
      endedBy: undefined,
      endedAtMs: undefined,
      requestedAtMs: undefined,
    };
    this.#files.push(file);
    this.#current.set(exportTaskId, file);
  }

  /** The task does not give its file any more. */
  end(exportTaskId: string, endedBy: FileEnd, nowMs: number, requestedAtMs?: number): void {
    const file = this.#current.get(exportTaskId);
    if (file !== undefined) {
      file.endedBy = endedBy;
      file.endedAtMs = nowMs;
      file.requestedAtMs = requestedAtMs;
      this.#current.delete(exportTaskId);
    }
  }
}
