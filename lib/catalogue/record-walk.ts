import { isExportTaskId } from "../domain/export-task.ts";
import { parseRecordKey, recordsRoot, taskRecordsFolder } from "../domain/key-layout.ts";
import type { LeftAlone } from "../domain/left-alone.ts";
import { allEnded } from "../domain/promises.ts";
import type { ListedObject } from "../ports/object-store.ts";
import { nameOfLine } from "../records/catalogue.ts";
import { type CatalogueLine, lineOf, recordsTagOf } from "../records/catalogue-line.ts";
import { type RecordedRevision, RetentionRecords } from "../records/retention-records.ts";
import { numbersByRevision } from "../records/task-records.ts";
import type { Damage } from "./damage.ts";
import type { RecordsRun } from "./ports.ts";

const READS_AT_ONCE = 16;
/** Documents listed from one word about the progress to the next. */
const PROGRESS_EVERY = 1_000;

/** One revision as the list of `records/` shows it. */
interface ListedRevision extends RecordedRevision {
  readonly folder: string;
  readonly recordsTag: string;
}

export interface WalkOptions {
  /** Whether a line made from this state of the records is in the catalogue. */
  readonly isKnown: (name: string, recordsTag: string) => boolean;
  /** Takes the lines of revisions that are new or changed. */
  readonly onLines: (lines: readonly CatalogueLine[]) => Promise<void>;
  readonly onDamage: (damage: Damage) => void;
  readonly onLeftAlone: (item: LeftAlone) => void;
  /** Stops reading when there is less time left than this. */
  readonly reserveMs: number;
}

/**
 * Lists every record once, and reads the records of those revisions that are new or changed.
 * @returns whether there was time for all of them. Throws what the store throws.
 */
export async function walkRecords(run: RecordsRun, options: WalkOptions): Promise<boolean> {
  const { store, observe } = run.ports;
  const reader = new RevisionReader(run, options);
  let folder = "";
  let documents: ListedObject[] = [];
  let done = 0;
  for await (const object of store.list(recordsRoot(run.scope), { signal: run.signal })) {
    const inFolder = object.key.slice(0, object.key.lastIndexOf("/") + 1);
    if (inFolder !== folder) {
      await reader.take(folder, documents);
      [folder, documents] = [inFolder, []];
    }
    if (object.oddity === undefined) {
      documents.push(object);
    } else {
      options.onLeftAlone({ kind: "store-entry", key: object.key, problem: `it ${object.oddity}` });
    }
    done += 1;
    if (done % PROGRESS_EVERY === 0) {
      observe({ kind: "progress", step: "records", done });
    }
  }
  await reader.take(folder, documents);
  await reader.flush();
  return reader.isWhole;
}

/** Reads revisions in batches, while there is time. */
class RevisionReader {
  readonly #run: RecordsRun;
  readonly #options: WalkOptions;
  readonly #records: RetentionRecords;
  #batch: ListedRevision[] = [];
  isWhole = true;

  constructor(run: RecordsRun, options: WalkOptions) {
    this.#run = run;
    this.#options = options;
    this.#records = new RetentionRecords(run.ports.store, run.scope, run.abilities);
  }

  async take(folder: string, documents: readonly ListedObject[]): Promise<void> {
    const listed = listedRevision(this.#run, folder, documents);
    if (listed === undefined || this.#options.isKnown(nameOfLine(listed), listed.recordsTag)) {
      return;
    }
    this.#batch.push(listed);
    if (this.#batch.length >= READS_AT_ONCE) {
      await this.flush();
    }
  }

  async flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length === 0) {
      return;
    }
    if (this.#run.msLeft() < this.#options.reserveMs) {
      this.isWhole = false;
      return;
    }
    const lines = await allEnded(batch.map((listed) => this.#lineOf(listed)));
    await this.#options.onLines(lines.filter((line) => line !== undefined));
  }

  async #lineOf(listed: ListedRevision): Promise<CatalogueLine | undefined> {
    const ledger = await this.#records.read(listed, { signal: this.#run.signal });
    const line = lineOf(ledger, listed.recordsTag);
    if (line === undefined) {
      const { exportTaskId, revision, folder } = listed;
      this.#options.onDamage({ exportTaskId, revision, kind: "unreadable-record", key: folder });
    }
    return line;
  }
}

/** The revision of a folder of records; `undefined` for other folders, and where nothing was archived. */
function listedRevision(
  { scope }: RecordsRun,
  folder: string,
  documents: readonly ListedObject[],
): ListedRevision | undefined {
  const root = recordsRoot(scope);
  const [exportTaskId = "", revision = "", ...rest] = folder.slice(root.length).split("/");
  if (!folder.startsWith(root) || !isExportTaskId(exportTaskId) || rest.join("") !== "") {
    return undefined;
  }
  const taskFolder = taskRecordsFolder(scope, exportTaskId);
  const numbers = numbersByRevision(
    documents.map(({ key }) => key),
    taskFolder,
  ).get(revision);
  if (numbers === undefined || numbers.archived === 0) {
    return undefined;
  }
  const own = documents.filter(({ key }) => {
    const name = parseRecordKey(key, taskFolder)?.name;
    return name !== undefined && name !== "dead-letter";
  });
  return { exportTaskId, revision, numbers, folder, recordsTag: recordsTagOf(own) };
}
