import { describe, expect, test } from "vitest";
import { type ExportTask, revisionOf } from "../domain/export-task.ts";
import { Holds } from "../records/holds.ts";
import { recordedInfo } from "../records/recorded-object.ts";
import { recordsOfRevision } from "../records/task-records.ts";
import { recordOf } from "../records/testing/archived-record.ts";
import type { Copy } from "./copy.ts";
import { deleteTask } from "./delete-task.ts";
import type { FinishedTask } from "./inspect-task.ts";
import { BareAttempt, ID } from "./testing/bare-attempt.ts";

const LIST_MAX_AGE_MS = 5_000;

const TASK: ExportTask = {
  exportTaskId: ID,
  status: "Success",
  resourceType: "BatchTask",
  resourceCondition: { task_id: "batch" },
  appType: undefined,
  appId: undefined,
  exportCount: 3,
  createTime: "2026-11-22T01:00:00.000Z",
  endTime: "2026-11-22T01:03:00.000Z",
  source: {},
};

const record = recordOf("aaaaaa", { revision: revisionOf(TASK) });
const COPY: Copy = { record, seen: recordedInfo(record), archivedNow: true, isKnownDamaged: false };
const NOTHING_KNOWN = recordsOfRevision({ revisions: new Map(), leftAlone: [] }, record.revision);
const SIGHT: FinishedTask = {
  kind: "finished",
  task: TASK,
  revision: record.revision,
  folder: "exports/",
  records: { ...NOTHING_KNOWN, archived: record },
  message: { exportTaskId: ID, requestedAtMs: 0 },
};

const SIBLING: ExportTask = { ...TASK, exportTaskId: "sibling" };

/** A gate whose last question, the one about a sibling's records, and the way to the platform take so long at each try. */
function withSlowSibling(answersAfterMs: readonly number[], connectMs: readonly number[] = []) {
  const counts = { lists: 0, deletes: 0 };
  const bare = new BareAttempt({
    lists: () => {
      counts.lists += 1;
      return counts.deletes > 0 ? [SIBLING] : [TASK, SIBLING];
    },
    deleteTask: async ({ beforeRequest }) => {
      await bare.clock.sleep(connectMs[counts.lists - 1] ?? 0);
      beforeRequest?.();
      counts.deletes += 1;
    },
  });
  const { run } = bare.attempt;
  const records = { revisions: new Map([[record.revision, SIGHT.records]]) };
  const gateRun: unknown = {
    ...run,
    abilities: { verification: "read-back" },
    readAtMs: new Map([[record.object.key, 0]]),
    records: { ofTask: async () => records, holds: async () => new Holds([], []) },
    archivedExports: {
      copiesOf: async () => {
        await bare.clock.sleep(answersAfterMs[counts.lists - 1] ?? 0);
        return [];
      },
    },
    ports: { ...run.ports, store: { head: async () => COPY.seen } },
  };
  const attempt = { ...bare.attempt, run: gateRun as typeof run };
  return { counts, deleting: () => bare.clock.run(() => deleteTask(attempt, SIGHT, COPY)) };
}

describe("a gate's verdict", () => {
  test("holds while its list is 5 s old", async () => {
    const { counts, deleting } = withSlowSibling([LIST_MAX_AGE_MS]);
    expect(await deleting()).toEqual({ kind: "gone", outcome: "deleted" });
    expect(counts).toEqual({ lists: 2, deletes: 1 });
  });

  test("that took longer is reached again", async () => {
    const { counts, deleting } = withSlowSibling([LIST_MAX_AGE_MS + 1, 10]);
    expect(await deleting()).toEqual({ kind: "gone", outcome: "deleted" });
    expect(counts).toEqual({ lists: 3, deletes: 1 });
  });

  test("does not outlive a connection that is slow to come", async () => {
    const { counts, deleting } = withSlowSibling([0, 0], [LIST_MAX_AGE_MS + 1, LIST_MAX_AGE_MS]);
    expect(await deleting()).toEqual({ kind: "gone", outcome: "deleted" });
    expect(counts).toEqual({ lists: 3, deletes: 1 });
  });

  test("that is too old three times deletes nothing and waits", async () => {
    const tooOldMs = LIST_MAX_AGE_MS + 1;
    const { counts, deleting } = withSlowSibling([tooOldMs, tooOldMs, tooOldMs, 10]);
    expect(await deleting()).toEqual({ kind: "wait", reason: "gate-too-slow" });
    expect(counts).toEqual({ lists: 3, deletes: 0 });
  });
});
