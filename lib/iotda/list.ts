import * as v from "valibot";
import type { ExportTask } from "../domain/export-task.ts";
import { MAX_JSON_DEPTH, nestsDeeperThan, sortedJson } from "../domain/json.ts";
import type { ExportTaskListing, OddItem } from "../ports/platform.ts";
import { malformedAnswer } from "./errors.ts";
import { conditionSchema, type ExportTaskPage, exportTaskSchema, toExportTask, wordOf } from "./schemas.ts";

/** The largest page the platform gives; also the most tasks it keeps (iotda-api §1.3, §1.6). */
export const PAGE_LIMIT = 50;
/** The platform keeps one page's worth of tasks. */
const MAX_PAGES = 20;

/**
 * Joins the pages of one list, newest first, each id once (iotda-api §1.4). It ends at an empty or short page,
 * or when a marker comes again; a full page that leads nowhere is not a complete list and is refused.
 *
 * @param fetchPage fetches the page after a marker, the first one without.
 * @throws PlatformError `platform-malformed-answer` when the end is not reached within 20 pages.
 */
export async function joinPages(
  operation: string,
  fetchPage: (marker: string | undefined) => Promise<ExportTaskPage>,
): Promise<Items> {
  const pages: (readonly unknown[])[] = [];
  const markers = new Set<string>();
  let marker: string | undefined;
  for (let pageNumber = 1; pageNumber <= MAX_PAGES; pageNumber += 1) {
    const page = await fetchPage(marker);
    pages.push(page.items);
    marker = page.marker;
    if (page.items.length < PAGE_LIMIT || (marker !== undefined && markers.has(marker))) {
      return joined(pages);
    }
    if (marker === undefined) {
      // A full page may be the last one; without a marker only the platform's own count can tell.
      const items = joined(pages);
      if (page.totalCount === undefined || page.totalCount > items.tasks.length + items.oddItems.length) {
        throw malformedAnswer(operation, "a full page has no marker of the next page");
      }
      return items;
    }
    markers.add(marker);
  }
  throw malformedAnswer(operation, `the list has more than ${MAX_PAGES} pages`);
}

/** What the pages of one list hold. */
type Items = Pick<ExportTaskListing, "tasks" | "oddItems">;

function joined(pages: readonly (readonly unknown[])[]): Items {
  const tasks = new Map<string, ExportTask>();
  const oddItems: OddItem[] = [];
  const contradicted = new Set<string>();
  let index = -1;
  for (const page of pages) {
    // Pages may overlap when tasks come or go between two requests.
    const known = new Set(oddItems.map(({ id }) => id));
    for (const item of page) {
      index += 1;
      const read = readListItem(item);
      if (read.kind === "odd") {
        if (read.item.id === undefined || !known.has(read.item.id)) {
          oddItems.push({ index, ...read.item });
        }
        continue;
      }
      const { exportTaskId: id, source } = read.task;
      const before = tasks.get(id) ?? read.task;
      if (contradicted.has(id)) {
        continue;
      }
      tasks.set(id, before);
      if (sortedJson(before.source) !== sortedJson(source)) {
        // One id with two contents: which of them the platform has is unknown.
        contradicted.add(id);
        tasks.delete(id);
        const problem = "appears twice in the list, with different contents";
        oddItems.push({ index, field: undefined, problem, id, condition: read.task });
      }
    }
  }
  return { tasks: [...tasks.values()], oddItems };
}

/** The longest item taken, in bytes of compact JSON: the `archived` record keeps it, and has room for four of these. */
const MAX_ITEM_BYTES = 1024 * 1024;
const MAX_ID_CHARACTERS = 256;

/** What one item of a list is. */
type ListItem =
  | { readonly kind: "task"; readonly task: ExportTask }
  | { readonly kind: "odd"; readonly item: Omit<OddItem, "index"> };

/** Reads one item of a list on its own. Never throws, whatever it is. */
export function readListItem(item: unknown): ListItem {
  if (typeof item !== "object" || item === null || Array.isArray(item)) {
    return odd(item, undefined, "it is not an object");
  }
  const tooDeep = Object.entries(item).find(([, value]) => nestsDeeperThan(value, MAX_JSON_DEPTH - 1));
  if (tooDeep !== undefined) {
    return odd(item, tooDeep[0], `its JSON is nested deeper than ${MAX_JSON_DEPTH}`);
  }
  if (Buffer.byteLength(JSON.stringify(item), "utf8") > MAX_ITEM_BYTES) {
    return odd(item, undefined, `it is larger than ${MAX_ITEM_BYTES / 1024} KiB`);
  }
  const parsed = v.safeParse(exportTaskSchema, item);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const problem = issue.received === "undefined" ? "is missing" : issue.message;
    return odd(item, String(issue.path?.[0]?.key), problem);
  }
  return { kind: "task", task: toExportTask(parsed.output) };
}

function odd(item: unknown, field: string | undefined, problem: string): ListItem {
  return {
    kind: "odd",
    item: { field: nameOf(field), problem, id: idOf(item), condition: conditionOf(item) },
  };
}

/** A field is named where the platform documents it; any other name is foreign text. */
function nameOf(field: string | undefined): string | undefined {
  return field === undefined || Object.hasOwn(exportTaskSchema.entries, field) ? field : "(undocumented)";
}

function idOf(item: unknown): string | undefined {
  const parsed = v.safeParse(v.object({ export_task_id: v.string() }), item);
  const id = parsed.success ? parsed.output.export_task_id : "";
  return id === "" || id.length > MAX_ID_CHARACTERS ? undefined : id;
}

function conditionOf(item: unknown): OddItem["condition"] {
  const parsed = Array.isArray(item) ? undefined : v.safeParse(conditionSchema, item);
  if (parsed?.success !== true || nestsDeeperThan(parsed.output.resource_condition, MAX_JSON_DEPTH - 1)) {
    return undefined;
  }
  const { resource_type, resource_condition, app_type, app_id } = parsed.output;
  if ((JSON.stringify(resource_condition) ?? "").length > MAX_ITEM_BYTES) {
    return undefined;
  }
  return {
    resourceType: resource_type ?? undefined,
    resourceCondition: resource_condition,
    appType: wordOf(app_type),
    appId: wordOf(app_id),
  };
}
