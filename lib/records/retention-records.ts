import type * as v from "valibot";
import { idempotencyKeyOf, isExportTaskId, type PlatformScope } from "../domain/export-task.ts";
import {
  MAX_RECORD_NUMBER,
  type RecordName,
  recordKey,
  recordsRoot,
  taskRecordsFolder,
} from "../domain/key-layout.ts";
import { allEnded } from "../domain/promises.ts";
import type { ObjectStore, StoreAbilities } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { createOnce } from "./create-once.ts";
import {
  type ArchivedRecord,
  archivedRecordSchema,
  type DeletedRecord,
  deletedRecordSchema,
  type ExpiredRecord,
  expiredRecordSchema,
  isOwnArchived,
  parseRecord,
  type RetainedRecord,
  retainedRecordSchema,
  SCHEMA_VERSION,
} from "./schemas.ts";
import { numbersByRevision, type RecordNumbers } from "./task-records.ts";

/** More copies of one revision than this were not made by archive runs. */
const MAX_COPIES = 50;

/** A record that is there and says nothing we can rely on. Whoever meets one leaves the object alone. */
export const UNREADABLE = "unreadable";
export type Reading<Record> = Record | typeof UNREADABLE | undefined;

/** One revision of one task, as the names of its records tell. */
export interface RecordedRevision {
  readonly exportTaskId: string;
  readonly revision: string;
  readonly numbers: Readonly<RecordNumbers>;
}

/** Everything recorded that retention decides on, read at one moment. */
export interface RevisionLedger extends RecordedRevision {
  /** Every `archived` record, by number; the last one stands. `unreadable` when any of them is. */
  readonly archived: Reading<readonly [...ArchivedRecord[], ArchivedRecord]>;
  readonly retained: Reading<RetainedRecord>;
  readonly deleted: Reading<DeletedRecord>;
  readonly expired: Reading<ExpiredRecord>;
}

/** The record that stands; `undefined` without one, and where any is unreadable: it may be that one. */
export function standingRecord({ archived }: RevisionLedger): ArchivedRecord | undefined {
  return archived === UNREADABLE ? undefined : archived?.at(-1);
}

/** The records as retention reads and writes them: whole revisions, with nothing unreadable passed over. */
export class RetentionRecords {
  readonly #store: ObjectStore;
  readonly #scope: PlatformScope;
  readonly #abilities: Pick<StoreAbilities, "createOnce">;

  constructor(store: ObjectStore, scope: PlatformScope, abilities: Pick<StoreAbilities, "createOnce">) {
    this.#store = store;
    this.#scope = scope;
    this.#abilities = abilities;
  }

  /** The folder of all records, below the store's prefix, with a slash at its end. */
  get root(): string {
    return recordsRoot(this.#scope);
  }

  /** Every revision with any record, sorted by task and revision. Throws what the store throws. */
  async revisions(options: CallOptions): Promise<readonly RecordedRevision[]> {
    const { root } = this;
    const keysByTask = new Map<string, string[]>();
    for await (const { key } of this.#store.list(root, options)) {
      const [exportTaskId = ""] = key.slice(root.length).split("/", 1);
      if (isExportTaskId(exportTaskId)) {
        const keys = keysByTask.get(exportTaskId) ?? [];
        keysByTask.set(exportTaskId, keys);
        keys.push(key);
      }
    }
    return [...keysByTask]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([exportTaskId, keys]) => this.#revisionsIn(exportTaskId, keys));
  }

  /** The revisions of one task. */
  async revisionsOf(exportTaskId: string, options: CallOptions): Promise<readonly RecordedRevision[]> {
    const keys: string[] = [];
    for await (const { key } of this.#store.list(taskRecordsFolder(this.#scope, exportTaskId), options)) {
      keys.push(key);
    }
    return this.#revisionsIn(exportTaskId, keys);
  }

  #revisionsIn(exportTaskId: string, keys: readonly string[]): readonly RecordedRevision[] {
    return [...numbersByRevision(keys, taskRecordsFolder(this.#scope, exportTaskId))]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([revision, numbers]) => ({ exportTaskId, revision, numbers }));
  }

  /** Lists and reads one revision again; `undefined` when it has no record any more. */
  async readAgain(
    { exportTaskId, revision }: Pick<RecordedRevision, "exportTaskId" | "revision">,
    options: CallOptions,
  ): Promise<RevisionLedger | undefined> {
    const found = (await this.revisionsOf(exportTaskId, options)).find((one) => one.revision === revision);
    return found === undefined ? undefined : await this.read(found, options);
  }

  /** Reads the records that were listed. One that is said to be missing then is unreadable: no program removes records. */
  async read(revision: RecordedRevision, options: CallOptions): Promise<RevisionLedger> {
    const [archived, retained, deleted, expired] = await allEnded([
      this.#readArchived(revision, options),
      this.#readLast(retainedRecordSchema, "retained", revision, options),
      this.#readLast(deletedRecordSchema, "deleted", revision, options),
      this.#readLast(expiredRecordSchema, "expired", revision, options),
    ]);
    return { ...revision, archived, retained, deleted, expired };
  }

  async #readArchived(revision: RecordedRevision, options: CallOptions): Promise<RevisionLedger["archived"]> {
    const last = revision.numbers.archived;
    if (last > MAX_COPIES) {
      return UNREADABLE;
    }
    const records: ArchivedRecord[] = [];
    for (let number = 1; number <= last; number += 1) {
      const record = await this.#readOne(archivedRecordSchema, "archived", number, revision, options);
      if (record === undefined && number < last) {
        continue;
      }
      const { exportTaskId, revision: name } = revision;
      if (
        record === undefined ||
        record === UNREADABLE ||
        !isOwnArchived(record, this.#scope, exportTaskId, name)
      ) {
        return UNREADABLE;
      }
      records.push(record);
    }
    const standing = records.pop();
    return standing === undefined ? undefined : [...records, standing];
  }

  async #readLast<Schema extends v.GenericSchema<unknown, { idempotencyKey: string }>>(
    schema: Schema,
    name: RecordName,
    revision: RecordedRevision,
    options: CallOptions,
  ): Promise<Reading<v.InferOutput<Schema>>> {
    const number = revision.numbers[name];
    return number === 0
      ? undefined
      : ((await this.#readOne(schema, name, number, revision, options)) ?? UNREADABLE);
  }

  /** A record that speaks of another task or revision than its key is as good as unreadable. */
  async #readOne<Schema extends v.GenericSchema<unknown, { idempotencyKey: string }>>(
    schema: Schema,
    name: RecordName,
    number: number,
    { exportTaskId, revision }: RecordedRevision,
    options: CallOptions,
  ): Promise<Reading<v.InferOutput<Schema>>> {
    const key = recordKey(this.#scope, exportTaskId, revision, name, number);
    const found = await this.#store.getDocument(key, options);
    if (found === undefined) {
      return undefined;
    }
    const record = parseRecord(schema, found);
    const isOwn = record?.idempotencyKey === idempotencyKeyOf(this.#scope, exportTaskId, revision);
    return record !== undefined && isOwn ? record : UNREADABLE;
  }

  /** Writes the next `retained` record; `false` when another runner wrote that one meanwhile. */
  async writeRetained(
    ledger: RecordedRevision,
    facts: Omit<RetainedRecord, "schemaVersion" | "idempotencyKey">,
    options: CallOptions,
  ): Promise<boolean> {
    const number = ledger.numbers.retained + 1;
    return number <= MAX_RECORD_NUMBER && (await this.#write("retained", number, ledger, facts, options));
  }

  /** Writes the next `expired` record; `false` when another runner wrote that one meanwhile. */
  async writeExpired(
    ledger: RecordedRevision,
    facts: Omit<ExpiredRecord, "schemaVersion" | "idempotencyKey">,
    options: CallOptions,
  ): Promise<boolean> {
    const number = ledger.numbers.expired + 1;
    return number <= MAX_RECORD_NUMBER && (await this.#write("expired", number, ledger, facts, options));
  }

  async #write(
    name: RecordName,
    number: number,
    { exportTaskId, revision }: RecordedRevision,
    facts: object,
    options: CallOptions,
  ): Promise<boolean> {
    const idempotencyKey = idempotencyKeyOf(this.#scope, exportTaskId, revision);
    const record = { schemaVersion: SCHEMA_VERSION, idempotencyKey, ...facts };
    const key = recordKey(this.#scope, exportTaskId, revision, name, number);
    return await createOnce(this.#store, this.#abilities, key, record, options);
  }
}
