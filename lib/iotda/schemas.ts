import * as v from "valibot";
import { EXPORT_TASK_ID, type ExportTask } from "../domain/export-task.ts";
import { parseJson, parseUnboundedJson } from "../domain/json.ts";

const MAX_TEXT_CHARACTERS = 256;

function text() {
  return v.pipe(
    v.string("is not a text"),
    v.maxLength(MAX_TEXT_CHARACTERS, `is longer than ${MAX_TEXT_CHARACTERS} characters`),
  );
}

/** A field the platform may leave out or send as null. */
function optionalText() {
  return v.nullish(text());
}

const condition = {
  resource_type: optionalText(),
  resource_condition: v.optional(v.unknown()),
  app_type: optionalText(),
  app_id: optionalText(),
};

/** What an export was made from, of an item that is odd elsewhere. */
export const conditionSchema = v.object(condition);

/** One export task of the list and of the create answer (iotda-api §1.5). Unknown fields survive. */
export const exportTaskSchema = v.looseObject({
  export_task_id: v.pipe(
    v.string("is not a text"),
    v.regex(EXPORT_TASK_ID, "is not 1 to 36 letters, digits, - or _"),
  ),
  // Any text: a status newer than this program must survive to be left alone.
  status: text(),
  ...condition,
  export_count: v.nullish(v.pipe(v.number("is not a number"), v.safeInteger("is not a whole number"))),
  create_time: optionalText(),
  end_time: optionalText(),
});

/** The marker is opaque (iotda-api §1.4); the limits only keep it fit for a URL. */
const markerSchema = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/));

const listAnswerSchema = v.object({
  // Required: an answer without it is not an empty list.
  export_tasks: v.array(v.unknown()),
  page: v.nullish(
    v.object({ count: v.fallback(v.nullish(v.number()), undefined), marker: v.nullish(markerSchema) }),
  ),
});

const errorText = v.fallback(
  v.optional(v.pipe(v.union([v.string(), v.number()]), v.transform(String))),
  undefined,
);

/** All three shapes of iotda-api §2.1; a field of a wrong type counts as absent. */
const errorBodySchema = v.object({
  error_code: errorText,
  error_msg: errorText,
  error: v.fallback(v.optional(v.object({ code: errorText, message: errorText })), undefined),
});

/** One page of `ListExportTasks`. */
export interface ExportTaskPage {
  /** Unread: {@link readListItem} judges each on its own. */
  readonly items: readonly unknown[];
  /** Id of this page's last record, to be sent back for the next page. */
  readonly marker: string | undefined;
  /** Total of matching records as the platform counts them. */
  readonly totalCount: number | undefined;
}

/** What an error body says, unchecked: neither field is fit for a message yet. */
export interface ErrorBody {
  readonly platformCode: string | undefined;
  readonly text: string | undefined;
}

/** Reads one list page; `undefined` when the text is not the documented shape. */
export function parseListAnswer(text: string): ExportTaskPage | undefined {
  const parsed = v.safeParse(listAnswerSchema, parseUnboundedJson(text));
  if (!parsed.success) {
    return undefined;
  }
  const { export_tasks, page } = parsed.output;
  return {
    items: export_tasks,
    marker: page?.marker ?? undefined,
    totalCount: page?.count ?? undefined,
  };
}

/** Reads the create answer; `undefined` when the text is not the documented shape. */
export function parseCreateAnswer(text: string): ExportTask | undefined {
  const parsed = v.safeParse(exportTaskSchema, parseJson(text));
  return parsed.success ? toExportTask(parsed.output) : undefined;
}

/** Reads an error body; `undefined` when the text is not a JSON object that names an error code. */
export function parseErrorBody(text: string): ErrorBody | undefined {
  const parsed = v.safeParse(errorBodySchema, parseUnboundedJson(text));
  if (!parsed.success) {
    return undefined;
  }
  const { error_code, error_msg, error } = parsed.output;
  const platformCode = error_code ?? error?.code;
  return platformCode === undefined || platformCode === ""
    ? undefined
    : { platformCode, text: error_msg ?? error?.message };
}

/** Words left empty say as little as words left out. */
export function wordOf(text: string | null | undefined): string | undefined {
  return text === null || text === "" ? undefined : text;
}

/** The task of an item that matches the schema. */
export function toExportTask(item: v.InferOutput<typeof exportTaskSchema>): ExportTask {
  return {
    exportTaskId: item.export_task_id,
    status: item.status,
    resourceType: item.resource_type ?? undefined,
    resourceCondition: item.resource_condition,
    appType: wordOf(item.app_type),
    appId: wordOf(item.app_id),
    exportCount: item.export_count ?? undefined,
    createTime: item.create_time ?? undefined,
    endTime: item.end_time ?? undefined,
    source: item,
  };
}
