import type { ExportTask } from "../domain/export-task.ts";
import { malformedAnswer } from "./errors.ts";
import type { ExportTaskPage } from "./schemas.ts";

/** The largest page the platform gives; also the most tasks it keeps (reference §1.3, §1.6). */
export const PAGE_LIMIT = 50;

/**
 * Joins the pages of one list, newest first, each id once (reference §1.4). It ends at an empty or short page,
 * or when a marker comes again; a full page that leads nowhere is no complete list and is refused.
 *
 * @param fetchPage fetches the page after a marker, the first one without.
 * @throws PlatformError `platform-malformed-answer` when the end is not reached within `maxPages`.
 */
export async function joinPages(
  operation: string,
  fetchPage: (marker: string | undefined) => Promise<ExportTaskPage>,
  maxPages: number,
): Promise<readonly ExportTask[]> {
  const tasks = new Map<string, ExportTask>();
  const markers = new Set<string>();
  let marker: string | undefined;
  for (let pageNumber = 1; pageNumber <= maxPages; pageNumber += 1) {
    const page = await fetchPage(marker);
    for (const task of page.tasks) {
      if (!tasks.has(task.exportTaskId)) {
        tasks.set(task.exportTaskId, task);
      }
    }
    marker = page.marker;
    if (page.tasks.length < PAGE_LIMIT || (marker !== undefined && markers.has(marker))) {
      return [...tasks.values()];
    }
    if (marker === undefined) {
      return completeWithoutMarker(operation, page, [...tasks.values()]);
    }
    markers.add(marker);
  }
  throw malformedAnswer(operation, `the list did not end within ${maxPages} pages`);
}

/** A full page may be the last one; without a marker only the platform's own count can tell. */
function completeWithoutMarker(
  operation: string,
  page: ExportTaskPage,
  tasks: readonly ExportTask[],
): readonly ExportTask[] {
  if (page.totalCount !== undefined && page.totalCount <= tasks.length) {
    return tasks;
  }
  throw malformedAnswer(operation, "a full page came without the marker of the next one");
}
