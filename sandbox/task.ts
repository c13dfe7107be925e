import * as v from "valibot";

/** Ids as the platform allocates them (iotda-api §1.2). */
export const taskIdSchema = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,36}$/));

const condition = v.record(v.string(), v.unknown());
const wholeNumber = v.pipe(v.number(), v.integer(), v.minValue(0));

/**
 * What the file of a task is: a ZIP with an `.xls` in it (also as ZIP64, with an encrypted member, or with
 * a comment behind the end record), or one of the things a careful client refuses.
 */
const container = v.picklist([
  "zip",
  "zip64",
  "zip-with-comment",
  "encrypted-zip",
  "empty-zip",
  "plain-xls",
  "nothing",
]);
export type Container = v.InferOutput<typeof container>;

/** A task put on the platform behind the client's back. Every field may be left out. */
export const taskSpecSchema = v.strictObject({
  exportTaskId: v.optional(taskIdSchema),
  /** Any text; `Processing` stays so for `finishesAfterMs`, or for ever without it. */
  status: v.optional(v.string(), "Success"),
  /** What a `Processing` task becomes. */
  finalStatus: v.optional(v.string(), "Success"),
  finishesAfterMs: v.optional(v.pipe(v.number(), v.finite(), v.minValue(0))),
  /** Listed as written here, whatever the format; default now, in extended ISO. */
  createTime: v.optional(v.string()),
  /** Listed as written here. Default: the moment the task ended; a `Processing` task shows none. */
  endTime: v.optional(v.string()),
  exportCount: v.optional(wholeNumber, 3),
  condition: v.optional(condition),
  appType: v.optional(v.picklist(["GLOBAL", "APP"]), "GLOBAL"),
  appId: v.optional(taskIdSchema),
  /** Size of a stored, incompressible second member; 0 = none. */
  fillerBytes: v.optional(wholeNumber, 0),
  container: v.optional(container, "zip"),
});
export type TaskSpecInput = v.InferInput<typeof taskSpecSchema>;
export type TaskSpec = v.InferOutput<typeof taskSpecSchema>;

/** Makes the file of an existing task again, as a same-condition create under the same id would. */
export const overwriteSchema = v.strictObject({
  exportCount: v.optional(wholeNumber),
  fillerBytes: v.optional(wholeNumber),
  /** Default 0: the task is `Success` again at once. */
  finishesAfterMs: v.optional(v.pipe(v.number(), v.finite(), v.minValue(0)), 0),
  container: v.optional(container),
});
export type OverwriteInput = v.InferInput<typeof overwriteSchema>;
export type Overwrite = v.InferOutput<typeof overwriteSchema>;

/** Changes what a list shows and leaves the file alone. */
export const taskPatchSchema = v.strictObject({
  status: v.optional(v.string()),
  endTime: v.optional(v.string()),
  exportCount: v.optional(wholeNumber),
  /** Fields of the list item in place of the true ones: what no client expects. */
  listedAs: v.optional(v.record(v.string(), v.unknown())),
});
export type TaskPatch = v.InferOutput<typeof taskPatchSchema>;

/** A task as the journal keeps it. */
export interface StoredTask {
  readonly exportTaskId: string;
  /** 24 hex digits that sort by creation; the list marker. Unlike the id on purpose (iotda-api §1.4). */
  readonly recordId: string;
  readonly condition: Readonly<Record<string, unknown>>;
  readonly appType: "GLOBAL" | "APP";
  readonly appId: string | undefined;
  readonly createTime: string;
  /** The status before `finishesAtMs`, or always when there is none. */
  readonly status: string;
  readonly finalStatus: string;
  /** Epoch milliseconds of the platform's clock. */
  readonly finishesAtMs: number | undefined;
  readonly endTime: string | undefined;
  readonly exportCount: number;
  /** Counts the files made for this id, from 1; names the file on disk. */
  readonly generation: number;
  readonly fillerBytes: number;
  readonly container: Container;
  readonly listedAs?: Readonly<Record<string, unknown>> | undefined;
}

/** The status at a moment of the platform's clock: no timer ever flips it, so a restart changes nothing. */
export function statusAt(task: StoredTask, platformMs: number): string {
  return task.finishesAtMs !== undefined && platformMs >= task.finishesAtMs ? task.finalStatus : task.status;
}

/** The task as a list or a create answer shows it (iotda-api §1.5). */
export function listItemOf(task: StoredTask, platformMs: number): Record<string, unknown> {
  const status = statusAt(task, platformMs);
  const processing = status === "Processing";
  return {
    export_task_id: task.exportTaskId,
    resource_type: "BatchTask",
    resource_condition: task.condition,
    app_type: task.appType,
    ...(task.appId === undefined ? {} : { app_id: task.appId }),
    export_format: "xls",
    status,
    export_count: processing ? 0 : task.exportCount,
    progress: processing ? 1 : 100,
    create_time: task.createTime,
    ...(processing || task.endTime === undefined ? {} : { end_time: task.endTime }),
    ...task.listedAs,
  };
}

/** Two tasks with the same key have the same conditions: the platform keeps one file for them (iotda-api §1.6). */
export function conditionKeyOf(task: Pick<StoredTask, "condition" | "appType" | "appId">): string {
  return JSON.stringify([canonical(task.condition), task.appType, task.appId ?? null]);
}

/** The value with the keys of every object sorted, so that equal conditions have equal text. */
export function canonical(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(canonical);
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, inner]) => [key, canonical(inner)] as const);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  return value;
}
