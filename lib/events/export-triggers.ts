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
