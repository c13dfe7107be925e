import type { ExportTask } from "../../lib/domain/export-task.ts";
import type { ExportFile } from "./export-file.ts";
import type { ListedFile } from "./observer.ts";

/** What a test says of a task it puts on the platform; everything has a default. */
export interface NewWorldTask {
  readonly exportTaskId?: string;
  /** `Processing` ones end as `endsAs` after `processingMs`. Any other text stays as it is. */
  readonly status?: string;
  readonly endsAs?: "Success" | "Failed";
  readonly processingMs?: number;
  readonly resourceCondition?: Readonly<Record<string, unknown>>;
  readonly createdAtMs?: number;
  readonly exportCount?: number;
  readonly file?: ExportFile;
}

/** A task as the platform holds it. */
export interface WorldTask {
  readonly exportTaskId: string;
  readonly sequence: number;
  readonly resourceCondition: Readonly<Record<string, unknown>>;
  /** Tasks with one condition share one file. */
  readonly fileKey: string;
  readonly createdAtMs: number;
  status: string;
  endTimeMs: number | undefined;
  exportCount: number | undefined;
  /** The task as last listed, until it changes: lists are most of a simulation's work. */
  view: ListedFile | undefined;
  ending: { atMs: number; status: "Success" | "Failed"; exportCount: number; file: ExportFile } | undefined;
}

function isoTime(epochMs: number | undefined): string | undefined {
  return epochMs === undefined ? undefined : new Date(epochMs).toISOString();
}

/** The task as a list shows it now. */
export function toExportTask(task: WorldTask): ExportTask {
  const createTime = isoTime(task.createdAtMs);
  const endTime = isoTime(task.endTimeMs);
  return {
    exportTaskId: task.exportTaskId,
    status: task.status,
    resourceType: "BatchTask",
    resourceCondition: task.resourceCondition,
    appType: "GLOBAL",
    appId: undefined,
    exportCount: task.exportCount,
    createTime,
    endTime,
    source: {
      export_task_id: task.exportTaskId,
      resource_type: "BatchTask",
      resource_condition: task.resourceCondition,
      export_format: "xls",
      status: task.status,
      ...(task.exportCount === undefined ? {} : { export_count: task.exportCount }),
      create_time: createTime,
      ...(endTime === undefined ? {} : { end_time: endTime }),
      app_type: "GLOBAL",
    },
  };
}
