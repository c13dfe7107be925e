import * as v from "valibot";
import { EXPORT_TASK_ID } from "../domain/export-task.ts";
import type { LeftAloneReport } from "../domain/left-alone.ts";
import type { NextToGo } from "../records/run-report.ts";
import { isoTime, schemaVersion } from "../records/schemas.ts";

/** What a run would do about one export. */
export const PLAN_ACTIONS = [
  /** Download, prove and record it, then delete its task. */
  "archive-delete",
  /** The same without the deletion; the reason says why the task stays. */
  "archive",
  /** Its copy is recorded: only the task goes. */
  "delete",
  "keep",
  "wait",
  "give-up",
  /** Its item, or its status, cannot be understood: nothing is done about it. */
  "left-alone",
] as const;

export type PlanAction = (typeof PLAN_ACTIONS)[number];

/** The platform keeps 50 exports; a file with many more is not a plan of this program. */
const MAX_ITEMS = 1_000;

const exportTaskId = v.pipe(v.string(), v.regex(EXPORT_TASK_ID));
const text = v.pipe(v.string(), v.maxLength(1_024));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const durationMs = v.pipe(v.number(), v.finite(), v.minValue(0));

/** What was recorded of an export's revision when the plan was made: where it differs later, the plan is void for it. */
const knownRecordsSchema = v.object({
  /** The highest number of an `archived` record; 0 without one. */
  archived: count,
  /** The key of the recorded copy. */
  copy: v.exactOptional(text),
  /** The highest number of a dead-letter record; 0 without one. */
  deadLetters: count,
  expired: v.boolean(),
});

export type KnownRecords = v.InferOutput<typeof knownRecordsSchema>;

const itemSchema = v.object({
  exportTaskId,
  /** Missing where the platform's item cannot be understood. */
  revision: v.exactOptional(v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/))),
  batchTaskId: v.exactOptional(text),
  createTime: v.exactOptional(isoTime),
  /** From its creation to the plan, in milliseconds. */
  ageMs: v.exactOptional(durationMs),
  rows: v.exactOptional(count),
  action: v.picklist(PLAN_ACTIONS),
  /** A reason of architecture §6.4, or the code of an error. */
  reason: v.exactOptional(text),
  /** When a run would begin with it: for a download the begin of its slot. Missing where nothing is done. */
  at: v.exactOptional(isoTime),
  /** When a run would delete its task. */
  deleteAt: v.exactOptional(isoTime),
  held: v.boolean(),
  /** Missing where they cannot be read. */
  records: v.exactOptional(knownRecordsSchema),
  /** Of finished exports without a copy: the create from now on that destroys it at the earliest. */
  lostAfterCreates: v.exactOptional(count),
});

/** What a run would do about one export, why and when. */
export type PlanItem = v.InferOutput<typeof itemSchema>;

/** All of a plan that {@link PlannedWork} relies on: what a file of an operator is read by. */
export const planSchema = v.object({
  schemaVersion,
  /** ISO 8601. */
  madeAt: isoTime,
  projectId: text,
  instanceId: v.nullable(text),
  /** Missing for an archive from before `archive.json`. */
  archiveId: v.exactOptional(text),
  /** Sorted by time; those about which nothing is done come last, the oldest first. */
  items: v.pipe(v.array(itemSchema), v.maxLength(MAX_ITEMS)),
});

/** A plan as it is read again. */
export type WorkPlan = v.InferOutput<typeof planSchema>;

/** What a run would do now, if nothing else changed meanwhile (architecture §13). */
export interface Plan extends WorkPlan {
  readonly deletion: "after-verify" | "never";
  readonly downloadIntervalMs: number;
  /** Whether the store was tried out within a day; otherwise its profile alone says what it can do. */
  readonly storeTriedOut: boolean;
  readonly totals: PlanTotals;
  /** Only while few export slots are free. */
  readonly nextToGo?: NextToGo;
  readonly leftAlone?: LeftAloneReport;
}

export interface PlanTotals {
  readonly actions: Readonly<Partial<Record<PlanAction, number>>>;
  /** Download slots needed. */
  readonly downloads: number;
  /** From the plan to the last thing that a run would do, in milliseconds. */
  readonly durationMs: number;
  /** The least time from the first download to the last one: an interval between each two, in milliseconds. */
  readonly floorMs: number;
  readonly slots: { readonly held: number; readonly after: number; readonly limit: number };
}

/** Whether this action makes a copy of the export. */
export function doesArchive(action: PlanAction): boolean {
  return action === "archive" || action === "archive-delete";
}

/** Whether this action deletes the export's task. */
export function doesDelete(action: PlanAction): boolean {
  return action === "delete" || action === "archive-delete";
}
