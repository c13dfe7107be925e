import { randomUUID } from "node:crypto";
import * as v from "valibot";

const text = v.pipe(v.string(), v.minLength(1));

/** A batch task that changed its status, and who is told. */
export const batchPushSchema = v.strictObject({
  /** Where data forwarding pushes to, over HTTP. */
  url: v.pipe(v.string(), v.url()),
  headers: v.optional(v.record(v.string(), v.string()), {}),
  taskId: text,
  taskType: v.optional(text, "softwareUpgrade"),
  status: v.optional(text, "Success"),
  /** When the status changed; epoch milliseconds. Default: now. */
  atMs: v.optional(v.number()),
});
export type BatchPush = v.InferInput<typeof batchPushSchema>;

/** What the receiver answered. */
export interface PushAnswer {
  readonly status: number;
  readonly body: string;
}

/** It only catches what hangs: what receives may have to start a process first. */
const PUSH_LIMIT_MS = 240_000;

/** Pushes once, as documented (iotda-api §6): no token, no retry. */
export async function pushBatchTask(push: v.InferOutput<typeof batchPushSchema>): Promise<PushAnswer> {
  const { url, headers, taskId, taskType, status, atMs = Date.now() } = push;
  const iso = new Date(atMs).toISOString();
  const compact = `${iso.slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({
      resource: "batchtask",
      event: "update",
      event_time: compact,
      event_time_ms: iso,
      request_id: randomUUID(),
      notify_data: {
        body: { app_id: "sandbox-app", task_id: taskId, task_type: taskType, status, status_desc: "" },
      },
    }),
    signal: AbortSignal.timeout(PUSH_LIMIT_MS),
  });
  return { status: response.status, body: await response.text() };
}
