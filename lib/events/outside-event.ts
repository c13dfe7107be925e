import * as v from "valibot";
import { compact } from "../domain/compact.ts";
import { EXPORT_TASK_ID, parsePlatformTime } from "../domain/export-task.ts";
import { BATCH_TASK_ID, type NewRequest } from "../domain/request-layout.ts";
import type { TaskMessage } from "../domain/task-message.ts";
import { hasHttpField, type Refusal, refused } from "./refusal.ts";

/** What somebody outside tells or asks for. */
export type OutsideEvent =
  /** A batch task changed its status. */
  | {
      readonly kind: "batch-status";
      readonly batchTaskId: string;
      readonly taskType: string | undefined;
      readonly status: string;
      /** By the platform's clock, epoch milliseconds. */
      readonly statusAtMs: number;
    }
  /** An export is to be archived. */
  | { readonly kind: "export"; readonly exportTaskId: string };

const word = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,64}$/));
const time = v.pipe(
  v.string(),
  v.check((text) => parsePlatformTime(text) !== undefined),
);

/** The push of a batch task's status (iotda-api §6). Fields that nothing is decided on are passed over. */
const batchPushSchema = v.pipe(
  v.object({
    resource: v.literal("batchtask"),
    event: v.literal("update"),
    event_time: v.nullish(time),
    event_time_ms: v.nullish(time),
    notify_data: v.object({
      body: v.object({
        task_id: v.pipe(v.string(), v.regex(BATCH_TASK_ID)),
        task_type: v.nullish(word),
        status: word,
      }),
    }),
  }),
  v.transform(({ event_time, event_time_ms, notify_data: { body } }) => ({
    kind: "batch-status" as const,
    batchTaskId: body.task_id,
    taskType: body.task_type ?? undefined,
    status: body.status,
    // The compact time is the one every push has; the other only adds milliseconds.
    statusAtMs: parsePlatformTime(event_time ?? event_time_ms ?? ""),
  })),
);

const exportRequestSchema = v.object({
  exportTaskId: v.optional(v.pipe(v.string(), v.regex(EXPORT_TASK_ID))),
  export_task_id: v.optional(v.pipe(v.string(), v.regex(EXPORT_TASK_ID))),
});

/** What tells the kinds of events apart. */
const kindSchema = v.object({
  resource: v.optional(v.unknown()),
  event: v.optional(v.unknown()),
  exportTaskId: v.optional(v.unknown()),
  export_task_id: v.optional(v.unknown()),
});

/** Reads an event. Never throws. */
export function readOutsideEvent(json: unknown): OutsideEvent | Refusal {
  const kind = v.safeParse(kindSchema, json);
  if (!kind.success || Array.isArray(json)) {
    return refused("malformed", "The event is not a JSON object.");
  }
  if (hasHttpField(json)) {
    // The sender needed no secret to put it into a queue.
    return refused("malformed", "The event is an HTTP request inside another event.");
  }
  const { resource, event, exportTaskId, export_task_id } = kind.output;
  if (resource === "batchtask" && event === "update") {
    return readBatchPush(json);
  }
  if (resource === undefined && (exportTaskId !== undefined || export_task_id !== undefined)) {
    return readExportRequest(json);
  }
  return refused(
    "unknown-event",
    "The event is neither batchtask:update nor a request with an exportTaskId.",
  );
}

function readBatchPush(json: unknown): OutsideEvent | Refusal {
  const parsed = v.safeParse(batchPushSchema, json, { abortEarly: true });
  if (!parsed.success) {
    return refused(
      "malformed",
      `The field ${pathOf(parsed.issues[0])} of the event is missing or malformed.`,
    );
  }
  const { statusAtMs, ...rest } = parsed.output;
  return statusAtMs === undefined
    ? refused("malformed", "The field event_time of the event is missing.")
    : { ...rest, statusAtMs };
}

function readExportRequest(json: unknown): OutsideEvent | Refusal {
  const parsed = v.safeParse(exportRequestSchema, json, { abortEarly: true });
  const { exportTaskId, export_task_id } = parsed.success ? parsed.output : {};
  const id = exportTaskId ?? export_task_id;
  if (id === undefined || (export_task_id !== undefined && export_task_id !== id)) {
    return refused("malformed", "The exportTaskId of the event is not an export task id.");
  }
  return { kind: "export", exportTaskId: id };
}

/** Names of the schema, never of the event. */
function pathOf(issue: v.BaseIssue<unknown>): string {
  return v.getDotPath(issue) ?? "event";
}

/** Batch statuses after which nothing more happens to a batch task on its own (iotda-api §1.5). */
export const TERMINAL_BATCH_STATUSES = ["Success", "PartialSuccess", "Fail", "Stopped"] as const;

/** A kind of batch task, or `any` for every kind, and the status that asks for an export. */
export interface ExportTrigger {
  readonly taskType: string;
  readonly status: (typeof TERMINAL_BATCH_STATUSES)[number];
}

/** Whether a batch task of this type that got this status asks for an export. */
export function asksForExport(
  triggers: readonly ExportTrigger[],
  event: { readonly taskType: string | undefined; readonly status: string },
): boolean {
  return triggers.some(
    ({ taskType, status }) => status === event.status && (taskType === "any" || taskType === event.taskType),
  );
}

/** What became of an event that was not refused; `ignored` costs no call. */
export type Taken =
  | { readonly kind: "requested"; readonly batchTaskId: string; readonly isNew: boolean }
  | { readonly kind: "enqueued"; readonly exportTaskId: string }
  | { readonly kind: "ignored"; readonly reason: "status-not-asked-for" };

/** Where events lead to. Each resolves when what it wrote is durable. */
export interface EventTargets {
  request(request: NewRequest): Promise<"new" | "known">;
  enqueue(message: TaskMessage): Promise<void>;
}

/**
 * Takes one event: a batch task's end that asks for an export becomes a request, the id of an export goes to the
 * task queue. Nothing is called for any other event.
 * @throws what the target throws; the event then has to come again.
 */
export async function takeEvent(
  json: unknown,
  triggers: readonly ExportTrigger[],
  targets: EventTargets,
): Promise<Taken | Refusal> {
  const event = readOutsideEvent(json);
  switch (event.kind) {
    case "refused":
      return event;
    case "batch-status": {
      if (!asksForExport(triggers, event)) {
        return { kind: "ignored", reason: "status-not-asked-for" };
      }
      const { batchTaskId, statusAtMs, status, taskType } = event;
      const source = "event" as const;
      const made = await targets.request(compact({ batchTaskId, statusAtMs, status, source, taskType }));
      return { kind: "requested", batchTaskId, isNew: made === "new" };
    }
    case "export": {
      const { exportTaskId } = event;
      await targets.enqueue({ exportTaskId, source: "event" });
      return { kind: "enqueued", exportTaskId };
    }
  }
}
