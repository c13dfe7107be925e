import type { FaultRuleInput, TaskSpecInput } from "../start.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** The platform's real interval is 31 s; a demonstration in a minute needs a shorter one. */
export const INTERVAL_MS = 1_300;

/** One export of the night, and what is made to go wrong with it. */
export interface NightTask {
  readonly spec: TaskSpecInput & { readonly exportTaskId: string };
  /** In words, for the closing table. */
  readonly trouble?: string;
  readonly faults?: readonly Omit<FaultRuleInput, "exportTaskId">[];
}

/** The exports were made in the hours before the demonstration, so that its report is about the night that just ended. */
const FIRST_MADE_AT_MS = Date.now() - 6 * 3_600_000;
const MADE_EVERY_MS = 15 * 60_000;

function finished(number: number, fillerBytes: number, more: Partial<NightTask> = {}): NightTask {
  return {
    spec: {
      exportTaskId: `night-export-${String(number).padStart(2, "0")}`,
      condition: { task_id: `batch-${number}` },
      createTime: new Date(FIRST_MADE_AT_MS + number * MADE_EVERY_MS).toISOString(),
      exportCount: 100 * number + 7,
      fillerBytes,
    },
    ...more,
  };
}

function unlike(number: number, status: string, trouble: string): NightTask {
  const task = finished(number, 0);
  return { spec: { ...task.spec, status }, trouble };
}

/** Thirteen finished exports from a few KiB to 80 MiB, two unfinished ones, and one that failed. Oldest first. */
export const NIGHT: readonly NightTask[] = [
  finished(1, 0),
  finished(2, 300 * KIB),
  finished(3, 2 * MIB, {
    trouble: "connection reset within the file",
    faults: [{ operation: "showExportTask", fault: { kind: "reset", afterBytes: 700 * KIB } }],
  }),
  finished(4, 0),
  finished(5, 6 * MIB, {
    trouble: "file cut short, no length to tell",
    faults: [
      { operation: "showExportTask", fault: { kind: "short-body", bytes: 4 * MIB, declareLength: false } },
    ],
  }),
  finished(6, 80 * MIB),
  finished(7, 40 * KIB, {
    trouble: "a proxy's HTML page, status 200",
    faults: [{ operation: "showExportTask", fault: { kind: "html" } }],
  }),
  finished(8, 12 * MIB),
  unlike(9, "Failed", "the platform could not make it"),
  finished(10, 500 * KIB, {
    trouble: "a JSON error, status 200",
    faults: [{ operation: "showExportTask", fault: { kind: "json-200", code: "IOTDA.014111" } }],
  }),
  finished(11, 0, {
    trouble: "throttled, disguised as 403",
    faults: [{ operation: "showExportTask", fault: { kind: "throttle" } }],
  }),
  finished(12, 25 * MIB, {
    trouble: "deleted, but the answer was lost",
    faults: [{ operation: "deleteExportTask", fault: { kind: "answer-lost" } }],
  }),
  finished(13, 150 * KIB),
  unlike(14, "Processing", "still being made"),
  finished(15, 3 * MIB, {
    trouble: "server error 500 on delete",
    faults: [{ operation: "deleteExportTask", fault: { kind: "status", status: 500, code: "IOTDA.000007" } }],
  }),
  unlike(16, "Processing", "still being made"),
];

/** The faults of all tasks, as the sandbox takes them. */
export function faultRules(): readonly FaultRuleInput[] {
  return NIGHT.flatMap(({ spec, faults = [] }) =>
    faults.map((fault) => ({ ...fault, exportTaskId: spec.exportTaskId })),
  );
}
