import { describe, expect, test } from "vitest";
import type { Group, Status } from "../../lib/doctor/check.ts";
import type { Examination } from "../../lib/doctor/examine.ts";
import { IMPOSSIBLE_TASK_ID } from "../../lib/doctor/platform.ts";
import { type ExportTask, isExportTaskId } from "../../lib/domain/export-task.ts";
import { PlatformError } from "../../lib/ports/platform.ts";
import { queueError, storeError } from "../world/port-errors.ts";
import { DoctorScene, FOLDER, type PortChanges } from "./doctor-scene.ts";

const DAY_MS = 86_400_000;
const LONGEST_MS = 5_000;

function hangs(): Promise<never> {
  return new Promise(() => undefined);
}

function fails(error: Error): () => Promise<never> {
  return async () => {
    throw error;
  };
}

function refusal(code: PlatformError["code"], httpStatus: number, platformCode: string): PlatformError {
  const facts = { scope: "system", retry: "later", hint: "hint" } as const;
  return new PlatformError(code, `status ${httpStatus} ${platformCode}`, {
    ...facts,
    httpStatus,
    platformCode,
  });
}

function failedIn({ checks }: Examination): readonly string[] {
  return checks.filter(({ status }) => status === "hurts" || status === "broken").map(({ id }) => id);
}

function statusOf({ checks }: Examination, id: string): Status | undefined {
  return checks.find((check) => check.id === id)?.status;
}

test("a healthy deployment is well, with every group in its order", async () => {
  const examination = await new DoctorScene().examine();
  expect(failedIn(examination)).toEqual([]);
  expect(examination.verdict).toBe("well");
  expect([...new Set(examination.checks.map(({ group }) => group))]).toEqual([
    "settings",
    "platform",
    "store",
    "queue",
    "schedule",
    "notification",
    "archive",
  ]);
});

describe("an examination ends within five seconds", () => {
  test("when nothing answers", async () => {
    const scene = new DoctorScene();
    const examination = await scene.examine({
      settings: { secrets: [{ name: "ARCHIVER_CREDENTIALS_SECRET", read: hangs }] },
      platform: { connect: hangs },
      store: { open: hangs },
      queue: { look: hangs },
      schedule: { files: hangs },
      notification: hangs,
    });
    expect(scene.clock.monotonicMs()).toBeLessThan(LONGEST_MS);
    expect(scene.clock.countPending()).toBe(0);
    expect(failedIn(examination)).toEqual(["platform-connection", "store-archive", "queue-use"]);
    expect(examination.checks).toContainEqual(
      expect.objectContaining({ id: "queue-use", cause: "no answer came within 2.5 s" }),
    );
  });

  test("when every later question hangs, each of which could take its whole time", async () => {
    const scene = new DoctorScene();
    const slowly = async <T>(value: T): Promise<T> => {
      await scene.clock.sleep(2_400);
      return value;
    };
    await scene.examine({
      platform: { connect: () => slowly(undefined), listExportTasks: hangs },
      store: { folder: () => slowly(FOLDER), getDocument: hangs },
    });
    expect(scene.clock.monotonicMs()).toBeLessThan(LONGEST_MS);
  });
});

const OLD_EXPORT: ExportTask = {
  exportTaskId: "night-1",
  status: "Success",
  createTime: "2026-11-01T01:00:00.000Z",
} as ExportTask;

const FAULTS: readonly (readonly [what: string, changes: PortChanges, check: string, status: Status])[] = [
  [
    "this user owns the folder in part",
    { store: { folder: async () => ({ ...FOLDER, unwritable: ["records"] }) } },
    "store-folder",
    "broken",
  ],
  [
    "the disk is full",
    { store: { folder: async () => ({ ...FOLDER, freeBytes: 1_000_000 }) } },
    "store-space",
    "broken",
  ],
  [
    "the disk has no inode",
    { store: { folder: async () => ({ ...FOLDER, freeInodes: 0 }) } },
    "store-space",
    "broken",
  ],
  [
    "the disk has room for two nights",
    { store: { folder: async () => ({ ...FOLDER, freeBytes: 2.5 * 1024 ** 3 }) } },
    "store-space",
    "hurts",
  ],
  [
    "this user cannot write to the queue",
    { queue: { look: async () => ({ isMade: true, isWritable: false, messages: 0, deadLetters: 0 }) } },
    "queue-use",
    "broken",
  ],
  [
    "the queue is forbidden",
    { queue: { look: fails(queueError("queue-forbidden")) } },
    "queue-use",
    "broken",
  ],
  [
    "the store is forbidden",
    { store: { open: fails(storeError("store-forbidden")) } },
    "store-archive",
    "broken",
  ],
  [
    "an old export that nothing has touched",
    {
      platform: {
        listExportTasks: async () => ({ tasks: [OLD_EXPORT], oddItems: [], platformDateMs: undefined }),
      },
    },
    "last-discover",
    "hurts",
  ],
  [
    "the delete is refused with a code that is not documented",
    { platform: { deleteExportTask: fails(refusal("platform-throttled", 403, "IOTDA.077777")) } },
    "platform-delete",
    "hurts",
  ],
];

test.each(FAULTS)("one check names: %s", async (_what, changes, check, status) => {
  const examination = await new DoctorScene().examine(changes);
  expect(failedIn(examination)).toEqual([check]);
  expect(statusOf(examination, check)).toBe(status);
});

const UNKNOWN: readonly (readonly [what: string, changes: PortChanges, checks: readonly string[]])[] = [
  [
    "a list that came too often",
    { platform: { listExportTasks: fails(refusal("platform-throttled", 403, "IOTDA.021101")) } },
    ["platform-list", "platform-clock", "platform-places", "platform-delete"],
  ],
  [
    "a delete that came too often",
    { platform: { deleteExportTask: fails(refusal("platform-throttled", 429, "APIGW.0308")) } },
    ["platform-delete"],
  ],
  [
    "a delete of no task that was accepted",
    { platform: { deleteExportTask: async () => undefined } },
    ["platform-delete"],
  ],
  [
    "an id that the platform refuses as none",
    { platform: { deleteExportTask: fails(refusal("platform-rejected-request", 400, "IOTDA.000006")) } },
    ["platform-delete"],
  ],
  ["deletion that is off", { settings: { deletion: "never" } }, ["platform-delete"]],
  [
    "a platform that tells no time",
    { platform: { listExportTasks: async () => ({ tasks: [], oddItems: [], platformDateMs: undefined }) } },
    ["platform-clock"],
  ],
  [
    "an old export that was archived without discover",
    {
      platform: {
        listExportTasks: async () => ({ tasks: [OLD_EXPORT], oddItems: [], platformDateMs: undefined }),
      },
      documents: { "records/project-1/default/night-1/aaaaaaaa/archived.json": {} },
    },
    ["last-discover"],
  ],
  ["a store that was not tried out", { store: { sharesPace: "when-tried" } }, ["store-abilities"]],
  [
    "the age of messages in SQS",
    {
      queue: {
        kind: "sqs",
        look: async () => ({
          isMade: true,
          isWritable: true,
          messages: 3,
          deadLetters: 0,
          lettersKeptMs: 14 * DAY_MS,
        }),
      },
    },
    ["queue-age"],
  ],
  ["what starts runs that come", { schedule: { files: async () => [] } }, ["timer"]],
  [
    "a topic whose subscriptions may not be asked",
    {
      notification: async () => ({
        heartbeat: { name: "hc.example", connect: async () => undefined },
        targets: [],
        topics: [{ name: "sns eu-central-1", subscriptions: fails(storeError("store-forbidden")) }],
        names: ["sns eu-central-1"],
      }),
    },
    ["notify-topics"],
  ],
];

test.each(UNKNOWN)("nothing is accused of %s", async (_what, changes, checks) => {
  const examination = await new DoctorScene().examine(changes);
  expect(failedIn(examination)).toEqual([]);
  expect(examination.verdict).toBe("well");
  expect(examination.checks.filter(({ status }) => status === "unknown").map(({ id }) => id)).toEqual(
    expect.arrayContaining([...checks]),
  );
});

describe("what was asked for", () => {
  test("is examined alone", async () => {
    const asked: string[] = [];
    const note = (name: string) => async () => {
      asked.push(name);
      return await hangs();
    };
    const changes = {
      platform: { connect: note("platform") },
      store: { open: note("store") },
      notification: note("notification"),
    };
    const examination = await new DoctorScene().examine(changes, ["queue"]);
    expect(asked).toEqual([]);
    expect(new Set(examination.checks.map(({ group }) => group))).toEqual(new Set<Group>(["queue"]));
  });

  test("comes with what kept it from being asked", async () => {
    const changes = { store: { open: fails(storeError("store-forbidden")) } };
    const examination = await new DoctorScene().examine(changes, ["archive"]);
    expect(failedIn(examination)).toEqual(["store-archive"]);
    expect(examination.verdict).toBe("broken");
  });
});

test("the id of no task is one that the platform would take, and not of hex digits", () => {
  expect(isExportTaskId(IMPOSSIBLE_TASK_ID)).toBe(true);
  expect(IMPOSSIBLE_TASK_ID).not.toMatch(/^[0-9a-f-]+$/);
});

test("no delete is sent when a list shows that id", async () => {
  const task = { exportTaskId: IMPOSSIBLE_TASK_ID, status: "Success", raw: {} };
  const listing = { tasks: [task as never], oddItems: [], platformDateMs: undefined };
  const sent: string[] = [];
  const examination = await new DoctorScene().examine({
    platform: {
      listExportTasks: async () => listing,
      deleteExportTask: async (id) => void sent.push(id),
    },
  });
  expect(sent).toEqual([]);
  expect(statusOf(examination, "platform-delete")).toBe("unknown");
});
