import type { NewRequest } from "../domain/request-layout.ts";
import type { TaskMessage } from "../domain/task-message.ts";
import { asksForExport, type ExportTrigger } from "./export-triggers.ts";
import { type OutsideEvent, readOutsideEvent } from "./outside-event.ts";
import type { Refusal } from "./refusal.ts";

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
  return event.kind === "refused" ? event : await act(event, triggers, targets);
}

async function act(
  event: OutsideEvent,
  triggers: readonly ExportTrigger[],
  targets: EventTargets,
): Promise<Taken> {
  switch (event.kind) {
    case "batch-status": {
      if (!asksForExport(triggers, event)) {
        return { kind: "ignored", reason: "status-not-asked-for" };
      }
      const { batchTaskId, statusAtMs, status, taskType } = event;
      const request = { batchTaskId, statusAtMs, status, source: "event" as const };
      const made = await targets.request(taskType === undefined ? request : { ...request, taskType });
      return { kind: "requested", batchTaskId, isNew: made === "new" };
    }
    case "export": {
      const { exportTaskId } = event;
      await targets.enqueue({ exportTaskId, source: "event" });
      return { kind: "enqueued", exportTaskId };
    }
  }
}
