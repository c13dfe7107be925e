import type { ExportTask } from "../../lib/domain/export-task.ts";

/** One task of a list as it was answered, with the file the platform held for it at that moment. */
export interface ListedFile {
  readonly task: ExportTask;
  readonly revision: string;
  /** `undefined` when the platform had no file for it. */
  readonly fileSha256: string | undefined;
}

/** Who watches the world's effects as they happen; the oracle does. Each is called before the change is made. */
export interface WorldObserver {
  listed(files: readonly ListedFile[], startedAtMs: number): void;
  downloadStarted(exportTaskId: string, runner: string): void;
  fileAppeared(sha256: string): void;
  taskDeleted(exportTaskId: string, startedAtMs: number): void;
  objectCompleted(key: string, sha256: string): void;
  objectRemoved(key: string, runner: string): void;
  documentWritten(key: string, text: string): void;
}

/** For a store that is not an archive. */
export const UNWATCHED: WorldObserver = {
  listed: () => undefined,
  downloadStarted: () => undefined,
  fileAppeared: () => undefined,
  taskDeleted: () => undefined,
  objectCompleted: () => undefined,
  objectRemoved: () => undefined,
  documentWritten: () => undefined,
};
