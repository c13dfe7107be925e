import { idempotencyKeyOf, type PlatformScope } from "../domain/export-task.ts";
import { parseRecordKey, recordsRoot, taskRecordsFolder } from "../domain/key-layout.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { archivedRecordSchema, parseRecord } from "../records/schemas.ts";

/** One is enough; so many that cannot be read are not an archive of ours. */
const MAX_READ = 100;
const MAX_LISTED = 100_000;

/**
 * Whether at least one readable `archived` record of this project and instance lies in the store.
 *
 * @throws what the store throws: that is never "none".
 */
export async function hasArchivedRecord(
  store: Pick<ObjectStore, "list" | "getDocument">,
  scope: PlatformScope,
  options: CallOptions,
): Promise<boolean> {
  const root = recordsRoot(scope);
  let listed = 0;
  let read = 0;
  for await (const { key } of store.list(root, options)) {
    listed += 1;
    if (listed > MAX_LISTED || read >= MAX_READ) {
      return false;
    }
    const [exportTaskId = ""] = key.slice(root.length).split("/");
    const parsed = parseRecordKey(key, taskRecordsFolder(scope, exportTaskId));
    if (parsed?.name !== "archived") {
      continue;
    }
    read += 1;
    const record = parseRecord(archivedRecordSchema, await store.getDocument(key, options));
    if (record?.idempotencyKey === idempotencyKeyOf(scope, exportTaskId, parsed.revision)) {
      return true;
    }
  }
  return false;
}
