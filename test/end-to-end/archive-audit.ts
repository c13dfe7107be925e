import { expect } from "vitest";
import type { RequestLogEntry } from "../../sandbox/start.ts";
import type { Lab } from "./lab.ts";

/**
 * What a busy machine may add between writing a request and its arrival. The real interval leaves a second
 * for that, a compressed one a fiftieth of it; a pace that is not kept at all misses by much more than this.
 */
const ARRIVAL_JITTER_MS = 25;

/** No two downloads began closer than the platform allows (design I4), over every process there was. */
export async function expectPaceKept(lab: Lab, intervalMs: number): Promise<void> {
  const closestMs = closestDownloadsMs(await lab.control.requests());
  expect(closestMs, "distance of download starts").toBeGreaterThanOrEqual(
    (intervalMs * 30) / 31 - ARRIVAL_JITTER_MS,
  );
}

/** The shortest time between two download starts, as the platform saw them; `Infinity` with fewer than two. */
function closestDownloadsMs(requests: readonly RequestLogEntry[]): number {
  const starts = requests.filter(({ operation }) => operation === "showExportTask").map(({ atMs }) => atMs);
  return Math.min(...starts.slice(1).map((atMs, index) => atMs - (starts[index] ?? Number.NaN)));
}

/**
 * What must hold whatever happened on the way (design §2): each finished export has one record naming one
 * whole, identical copy; it was deleted once, after its record; nothing is left over.
 */
export async function expectArchivedOnce(lab: Lab, exports: number): Promise<void> {
  const [state, requests, archived] = await Promise.all([
    lab.control.state(),
    lab.control.requests(),
    lab.store.archived(),
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

  const objects = await lab.store.keys("exports");
  expect(objects, "one object for each export and nothing else").toEqual(
    archived.map(({ objectKey }) => objectKey).sort(),
  );

  const deleted = state.removals.map(({ exportTaskId, reason }) => ({ exportTaskId, reason }));
  expect(byId(deleted), "each deleted once").toEqual(
    byId(made.map(({ exportTaskId }) => ({ exportTaskId, reason: "deleted" }))),
  );
  expect(deletesBeforeRecord(requests, archived), "deletes that came before their record").toEqual([]);
  expect(lab.queue.messages(), "messages left in the queue").toEqual([]);
}

function byId<T extends { readonly exportTaskId: string }>(items: readonly T[]): readonly T[] {
  return items.toSorted((a, b) => (a.exportTaskId < b.exportTaskId ? -1 : 1));
}

function deletesBeforeRecord(
  requests: readonly RequestLogEntry[],
  archived: readonly { readonly exportTaskId: string; readonly archivedAtMs: number }[],
): readonly string[] {
  return requests
    .filter(({ operation }) => operation === "deleteExportTask")
    .filter(({ exportTaskId, atMs }) => {
      const record = archived.find((one) => one.exportTaskId === exportTaskId);
      return record === undefined || record.archivedAtMs > atMs;
    })
    .map(({ exportTaskId }) => exportTaskId ?? "unknown");
}
