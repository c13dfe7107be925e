import * as v from "valibot";
import type { ExportTask } from "../domain/export-task.ts";
import { MAX_JSON_DEPTH, nestsDeeperThan } from "../domain/json.ts";
import type { OddItem } from "../ports/platform.ts";
import { conditionSchema, exportTaskSchema, toExportTask, wordOf } from "./schemas.ts";

/** The longest item taken, in bytes of compact JSON: the `archived` record keeps it, and has room for four of these. */
export const MAX_ITEM_BYTES = 1024 * 1024;
const MAX_ID_CHARACTERS = 256;

/** What one item of a list is. */
export type ListItem =
  | { readonly kind: "task"; readonly task: ExportTask }
  | { readonly kind: "odd"; readonly item: Omit<OddItem, "index"> };

/** Reads one item of a list by itself. Never throws, whatever it is. */
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
