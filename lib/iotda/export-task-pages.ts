import type { ExportTask } from "../domain/export-task.ts";
import { sortedJson } from "../domain/json.ts";
import type { ExportTaskListing, OddItem } from "../ports/platform.ts";
import { malformedAnswer } from "./errors.ts";
import { readListItem } from "./list-items.ts";
import type { ExportTaskPage } from "./schemas.ts";

/** The largest page the platform gives; also the most tasks it keeps (iotda-api §1.3, §1.6). */
export const PAGE_LIMIT = 50;

/**
 * Joins the pages of one list, newest first, each id once (iotda-api §1.4). It ends at an empty or short page,
 * or when a marker comes again; a full page that leads nowhere is no complete list and is refused.
 *
 * @param fetchPage fetches the page after a marker, the first one without.
 * @throws PlatformError `platform-malformed-answer` when the end is not reached within `maxPages`.
 */
export async function joinPages(
  operation: string,
  fetchPage: (marker: string | undefined) => Promise<ExportTaskPage>,
  maxPages: number,
): Promise<Items> {
  const items = new JoinedItems();
  const markers = new Set<string>();
  let marker: string | undefined;
  for (let pageNumber = 1; pageNumber <= maxPages; pageNumber += 1) {
    const page = await fetchPage(marker);
    items.add(page.items);
    marker = page.marker;
    if (page.items.length < PAGE_LIMIT || (marker !== undefined && markers.has(marker))) {
      return items;
    }
    if (marker === undefined) {
      requireComplete(operation, page, items);
      return items;
    }
    markers.add(marker);
  }
  throw malformedAnswer(operation, `the list did not end within ${maxPages} pages`);
}

/** A full page may be the last one; without a marker only the platform's own count can tell. */
function requireComplete(operation: string, page: ExportTaskPage, { tasks, oddItems }: Items): void {
  if (page.totalCount === undefined || page.totalCount > tasks.length + oddItems.length) {
    throw malformedAnswer(operation, "a full page came without the marker of the next one");
  }
}

/** What the pages of one list hold. */
type Items = Pick<ExportTaskListing, "tasks" | "oddItems">;

class JoinedItems implements Items {
  readonly #tasks = new Map<string, ExportTask>();
  readonly #odd: OddItem[] = [];
  readonly #contradicted = new Set<string>();
  #count = 0;

  get tasks(): readonly ExportTask[] {
    return [...this.#tasks.values()];
  }

  get oddItems(): readonly OddItem[] {
    return this.#odd;
  }

  add(page: readonly unknown[]): void {
    // Pages may overlap when tasks come or go between two requests.
    const known = new Set(this.#odd.map(({ id }) => id));
    for (const item of page) {
      const read = readListItem(item);
      const index = this.#count++;
      if (read.kind === "odd") {
        if (read.item.id === undefined || !known.has(read.item.id)) {
          this.#odd.push({ index, ...read.item });
        }
      } else {
        this.#addTask(index, read.task);
      }
    }
  }

  /** One id with two contents: nobody can tell which of them the platform has. */
  #addTask(index: number, task: ExportTask): void {
    const { exportTaskId: id } = task;
    const before = this.#tasks.get(id);
    if (this.#contradicted.has(id)) {
      return;
    }
    if (before === undefined || sortedJson(before.source) === sortedJson(task.source)) {
      this.#tasks.set(id, before ?? task);
      return;
    }
    this.#contradicted.add(id);
    this.#tasks.delete(id);
    const problem = "is listed twice, with different contents";
    this.#odd.push({ index, field: undefined, problem, id, condition: task });
  }
}
