import type { PlatformScope } from "../../lib/domain/export-task.ts";
import {
  ARCHIVE_MARKER_KEY,
  exportFolder,
  parseRecordKey,
  recordKey,
  taskRecordsFolder,
} from "../../lib/domain/key-layout.ts";
import { parseArchived, readArchived } from "./judged-documents.ts";
import type { ListedFile, WorldObserver } from "./observer.ts";
import type { JudgedQueue } from "./queue-state.ts";
import type { StoredEntry, StoreState } from "./store-state.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** I1: how old the list may be that a delete relies on. */
const LIST_FRESHNESS_MS = 5_000;

/** The runner that may remove objects. */
const SWEEPER = "sweep";

export interface OracleParts {
  readonly clock: VirtualClock;
  readonly scope: PlatformScope;
  /** Looked up late: the states are made after the oracle that observes them. */
  readonly store: () => StoreState;
  readonly queue: () => JudgedQueue;
  readonly downloadIntervalMs: number;
}

interface SeenList {
  readonly startedAtMs: number;
  readonly files: ReadonlyMap<string, ListedFile>;
}

interface DownloadStart {
  readonly atMs: number;
  readonly runner: string;
  readonly exportTaskId: string;
}

/** Watches every effect as it happens and remembers each broken promise (architecture §2). */
export class Oracle implements WorldObserver {
  readonly #parts: OracleParts;
  readonly #violations: string[] = [];
  readonly #fileSha256s = new Set<string>();
  readonly #fileSha256sByRevision = new Map<string, Set<string>>();
  /** Listed tasks whose file is in the map above; the platform lists an unchanged task as the same object. */
  readonly #known = new WeakSet<ListedFile>();
  readonly #keysWritten = new Set<string>();
  readonly #starts: DownloadStart[] = [];
  #lists: SeenList[] = [];

  constructor(parts: OracleParts) {
    this.#parts = parts;
  }

  /** Every broken promise so far, each beginning with its number. */
  get violations(): readonly string[] {
    return this.#violations;
  }

  fileAppeared(sha256: string): void {
    this.#fileSha256s.add(sha256);
  }

  listed(files: readonly ListedFile[], startedAtMs: number): void {
    const byId = new Map(files.map((file) => [file.task.exportTaskId, file]));
    const oldestMs = this.#nowMs() - 60_000;
    this.#lists = [
      ...this.#lists.filter((list) => list.startedAtMs >= oldestMs),
      { startedAtMs, files: byId },
    ];
    for (const file of files) {
      const { task, revision, fileSha256 } = file;
      if (fileSha256 !== undefined && !this.#known.has(file)) {
        this.#known.add(file);
        const revisionKey = `${task.exportTaskId}/${revision}`;
        const known = this.#fileSha256sByRevision.get(revisionKey) ?? new Set();
        this.#fileSha256sByRevision.set(revisionKey, known.add(fileSha256));
      }
    }
  }

  /**
   * I4: the spacing of requests as they are written, over all runners that share a store which can swap. Elsewhere a queue
   * in the store lets one of them work.
   */
  downloadStarted(exportTaskId: string, runner: string): void {
    const atMs = this.#nowMs();
    const isShared = this.#parts.store().settings.compareAndSwap || this.#parts.queue().settings.inStore;
    const before = this.#starts.findLast((start) => isShared || start.runner === runner);
    const leastMs = (this.#parts.downloadIntervalMs * 30) / 31;
    if (before !== undefined && atMs - before.atMs < leastMs) {
      this.#violate(
        `I4: ${runner} began to download ${exportTaskId} ${atMs - before.atMs} ms after ${before.runner} began ${before.exportTaskId}`,
      );
    }
    this.#starts.push({ atMs, runner, exportTaskId });
  }

  /** I1: some list of the last 5 s showed a revision whose recorded object is complete and the platform's own. */
  taskDeleted(exportTaskId: string, startedAtMs: number): void {
    const recent = this.#lists.filter((list) => list.startedAtMs >= startedAtMs - LIST_FRESHNESS_MS);
    if (recent.length === 0) {
      this.#violate(`I1: ${exportTaskId} was deleted without a list started in the 5 s before`);
      return;
    }
    const problems: string[] = [];
    for (const { files } of recent.toReversed()) {
      const problem = this.#whyNotDeletable(exportTaskId, files.get(exportTaskId));
      if (problem === undefined) {
        return;
      }
      problems.push(problem);
    }
    this.#violate(`I1: ${exportTaskId} was deleted, but ${problems.join("; ")}`);
  }

  /** I2: no key under exports/ is written twice. I6: nothing is completed that the platform never had. */
  objectCompleted(key: string, sha256: string): void {
    if (this.#keysWritten.has(key)) {
      this.#violate(`I2: ${key} was written twice`);
    }
    this.#keysWritten.add(key);
    if (!this.#fileSha256s.has(sha256)) {
      this.#violate(`I6: ${key} was completed with bytes that are not a file of the platform`);
    }
  }

  /** I2: archive runs never remove an object, but for messages of a queue that lies in the store. */
  objectRemoved(key: string, runner: string): void {
    const isOfQueue = this.#parts.queue().settings.inStore && key.startsWith("queue/");
    if (runner !== SWEEPER && !isOfQueue) {
      this.#violate(`I2: ${runner} removed ${key}`);
    }
  }

  /** I10: an archive keeps its marker. Where no runner can create once, of two that begin one together the last wins. */
  #markerWritten(): void {
    const isThere = this.#entryAt(ARCHIVE_MARKER_KEY) !== undefined;
    const isBegun = this.#keysWritten.has(ARCHIVE_MARKER_KEY) && !this.#parts.store().settings.createOnce;
    if (isThere && !isBegun) {
      this.#violate("I10: the marker of the archive was written over");
    }
    this.#keysWritten.add(ARCHIVE_MARKER_KEY);
  }

  /** I2: records are written once, and a further `archived` record only when the object before it is no more. */
  documentWritten(key: string, text: string): void {
    this.#parts.queue().documentWritten(key, text);
    if (key === ARCHIVE_MARKER_KEY) {
      this.#markerWritten();
    }
    if (key.startsWith("exports/")) {
      this.#violate(`I2: the document ${key} was written among the exports`);
    }
    if (!key.startsWith("records/") || !this.#parts.store().settings.createOnce) {
      return;
    }
    if (this.#keysWritten.has(key)) {
      this.#violate(`I2: the record ${key} was written twice`);
    }
    this.#keysWritten.add(key);
    const [, , exportTaskId = ""] = /^records\/[^/]+\/([^/]+)\/([^/]+)\//.exec(key) ?? [];
    const parsed = parseRecordKey(key, taskRecordsFolder(this.#parts.scope, exportTaskId));
    if (parsed?.name === "archived" && parsed.number > 1) {
      const now = parseArchived(text);
      const before = this.#archivedObject(exportTaskId, parsed.revision, parsed.number - 1);
      // One that names another task's object, copied here by somebody, is as good as unreadable.
      const isOwn = before?.key.includes(`/${exportTaskId}/`) === true;
      if (isOwn && before?.isIntact === true && before.key !== now?.key) {
        this.#violate(`I2: ${key} was written while the object recorded before it, ${before.key}, is intact`);
      }
    }
  }

  /** I3, at the end of a story: every id that entered the queue is still there or has a recorded end. */
  findLostIds(): readonly string[] {
    const { queue, scope, store } = this.#parts;
    const held = queue().idsHeld();
    const letters = queue().deadLetters.map(({ body }) => body);
    return [...queue().idsEntered].filter((id) => {
      const hasRecord = store().keysUnder(taskRecordsFolder(scope, id)).length > 0;
      return !held.has(id) && !hasRecord && !letters.some((body) => body.includes(id));
    });
  }

  #whyNotDeletable(exportTaskId: string, listed: ListedFile | undefined): string | undefined {
    if (listed === undefined) {
      return "the list did not show it";
    }
    const { revision } = listed;
    if (listed.task.status !== "Success") {
      return `the list showed it as ${listed.task.status}`;
    }
    const number = this.#highestArchivedNumber(exportTaskId, revision);
    const object = this.#archivedObject(exportTaskId, revision, number);
    if (object === undefined) {
      return `revision ${revision} has no readable archived record`;
    }
    if (!object.key.startsWith(exportFolder(this.#parts.scope, listed.task))) {
      return `its record names ${object.key}, outside the task's own folder`;
    }
    if (!object.isIntact) {
      return `the recorded object ${object.key} is missing or not what the record says`;
    }
    const served = this.#fileSha256sByRevision.get(`${exportTaskId}/${revision}`);
    if (served?.has(object.sha256) !== true) {
      return `${object.key} holds bytes the platform never had for revision ${revision}`;
    }
    // Siblings may share one file: what this delete may destroy must be in the store, whoever archived it.
    const { fileSha256 } = listed;
    const isKept =
      fileSha256 === undefined || fileSha256 === object.sha256 || this.#isRecordedAnywhere(fileSha256);
    return isKept ? undefined : `the file it showed then is in no recorded object`;
  }

  #highestArchivedNumber(exportTaskId: string, revision: string): number {
    const folder = taskRecordsFolder(this.#parts.scope, exportTaskId);
    const numbers = this.#parts
      .store()
      .keysUnder(folder)
      .map((key) => parseRecordKey(key, folder))
      .filter((parsed) => parsed?.name === "archived" && parsed.revision === revision)
      .map((parsed) => parsed?.number ?? 1);
    return Math.max(1, ...numbers);
  }

  #archivedObject(
    exportTaskId: string,
    revision: string,
    number: number,
  ): { key: string; sha256: string; isIntact: boolean } | undefined {
    const key = recordKey(this.#parts.scope, exportTaskId, revision, "archived", number);
    const object = readArchived(this.#entryAt(key));
    return object && { ...object, isIntact: this.#entryAt(object.key)?.sha256 === object.sha256 };
  }

  #isRecordedAnywhere(sha256: string): boolean {
    const store = this.#parts.store();
    return store.keysUnder("records/").some((key) => {
      const object = /\/archived(-\d+)?\.json$/.test(key) ? readArchived(this.#entryAt(key)) : undefined;
      return object?.sha256 === sha256 && this.#entryAt(object.key)?.sha256 === sha256;
    });
  }

  #entryAt(key: string): StoredEntry | undefined {
    return this.#parts.store().entries.get(key);
  }

  #nowMs(): number {
    return this.#parts.clock.monotonicMs();
  }

  #violate(violation: string): void {
    this.#violations.push(`${violation} (at ${this.#nowMs()} ms)`);
  }
}
