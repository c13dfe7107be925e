import { describe, expect, test } from "vitest";
import { platformError, throttledError } from "../../test/world/port-errors.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import { recordsOfRevision, type TaskRecords } from "../records/task-records.ts";
import { recordOf } from "../records/testing/archived-record.ts";
import type { MissingTask } from "./inspect-task.ts";
import { resolveMissingTask } from "./missing-task.ts";
import { BareAttempt, type BareAttemptParts, slotOf, UnreadDownload } from "./testing/bare-attempt.ts";

const CONFIRM_MS = 60_000;
const HOUR_MS = 3_600_000;
const NOTHING_KNOWN: TaskRecords = { revisions: new Map(), leftAlone: [] };
const startWallMs = new BareAttempt().clock.wallMs();

function missingTask(records: TaskRecords = NOTHING_KNOWN, listed = 1): MissingTask {
  const tasks = Array.from({ length: listed }, (_, index) => ({ exportTaskId: `other-${index}` }));
  const list: unknown = { tasks, oddItems: [], startedAtMs: 0, platformDateMs: undefined };
  return { kind: "missing", list: list as MissingTask["list"], records };
}

/** A task absent for so long already, whose file the platform is asked for as `parts` says. */
function absentFor(forMs: number, parts: BareAttemptParts = {}): BareAttempt {
  return new BareAttempt({
    take: async () => slotOf(),
    ...parts,
    message: { absentSinceMs: startWallMs - forMs, ...parts.message },
  });
}

const answersWith = (error: Error) => ({ download: () => Promise.reject(error) });
const GONE = platformError("platform-task-not-found");

describe("an absent task without a copy", () => {
  test("is only watched at first state, however short the confirmation time", async () => {
    const { attempt } = new BareAttempt({ settings: { absenceConfirmMs: 0 }, ...answersWith(GONE) });
    expect(await resolveMissingTask(attempt, missingTask())).toEqual({
      kind: "postponed",
      reason: "absent",
      delayMs: 0,
      message: { ...attempt.message, absentSinceMs: startWallMs },
      facts: {},
    });
  });

  test.each([
    ["a millisecond too early: it is watched on", CONFIRM_MS - 1, "postponed"],
    ["at the confirmation time: its file is asked for", CONFIRM_MS, "dead-letter"],
  ])("%s", async (_when, forMs, kind) => {
    const { attempt } = absentFor(forMs, answersWith(GONE));
    expect(await resolveMissingTask(attempt, missingTask())).toMatchObject({ kind });
  });

  test.each([
    ["before 48 h: it is watched on", 48 * HOUR_MS - 1, "postponed"],
    ["at 48 h: it is given up", 48 * HOUR_MS, "dead-letter"],
  ])("and without proof, %s", async (_when, forMs, kind) => {
    const { attempt } = absentFor(forMs, answersWith(platformError("platform-misconfigured")));
    expect(await resolveMissingTask(attempt, missingTask())).toMatchObject({ kind });
  });

  test("an empty list proves nothing before a day has passed, and is asked for again in an hour", async () => {
    const { attempt } = absentFor(24 * HOUR_MS - 1, answersWith(GONE));
    expect(await resolveMissingTask(attempt, missingTask(NOTHING_KNOWN, 0))).toMatchObject({
      kind: "postponed",
      delayMs: HOUR_MS,
    });
  });

  test("without a slot it is handed back, and ends the run: the next one would find none either", async () => {
    const { attempt } = absentFor(CONFIRM_MS, { take: async () => "none" });
    expect(await resolveMissingTask(attempt, missingTask())).toEqual({
      kind: "released",
      endsRun: true,
      facts: {},
    });
  });

  test("whose file comes after all drops it unread", async () => {
    const download = new UnreadDownload();
    const { attempt } = absentFor(CONFIRM_MS, { download: async () => download });
    expect(await resolveMissingTask(attempt, missingTask())).toMatchObject({
      kind: "postponed",
      reason: "absent",
    });
    expect(download.cancelled).toBe(1);
  });

  test("throttling is not an answer", async () => {
    const throttled = throttledError("IOTDA.021101");
    const { attempt } = absentFor(CONFIRM_MS, answersWith(throttled));
    await expect(resolveMissingTask(attempt, missingTask())).rejects.toBe(throttled);
  });

  test("an answer to an attempt that is being stopped proves nothing", async () => {
    const reason = new Error("SIGINT");
    const bare: BareAttempt = absentFor(CONFIRM_MS, {
      download: async () => {
        bare.stop.abort(reason);
        throw GONE;
      },
    });
    await expect(resolveMissingTask(bare.attempt, missingTask())).rejects.toBe(reason);
  });
});

describe("an absent task with records", () => {
  const downloadedAt = (second: number) => new Date(startWallMs + second * 1_000).toISOString();

  /** Settles the absence and tells which revision's copy answered the request. */
  async function answeredBy(
    message: BareAttemptParts["message"],
    archived: readonly (ArchivedRecord | undefined)[],
  ) {
    const settled: string[] = [];
    const { attempt } = new BareAttempt({ message: { requestedAtMs: startWallMs, ...message } });
    const run: unknown = {
      ...attempt.run,
      records: { writeDeleted: async (_id: string, revision: string) => settled.push(revision) },
      ports: { ...attempt.run.ports, store: { abortUploadsUnder: async () => undefined } },
    };
    const revisions = new Map(
      archived.map((record, index) => {
        const revision = record?.revision ?? `0000000${index}`;
        return [revision, { ...recordsOfRevision(NOTHING_KNOWN, revision), archived: record }];
      }),
    );
    const result = await resolveMissingTask(
      { ...attempt, run: run as typeof attempt.run },
      missingTask({ revisions, leftAlone: [] }),
    );
    return { settled, kind: result.kind };
  }

  const copyOf = (revision: string, second: number) =>
    recordOf("aaaaaa", { revision, downloadedAt: downloadedAt(second) });

  test.each(["first", "last"])("the newest copy answers, standing %s", async (place) => {
    const newest = copyOf("11111111", 20);
    const older = copyOf("22222222", 10);
    const records = place === "first" ? [newest, older] : [older, newest];
    expect(await answeredBy({}, records)).toEqual({ settled: ["11111111"], kind: "done" });
  });

  test("a revision that was never archived is not an answer", async () => {
    expect(await answeredBy({}, [undefined])).toEqual({ settled: [], kind: "postponed" });
    expect(await answeredBy({}, [undefined, copyOf("11111111", 1)])).toMatchObject({ settled: ["11111111"] });
  });

  test.each([
    ["in the same millisecond is none of it", 0, "postponed"],
    ["after it answers it", 1, "done"],
  ])("for a request of another revision, a download %s", async (_when, second, kind) => {
    const answer = await answeredBy({ revision: "99999999" }, [copyOf("11111111", second)]);
    expect(answer).toMatchObject({ kind });
  });
});
