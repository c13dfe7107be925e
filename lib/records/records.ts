import { ArchiverError } from "../domain/errors.ts";
import { idempotencyKeyOf, type PlatformScope } from "../domain/export-task.ts";
import {
  deadLetterKey,
  MAX_RECORD_NUMBER,
  type RecordName,
  recordKey,
  taskRecordsFolder,
} from "../domain/key-layout.ts";
import type { LeftAlone } from "../domain/left-alone.ts";
import { allEnded } from "../domain/promises.ts";
import { type ObjectStore, type StoreAbilities, StoreError } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { createOnce } from "./create-once.ts";
import { type Holds, HoldsReader } from "./holds.ts";
import {
  type ArchivedRecord,
  archivedRecordSchema,
  type DeadLetterRecord,
  type DeletedRecord,
  deadLetterRecordSchema,
  isOwnArchived,
  parseRecord,
  SCHEMA_VERSION,
} from "./schemas.ts";
import {
  numbersByRevision,
  type RecordNumbers,
  type RevisionRecords,
  type TaskRecords,
} from "./task-records.ts";

/** The code of the error for a task whose folder is full of files that this program did not write. */
export const RECORDS_OVERFLOW = "records-overflow";

/**
 * Whether the records of one task cannot be read while the store is well: they are too many, or a lifecycle rule has
 * moved one into an archive class. That must keep no other task from being worked on.
 */
export function isOnlyThisTask(error: unknown): error is ArchiverError {
  return (
    error instanceof ArchiverError &&
    (error.code === RECORDS_OVERFLOW || error.code === "store-object-cold" || isOddPlace(error))
  );
}

/** Something odd lies in the way, such as a folder that is a symbolic link. */
function isOddPlace(error: ArchiverError): boolean {
  return error instanceof StoreError && error.scope === "task" && error.retry === "never";
}

/** A task with more record files than this is not worked on: something else is writing there. */
const MAX_RECORDS_PER_TASK = 2_000;
/** How many taken numbers are passed over before giving up. */
const MAX_RECORD_NUMBER_TRIES = 20;

/** Which record stands after an attempt to write one. */
export interface WrittenRecord {
  readonly standing: ArchivedRecord;
  /** Whether the standing record is the one that was to be written. */
  readonly won: boolean;
}

/** The durable ledger of what was archived, deleted and given up, kept in the object store (architecture §6.3). */
export class Records {
  readonly #store: ObjectStore;
  readonly #holds: HoldsReader;
  readonly #scope: PlatformScope;
  readonly #abilities: Pick<StoreAbilities, "createOnce">;

  constructor(store: ObjectStore, scope: PlatformScope, abilities: Pick<StoreAbilities, "createOnce">) {
    this.#store = store;
    this.#holds = new HoldsReader(store);
    this.#scope = scope;
    this.#abilities = abilities;
  }

  /** Reads everything recorded about a task. Throws what the store throws; an error is never "no record". */
  async ofTask(exportTaskId: string, options: CallOptions): Promise<TaskRecords> {
    const folder = taskRecordsFolder(this.#scope, exportTaskId);
    const keys: string[] = [];
    const leftAlone: LeftAlone[] = [];
    for await (const object of this.#store.list(folder, options)) {
      keys.push(object.key);
      if (object.oddity !== undefined) {
        leftAlone.push({ kind: "store-entry", key: object.key, problem: `it ${object.oddity}` });
      }
      if (keys.length > MAX_RECORDS_PER_TASK) {
        throw new ArchiverError(RECORDS_OVERFLOW, `more than ${MAX_RECORDS_PER_TASK} files in ${folder}`, {
          scope: "task",
          retry: "never",
          hint: "Another program writes into this folder of the store. Move its files away.",
        });
      }
    }
    const revisions = new Map<string, RevisionRecords>();
    for (const [revision, numbers] of numbersByRevision(keys, folder)) {
      const records = await this.#readRevision(exportTaskId, revision, numbers, options);
      revisions.set(revision, records);
      for (const name of records.unreadable) {
        const key = this.#newestKey(exportTaskId, revision, name, numbers);
        // An entry that is not a file has been named as what it is.
        if (!leftAlone.some((item) => "key" in item && item.key === key)) {
          leftAlone.push({ kind: "record", key, problem: "it is not a record of this export" });
        }
      }
    }
    return { revisions, leftAlone };
  }

  /** What operators hold back from deletion now. Throws what the store throws. */
  async holds(options: CallOptions): Promise<Holds> {
    return await this.#holds.read(options);
  }

  /**
   * Writes `archived.json`, or `archived-{n}.json` from `fromNumber` on. A readable record that stands
   * there already wins: this is how two runners agree on one object.
   */
  async writeArchived(
    record: ArchivedRecord,
    fromNumber: number,
    options: CallOptions,
  ): Promise<WrittenRecord> {
    const { exportTaskId, revision } = record;
    let number = fromNumber;
    for (let attempt = 1; attempt <= MAX_RECORD_NUMBER_TRIES && number <= MAX_RECORD_NUMBER; attempt += 1) {
      const key = recordKey(this.#scope, exportTaskId, revision, "archived", number);
      if (await this.#createOnce(key, record, options)) {
        return { standing: record, won: true };
      }
      const found = await this.#store.getDocument(key, options);
      if (found === undefined) {
        // A conflict may mean "perhaps not": a later number would leave this one to another runner's record.
        continue;
      }
      const standing = this.#ownArchived(parseRecord(archivedRecordSchema, found), exportTaskId, revision);
      if (standing !== undefined) {
        // Our own object named by it: an earlier try of this very write whose answer was lost.
        return { standing, won: standing.object.key === record.object.key };
      }
      number += 1;
    }
    throw tooManyRecords(exportTaskId, "archived");
  }

  /** Writes `deleted.json`; one that stands already says the same and is left alone. */
  async writeDeleted(
    exportTaskId: string,
    revision: string,
    facts: Pick<DeletedRecord, "deletedAt" | "confirmedAt" | "runId" | "outcome">,
    options: CallOptions,
  ): Promise<void> {
    const record: DeletedRecord = {
      schemaVersion: SCHEMA_VERSION,
      idempotencyKey: idempotencyKeyOf(this.#scope, exportTaskId, revision),
      ...facts,
    };
    await this.#createOnce(recordKey(this.#scope, exportTaskId, revision, "deleted", 1), record, options);
  }

  /**
   * Keeps a dead letter for good: beside the revision's records where one is known, under `dead-letters/`
   * by the body's SHA-256 otherwise. A folder crowded by foreign files is what a task may be given up for,
   * so it is not listed, and the letter goes under `dead-letters/` when the first numbers are taken.
   */
  async writeDeadLetter(
    letter: Omit<DeadLetterRecord, "schemaVersion" | "idempotencyKey">,
    bodySha256: string,
    atMs: number,
    options: CallOptions,
  ): Promise<void> {
    const { exportTaskId, revision } = letter;
    if (exportTaskId !== undefined && revision !== undefined) {
      const idempotencyKey = idempotencyKeyOf(this.#scope, exportTaskId, revision);
      const record = { schemaVersion: SCHEMA_VERSION, idempotencyKey, ...letter };
      for (let number = 1; number <= MAX_RECORD_NUMBER_TRIES; number += 1) {
        const key = recordKey(this.#scope, exportTaskId, revision, "dead-letter", number);
        if (await this.#createOnce(key, record, options)) {
          return;
        }
      }
    }
    await this.#createOnce(
      deadLetterKey(atMs, bodySha256),
      { schemaVersion: SCHEMA_VERSION, ...letter },
      options,
    );
  }

  #newestKey(exportTaskId: string, revision: string, name: RecordName, numbers: RecordNumbers): string {
    return recordKey(this.#scope, exportTaskId, revision, name, numbers[name]);
  }

  async #readRevision(
    exportTaskId: string,
    revision: string,
    numbers: RecordNumbers,
    options: CallOptions,
  ): Promise<RevisionRecords> {
    const read = async (name: RecordName) =>
      numbers[name] === 0
        ? undefined
        : await this.#store.getDocument(this.#newestKey(exportTaskId, revision, name, numbers), options);
    const [archivedDocument, letterDocument] = await allEnded([read("archived"), read("dead-letter")]);
    const archived = this.#ownArchived(
      parseRecord(archivedRecordSchema, archivedDocument),
      exportTaskId,
      revision,
    );
    const deadLetter = parseRecord(deadLetterRecordSchema, letterDocument);
    const unreadable: RecordName[] = [];
    if (archivedDocument !== undefined && archived === undefined) {
      unreadable.push("archived");
    }
    if (letterDocument !== undefined && deadLetter === undefined) {
      unreadable.push("dead-letter");
    }
    return {
      revision,
      archived,
      archivedNumber: numbers.archived,
      deleted: numbers.deleted > 0,
      deadLetterNumber: numbers["dead-letter"],
      deadLetter,
      expired: numbers.expired > 0,
      unreadable,
    };
  }

  /** A record that speaks of another task or revision than its key, or names another's object, is as good as unreadable. */
  #ownArchived(
    record: ArchivedRecord | undefined,
    exportTaskId: string,
    revision: string,
  ): ArchivedRecord | undefined {
    return record !== undefined && isOwnArchived(record, this.#scope, exportTaskId, revision)
      ? record
      : undefined;
  }

  /** Returns whether the key was free and now holds `document`. */
  async #createOnce(key: string, document: object, options: CallOptions): Promise<boolean> {
    return await createOnce(this.#store, this.#abilities, key, document, options);
  }
}

function tooManyRecords(exportTaskId: string, name: RecordName): ArchiverError {
  return new ArchiverError(
    RECORDS_OVERFLOW,
    `no free number for the ${name} record of task ${exportTaskId}`,
    {
      scope: "task",
      retry: "later",
      hint: "Check the task's folder under records/ for files that are not records, and move them away.",
    },
  );
}
