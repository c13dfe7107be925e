import { type PlatformScope, parsePlatformTime } from "../domain/export-task.ts";
import { parseRecordKey, recordsRoot, taskRecordsFolder } from "../domain/key-layout.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { type ArchivedRecord, archivedRecordSchema, parseRecord } from "../records/schemas.ts";

/** More records than this are not looked through: one export too many is no harm. */
const MAX_RECORDS_LISTED = 500_000;
/** How far the store's clock and the platform's may be apart here. */
const CLOCKS_APART_MS = 3_600_000;

/**
 * Looks for an export of a batch task that was made since `afterMs` and is archived and gone already: what a
 * create made whose answer nobody heard. Slow in an old archive, and needed after a crash only.
 *
 * @returns its id. @throws what the store throws.
 */
export async function findArchivedExport(
  store: ObjectStore,
  scope: PlatformScope,
  { batchTaskId, afterMs }: { readonly batchTaskId: string; readonly afterMs: number },
  options: CallOptions,
): Promise<string | undefined> {
  const root = recordsRoot(scope);
  let listed = 0;
  for await (const { key, modifiedAtMs } of store.list(root, options)) {
    listed += 1;
    if (listed > MAX_RECORDS_LISTED) {
      return undefined;
    }
    if (modifiedAtMs < afterMs - CLOCKS_APART_MS || !isArchivedRecord(key, root, scope)) {
      continue;
    }
    const record = parseRecord(archivedRecordSchema, await store.getDocument(key, options));
    if (record !== undefined && isExportSince(record, batchTaskId, afterMs)) {
      return record.exportTaskId;
    }
  }
  return undefined;
}

function isArchivedRecord(key: string, root: string, scope: PlatformScope): boolean {
  const [exportTaskId = ""] = key.slice(root.length).split("/", 1);
  return parseRecordKey(key, taskRecordsFolder(scope, exportTaskId))?.name === "archived";
}

function isExportSince({ source }: ArchivedRecord, batchTaskId: string, afterMs: number): boolean {
  const { resource_condition: condition, end_time: endTime } = source;
  const endedMs = typeof endTime === "string" ? parsePlatformTime(endTime) : undefined;
  return (
    typeof condition === "object" &&
    condition !== null &&
    Object.keys(condition).length === 1 &&
    Object.entries(condition).some(([name, value]) => name === "task_id" && value === batchTaskId) &&
    endedMs !== undefined &&
    endedMs >= afterMs
  );
}
