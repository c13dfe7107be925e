import { idempotencyKeyOf, type PlatformScope } from "../domain/export-task.ts";
import { parseRecordKey, type RecordName, recordsRoot, taskRecordsFolder } from "../domain/key-layout.ts";
import type { LeftAlone } from "../domain/left-alone.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { type ArchivedRecord, archivedRecordSchema, type DeadLetterRecord, parseRecord } from "./schemas.ts";

/** What the store knows about one revision of a task. */
export interface RevisionRecords {
  readonly revision: string;
  /** The archived record with the highest number; `undefined` when there is none or it cannot be read. */
  readonly archived: ArchivedRecord | undefined;
  /** The highest number of an archived record, readable or not; 0 when there is none. */
  readonly archivedNumber: number;
  readonly deleted: boolean;
  /** The highest number of a dead-letter record; 0 when there is none. */
  readonly deadLetterNumber: number;
  readonly deadLetter: DeadLetterRecord | undefined;
  readonly expired: boolean;
  /** The newest records that are there and say nothing we can rely on. */
  readonly unreadable: readonly RecordName[];
}

/** All records of one task, by revision. */
export interface TaskRecords {
  readonly revisions: ReadonlyMap<string, RevisionRecords>;
  /** What lies among them and cannot be understood. */
  readonly leftAlone: readonly LeftAlone[];
}

/** The highest number of each record found for one revision; 0 = none. */
export type RecordNumbers = Record<RecordName, number>;

/** Sorts listed record keys by revision; keys that are not records of this folder are passed over. */
export function numbersByRevision(keys: Iterable<string>, folder: string): Map<string, RecordNumbers> {
  const byRevision = new Map<string, RecordNumbers>();
  for (const key of keys) {
    const parsed = parseRecordKey(key, folder);
    if (parsed === undefined) {
      continue;
    }
    const numbers = byRevision.get(parsed.revision) ?? {
      archived: 0,
      deleted: 0,
      "dead-letter": 0,
      retained: 0,
      expired: 0,
    };
    numbers[parsed.name] = Math.max(numbers[parsed.name], parsed.number);
    byRevision.set(parsed.revision, numbers);
  }
  return byRevision;
}

/** The records of one revision; all empty when nothing is known of it. */
export function recordsOfRevision(records: TaskRecords, revision: string): RevisionRecords {
  return (
    records.revisions.get(revision) ?? {
      revision,
      archived: undefined,
      archivedNumber: 0,
      deleted: false,
      deadLetterNumber: 0,
      deadLetter: undefined,
      expired: false,
      unreadable: [],
    }
  );
}

/**
 * Every readable `archived` record of a project and instance, one by one.
 *
 * @param sinceMs leaves out what was written before.
 * @throws what the store throws: that is never "none".
 */
export async function* archivedRecords(
  store: Pick<ObjectStore, "list" | "getDocument">,
  scope: PlatformScope,
  sinceMs: number,
  options: CallOptions,
): AsyncGenerator<ArchivedRecord> {
  const root = recordsRoot(scope);
  for await (const { key, modifiedAtMs } of store.list(root, options)) {
    const [exportTaskId = ""] = key.slice(root.length).split("/", 1);
    const parsed = parseRecordKey(key, taskRecordsFolder(scope, exportTaskId));
    if (parsed?.name !== "archived" || modifiedAtMs < sinceMs) {
      continue;
    }
    const record = parseRecord(archivedRecordSchema, await store.getDocument(key, options));
    if (record?.idempotencyKey === idempotencyKeyOf(scope, exportTaskId, parsed.revision)) {
      yield record;
    }
  }
}
