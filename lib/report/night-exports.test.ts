import { describe, expect, test } from "vitest";
import { exportsOfNight, madeExports } from "./night-exports.ts";
import { at, facts, line, nameOfTask, night, platform, runOn, task } from "./testing/night-scene.ts";

const REVISION = "0a1b2c3d";
const entry = { exportTaskId: "a", revision: REVISION };
const standings = (changes: Parameters<typeof facts>[0]) =>
  exportsOfNight(facts(changes)).map(({ exportTaskId, standing }) => `${exportTaskId} ${standing}`);

describe("an export of the night", () => {
  test("stands as its last attempt left it", () => {
    const runs = [
      runOn([{ ...entry, outcome: "retried", reason: "short-body" }], at("01:00")),
      runOn([{ ...entry, outcome: "archived-deleted", sizeBytes: 7 }], at("02:00")),
    ];
    expect(exportsOfNight(facts({ runs }))).toEqual([
      { ...entry, standing: "archived-deleted", attempts: 2, sizeBytes: 7 },
    ]);
  });

  test.each([
    [{ outcome: "archived-kept", reason: "hold" }, "archived-kept"],
    [{ outcome: "dead-lettered", reason: "max-attempts" }, "given-up"],
    [{ outcome: "retried", reason: "short-body" }, "retried"],
    [{ outcome: "deleted" }, "deleted"],
  ] as const)("of %o is %s", (last, standing) => {
    expect(exportsOfNight(facts({ runs: [runOn([{ ...entry, ...last }])] }))).toMatchObject([{ standing }]);
  });

  test("has its whole id, whatever a report of a run says that it is", () => {
    const runs = [runOn([{ exportTaskId: "a/b", revision: REVISION, outcome: "dead-lettered" }])];
    expect(exportsOfNight(facts({ runs }))).toMatchObject([{ exportTaskId: "a/b", revision: REVISION }]);
  });

  test("has the batch task of which the platform could not make it", () => {
    const failed = task("a", at("01:00"), { status: "Failed" });
    const runs = [runOn([{ exportTaskId: "a", outcome: "dead-lettered", reason: "export-failed" }])];
    expect(exportsOfNight(facts({ runs, platform: platform([failed]) }))).toMatchObject([
      { standing: "given-up", batchTaskId: "batch-a" },
    ]);
  });

  test("is archived where the records say so, although its run died before its report", () => {
    const archived = line("a", { deletedAt: at("02:01"), batchTaskId: "fleet" });
    expect(exportsOfNight(facts({ runs: [], lines: [archived] }))).toEqual([
      {
        ...entry,
        standing: "archived-deleted",
        attempts: 0,
        batchTaskId: "fleet",
        rows: 5,
        sizeBytes: 100,
        createTime: at("01:00"),
        archivedAt: at("02:00"),
        deletedAt: at("02:01"),
      },
    ]);
    // The run after it only finds the work done.
    const runs = [runOn([{ ...entry, outcome: "already-done" }])];
    expect(standings({ runs, lines: [line("a")] })).toEqual(["a archived-kept"]);
  });

  test("counts where its run ended, also when it was archived before the night began", () => {
    const before = { archivedAt: "2026-11-27T06:55:00.000Z", deletedAt: "2026-11-27T06:56:00.000Z" };
    const outcome = "archived-deleted";
    const spanning = {
      ...runOn([{ ...entry, outcome }], at("07:05")),
      startedAt: "2026-11-27T06:50:00.000Z",
    };
    expect(standings({ runs: [spanning], lines: [line("a", before)] })).toEqual(["a archived-deleted"]);
  });

  test("that was archived in an earlier night is shown when it is deleted, and only then", () => {
    const old = line("a", { archivedAt: "2026-11-26T02:00:00.000Z" });
    const kept = [runOn([{ ...entry, outcome: "archived-kept", reason: "hold" }])];
    expect(standings({ runs: kept, lines: [old] })).toEqual([]);
    expect(standings({ lines: [{ ...old, deletedAt: at("02:00") }] })).toEqual(["a deleted"]);
    expect(standings({ lines: [{ ...old, deletedAt: "2026-11-26T03:00:00.000Z" }] })).toEqual([]);
  });

  test("waits when it is finished on the platform without a copy", () => {
    const failed = task("c", at("01:00"), { status: "Failed" });
    const making = task("d", at("01:00"), { status: "Processing" });
    const tasks = [task("a"), task("b"), failed, making];
    expect(standings({ platform: platform(tasks, ["a"]) })).toEqual(["b waiting"]);
  });

  test("waits by what runs said, where the platform does not answer", () => {
    const postponed = (exportTaskId: string, reason: string) =>
      ({ exportTaskId, outcome: "postponed", reason }) as const;
    const runs = [
      runOn([postponed("a", "throttled"), postponed("b", "unfinished"), postponed("c", "absent")]),
    ];
    const { platform: _answer, ...silent } = facts({ runs });
    expect(exportsOfNight(silent)).toMatchObject([{ exportTaskId: "a", standing: "waiting" }]);
    // A list that shows none of them goes before.
    expect(standings({ runs })).toEqual([]);
  });

  test("that was given up in an earlier night stays so while it is on the platform", () => {
    const listed = task("a");
    const givenUp = new Map([[nameOfTask(listed), { reason: "not-accepted", atMs: 5 }]]);
    expect(exportsOfNight(facts({ platform: platform([listed], [], { givenUp }) }))).toMatchObject([
      { standing: "given-up", reason: "not-accepted", givenUpAtMs: 5 },
    ]);
  });

  test("that is given up after it was archived is safe, and named", () => {
    const runs = [runOn([{ ...entry, outcome: "dead-lettered", reason: "max-attempts" }])];
    expect(night({ runs, lines: [line("a")] })).toMatchObject({
      verdict: "look",
      findings: [{ kind: "given-up", exportTaskId: "a" }],
      counts: { archived: 1, kept: 1, givenUp: 0 },
    });
  });

  test("has one row for each of its revisions; an attempt that knew none counts for the last one", () => {
    const runs = [
      runOn([{ exportTaskId: "a", outcome: "postponed", reason: "throttled" }], at("00:30")),
      runOn([{ ...entry, outcome: "archived-deleted" }], at("01:00")),
      runOn([{ ...entry, revision: "ffffffff", outcome: "retried" }], at("02:00")),
    ];
    expect(exportsOfNight(facts({ runs }))).toMatchObject([
      { revision: "ffffffff", standing: "retried", attempts: 2 },
      { revision: REVISION, standing: "archived-deleted", attempts: 1 },
    ]);
  });
});

test("runs that ended before the night do not count", () => {
  const runs = [runOn([{ ...entry, outcome: "archived-deleted" }], "2026-11-27T07:00:00.000Z")];
  expect(standings({ runs })).toEqual([]);
});

test("made are those on the platform and those in the archive, each once", () => {
  const made = madeExports(
    facts({
      platform: platform([
        task("a", at("01:00"), { exportCount: 9 }),
        task("b", at("02:00"), { status: "Failed" }),
      ]),
      lines: [line("a", { batchTaskId: "old" }), line("c")],
    }),
  );
  expect(made.toSorted((a, b) => (a.exportTaskId < b.exportTaskId ? -1 : 1))).toEqual([
    {
      exportTaskId: "a",
      madeAtMs: Date.parse(at("01:00")),
      rows: 9,
      resourceType: "batchTask",
      batchTaskId: "batch-a",
    },
    // Of an export that failed no rows are expected.
    {
      exportTaskId: "b",
      madeAtMs: Date.parse(at("02:00")),
      resourceType: "batchTask",
      batchTaskId: "batch-b",
    },
    { exportTaskId: "c", madeAtMs: Date.parse(at("01:00")), rows: 5 },
  ]);
});
