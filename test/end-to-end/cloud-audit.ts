import { expect } from "vitest";
import type { RequestLogEntry } from "../../sandbox/start.ts";
import type { CloudLab } from "./cloud-lab.ts";

/** What a busy machine may add between writing a request and its arrival, as in `archive-audit.ts`. */
const ARRIVAL_JITTER_MS = 25;

/**
 * How far two runs' readings of the store's clock may lie apart: S3 tells whole seconds, and a turn is found to
 * 60 ms either way. The real interval leaves 500 ms for it (one interval, less 1/62 and 30/31 of it), a compressed
 * one next to nothing. `cloud-runners.test.ts` takes the readings out and measures exactly.
 */
const CLOCK_READINGS_MS = 120;

/** No two downloads began closer than the platform allows (design I4), over every process there was. */
export async function expectCloudPaceKept(lab: CloudLab, intervalMs: number): Promise<void> {
  const starts = (await lab.control.requests())
    .filter(({ operation }) => operation === "showExportTask")
    .map(({ atMs }) => atMs);
  expectSpaced(starts, (intervalMs * 30) / 31 - ARRIVAL_JITTER_MS - CLOCK_READINGS_MS);
}

/** Moments of one clock, in milliseconds and any order, lie at least so far apart. */
export function expectSpaced(momentsMs: readonly number[], leastMs: number): void {
  const sorted = momentsMs.toSorted((a, b) => a - b);
  const closestMs = Math.min(...sorted.slice(1).map((atMs, index) => atMs - (sorted[index] ?? Number.NaN)));
  expect(closestMs, "distance of download starts").toBeGreaterThanOrEqual(leastMs);
}

/**
 * What must hold whatever happened on the way (design §2): each finished export has one record naming one
 * whole, identical object; it was deleted once, after its record; no upload is open, no message left.
 *
 * @param orphans whether copies that lost a race may lie beside the recorded ones.
 */
export async function expectCloudArchivedOnce(
  lab: CloudLab,
  exports: number,
  { orphans = "none" }: { readonly orphans?: "none" | "some" } = {},
): Promise<void> {
  const [state, requests, archived, recordedAtMs] = await Promise.all([
    lab.control.state(),
    lab.control.requests(),
    lab.bucket.archived(),
    lab.bucket.firstRecordedAtMs(),
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

  const objects = await lab.bucket.keys("exports/");
  const recorded = archived.map(({ objectKey }) => objectKey).sort();
  if (orphans === "none") {
    expect(objects, "one object for each export and nothing else").toEqual(recorded);
  } else {
    expect(objects, "every recorded object").toEqual(expect.arrayContaining(recorded));
  }

  const deleted = state.removals.map(({ exportTaskId, reason }) => ({ exportTaskId, reason }));
  expect(byId(deleted), "each deleted once").toEqual(
    byId(made.map(({ exportTaskId }) => ({ exportTaskId, reason: "deleted" }))),
  );
  expect(deletesBeforeRecord(requests, recordedAtMs), "deletes that came before their record").toEqual([]);
  expect(await lab.bucket.openUploads(), "uploads left open").toEqual([]);
  expect(lab.queue.messages(), "messages left in the queue").toEqual([]);
}

/** The failed export was given up, in the queue and in the store; a kill may repeat the letter. */
export async function expectFailedOneLettered(lab: CloudLab): Promise<void> {
  const letters = lab.queue.letters();
  expect(letters.length).toBeGreaterThanOrEqual(1);
  for (const { body, attributes } of letters) {
    expect(body).toContain("failed-one");
    expect(attributes).toEqual({
      reason: "export-failed",
      detail: expect.stringMatching(/^.+\.$/),
      attempts: "0",
      runId: expect.stringMatching(/^\d{8}T\d{9}Z-[0-9a-f]{8}$/),
    });
  }
  const records = (await lab.bucket.keys("records/")).filter((key) => key.includes("/dead-letter"));
  expect(records.length).toBeGreaterThanOrEqual(1);
  expect(records.length).toBeLessThanOrEqual(letters.length);
  for (const key of records) {
    expect(await lab.bucket.json(key)).toMatchObject({ exportTaskId: "failed-one", reason: "export-failed" });
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
