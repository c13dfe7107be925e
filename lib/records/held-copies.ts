import type { PlatformScope } from "../domain/export-task.ts";
import { parseRecordKey, recordsRoot, taskRecordsFolder } from "../domain/key-layout.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { matchesGlob } from "./glob.ts";
import { isGlob } from "./holds.ts";

/** How many archived exports a hold's pattern matches. It lists names and reads no record. @throws what the store throws. */
export async function countArchivedMatches(
  store: Pick<ObjectStore, "list">,
  scope: PlatformScope,
  pattern: string,
  options: CallOptions,
): Promise<number> {
  const root = recordsRoot(scope);
  const found = new Set<string>();
  const prefix = isGlob(pattern) ? root : taskRecordsFolder(scope, pattern);
  for await (const { key } of store.list(prefix, options)) {
    const [exportTaskId = ""] = key.slice(root.length).split("/", 1);
    const isArchived = parseRecordKey(key, taskRecordsFolder(scope, exportTaskId))?.name === "archived";
    if (isArchived && (exportTaskId === pattern || matchesGlob(pattern, exportTaskId))) {
      found.add(exportTaskId);
    }
  }
  return found.size;
}
