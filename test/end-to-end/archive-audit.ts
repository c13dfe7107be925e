import { expect } from "vitest";
import type { RequestLogEntry, SandboxControl } from "../../sandbox/start.ts";

/** A store, read past the program. Keys are below the prefix. */
export interface AuditedStore {
  /** How far two runs' readings of this store's clock may lie apart. */
  readonly clockErrorMs: number;
  keys(prefix: string): Promise<readonly string[]>;
  json(key: string): Promise<unknown>;
  /** Every `archived` record, numbered ones included, with the object it names. */
  archived(): Promise<readonly AuditedCopy[]>;
  /** When a record of each task was first in the store; epoch milliseconds. */
  firstRecordedAtMs(): Promise<ReadonlyMap<string, number>>;
  /** Open uploads, temporary files: what only a run under way may have. */
  unfinished(): Promise<readonly string[]>;
}

interface AuditedCopy {
  readonly exportTaskId: string;
  readonly recordKey: string;
  readonly objectKey: string;
  /** Of the stored bytes, not what the record says. */
  readonly sha256: string;
  readonly recordedSha256: string;
}

/** What the audits look at, on a disk as in a bucket. */
export interface AuditedLab {
  readonly control: SandboxControl;
  readonly store: AuditedStore;
  readonly queue: { messages(): readonly unknown[]; letters(): readonly AuditedLetter[] };
}

/** A dead letter; SQS keeps reason and detail as attributes. */
interface AuditedLetter {
  readonly body: string;
  readonly attributes?: Readonly<Record<string, string | undefined>>;
}

/**
 * What a busy machine may add between writing a request and its arrival. The real interval leaves a second
 * for that, a compressed one a fiftieth of it. A pace that is not kept at all misses by hundreds of milliseconds.
 */
const ARRIVAL_JITTER_MS = 60;

/** No two downloads began closer than the platform allows (promise I4), over every process there was. */
export async function expectPaceKept({ control, store }: AuditedLab, intervalMs: number): Promise<void> {
  const starts = (await control.requests())
    .filter(({ operation }) => operation === "showExportTask")
    .map(({ atMs }) => atMs);
  expectSpaced(starts, (intervalMs * 30) / 31 - ARRIVAL_JITTER_MS - store.clockErrorMs);
}

/** Moments of one clock, in milliseconds and any order, lie at least so far apart. */
export function expectSpaced(momentsMs: readonly number[], leastMs: number): void {
  const sorted = momentsMs.toSorted((a, b) => a - b);
  const closestMs = Math.min(...sorted.slice(1).map((atMs, index) => atMs - (sorted[index] ?? Number.NaN)));
  expect(closestMs, "distance of download starts").toBeGreaterThanOrEqual(leastMs);
}

/**
 * What must hold whatever happened on the way (architecture §2): each finished export has one record naming one
 * whole, identical copy; it was deleted once, after its record; nothing is left over.
 *
 * @param mayHaveOrphan of which exports a copy that lost a race may lie beside the recorded one.
 */
export async function expectArchivedOnce(
  { control, store, queue }: AuditedLab,
  exports: number,
  { mayHaveOrphan = () => false }: { readonly mayHaveOrphan?: (exportTaskId: string) => boolean } = {},
): Promise<void> {
  const [state, requests, archived, recordedAtMs] = await Promise.all([
    control.state(),
    control.requests(),
    store.archived(),
    store.firstRecordedAtMs(),
  ]);
  const made = state.files.filter(({ exportTaskId }) => exportTaskId.startsWith("export-"));
  expect(made).toHaveLength(exports);
  const copies = archived.map(({ exportTaskId, sha256, recordKey }) => ({
    exportTaskId,
    sha256,
    record: recordKey.split("/").at(-1),
  }));
  const truth = made.map(({ exportTaskId, sha256 }) => ({ exportTaskId, sha256, record: "archived.json" }));
  expect(byId(copies), "one archived record for each export, naming an identical copy").toEqual(byId(truth));
  expect(archived.filter(({ sha256, recordedSha256 }) => sha256 !== recordedSha256)).toEqual([]);

  const objects = await store.keys("exports/");
  const recorded = new Set(archived.map(({ objectKey }) => objectKey));
  const orphans = objects.filter((key) => !recorded.has(key));
  expect(objects, "every recorded object").toEqual(expect.arrayContaining([...recorded]));
  expect(
    orphans.filter((key) => !mayHaveOrphan(key.split("/").at(-2) ?? "")),
    "objects that no record names",
  ).toEqual([]);

  const deleted = state.removals.map(({ exportTaskId, reason }) => ({ exportTaskId, reason }));
  expect(byId(deleted), "each deleted once").toEqual(
    byId(made.map(({ exportTaskId }) => ({ exportTaskId, reason: "deleted" }))),
  );
  expect(deletesBeforeRecord(requests, recordedAtMs), "deletes that came before their record").toEqual([]);
  expect(await store.unfinished(), "uploads and temporary files left open").toEqual([]);
  expect(queue.messages(), "messages left in the queue").toEqual([]);
}

/** The failed export was given up, with its reason in the queue and in the store; a kill may repeat the letter. */
export async function expectFailedOneLettered({ store, queue }: AuditedLab): Promise<void> {
  const letters = queue.letters();
  expect(letters.length).toBeGreaterThanOrEqual(1);
  for (const letter of letters) {
    expect({ ...letter, ...letter.attributes }).toMatchObject({
      body: expect.stringContaining("failed-one"),
      reason: "export-failed",
      detail: expect.stringMatching(/^.+\.$/),
    });
  }
  const records = (await store.keys("records/")).filter((key) => key.includes("/dead-letter"));
  expect(records.length).toBeGreaterThanOrEqual(1);
  expect(records.length).toBeLessThanOrEqual(letters.length);
  for (const key of records) {
    expect(await store.json(key)).toMatchObject({ exportTaskId: "failed-one", reason: "export-failed" });
  }
}

function byId<T extends { readonly exportTaskId: string }>(items: readonly T[]): readonly T[] {
  return items.toSorted((a, b) => (a.exportTaskId < b.exportTaskId ? -1 : 1));
}

function deletesBeforeRecord(
  requests: readonly RequestLogEntry[],
  recordedAtMs: ReadonlyMap<string, number>,
): readonly string[] {
  return requests
    .filter(({ operation }) => operation === "deleteExportTask")
    .map(({ exportTaskId = "unknown", atMs }) => ({ exportTaskId, atMs }))
    .filter(({ exportTaskId, atMs }) => (recordedAtMs.get(exportTaskId) ?? Number.POSITIVE_INFINITY) > atMs)
    .map(({ exportTaskId }) => exportTaskId);
}
