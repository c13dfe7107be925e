import fc from "fast-check";
import { expect, test } from "vitest";
import type { ExportTask } from "../domain/export-task.ts";
import type { RunReport, TaskEntry } from "../records/run-report.ts";
import { urgencyOf } from "./findings.ts";
import { type Urgency, VERDICTS } from "./night.ts";
import type { EarlierNight, NightFacts, NightLine } from "./night-facts.ts";
import { nightOf } from "./night-of.ts";
import { earlier, facts, inventory, line, nameOfTask, run, task } from "./testing/night-scene.ts";

const id = fc.constantFrom(...Array.from({ length: 60 }, (_, index) => `t${index}`));
const moment = fc
  .integer({ min: Date.parse("2026-11-26T00:00:00Z"), max: Date.parse("2026-11-28T08:00:00Z") })
  .map((epochMs) => new Date(epochMs).toISOString());

const entry: fc.Arbitrary<TaskEntry> = fc.record({
  exportTaskId: id,
  outcome: fc.constantFrom(
    "archived-deleted",
    "archived-kept",
    "deleted",
    "already-done",
    "postponed",
    "retried",
    "dead-lettered",
  ),
  reason: fc.constantFrom("hold", "throttled", "unfinished", "source-gone", "max-attempts"),
  durationMs: fc.constant(1),
});
const aRun: fc.Arbitrary<RunReport> = fc
  .record({
    endedAt: moment,
    tasks: fc.array(entry, { maxLength: 5 }),
    stopReason: fc.constantFrom("drained", "system-failure", "aborted", "no-pressure"),
    held: fc.option(fc.nat(50), { nil: undefined }),
  })
  .map(({ endedAt, tasks, stopReason, held }) =>
    run({ tasks, stopReason, platform: held === undefined ? { limit: 50 } : { held, limit: 50 } }, endedAt),
  );
const listed: fc.Arbitrary<ExportTask> = fc
  .record({ id, createTime: moment, status: fc.constantFrom("Success", "Success", "Failed", "Processing") })
  .map(({ id: exportTaskId, createTime, status }) => task(exportTaskId, createTime, { status }));
const aLine: fc.Arbitrary<NightLine> = fc
  .record({ id, archivedAt: moment, isDeleted: fc.boolean() })
  .map(({ id: exportTaskId, archivedAt, isDeleted }) =>
    line(exportTaskId, { archivedAt, ...(isDeleted ? { deletedAt: archivedAt } : {}) }),
  );
const nights: fc.Arbitrary<readonly EarlierNight[]> = fc
  .tuple(fc.nat(29), fc.nat(20), fc.constantFrom("ok", "look"))
  .map(([count, made, verdict]) => earlier(count, { made, verdict }));

const someFacts: fc.Arbitrary<NightFacts> = fc
  .record({
    runs: fc.uniqueArray(aRun, { maxLength: 6, selector: ({ runId }) => runId }),
    tasks: fc.uniqueArray(listed, { maxLength: 50, selector: ({ exportTaskId }) => exportTaskId }),
    lines: fc.uniqueArray(aLine, { maxLength: 20, selector: ({ exportTaskId }) => exportTaskId }),
    isAnswering: fc.boolean(),
    copies: fc.nat(50),
    earlier: nights,
    orphans: fc.nat(1),
    deadLetters: fc.nat(1),
    rules: fc.constantFrom([], [{ name: "nightly", every: "1d", by: "06:00", atLeast: 5, minRows: 6 }]),
  })
  .map(({ tasks, isAnswering, copies, orphans, ...rest }) => {
    const { platform: _none, ...without } = facts({
      ...rest,
      inventory: inventory({ counts: { exports: 1, orphans } }),
    });
    const archived = new Set(tasks.slice(0, copies).map(nameOfTask));
    const platform = { tasks, oddItems: 0, archived, givenUp: new Map() };
    return isAnswering ? { ...without, platform } : without;
  });

test("the worst finding decides on the verdict", () => {
  fc.assert(
    fc.property(someFacts, (given) => {
      const { verdict, findings, runs } = nightOf(given);
      const worst = (["act", "look", "watch"] satisfies Urgency[]).find((urgency) =>
        findings.some((finding) => urgencyOf(finding) === urgency),
      );
      const ofFindings = worst === "act" || worst === "look" ? worst : "ok";
      const ofRuns = runs.length === 0 ? "none" : "ok";
      const rank = (one: (typeof VERDICTS)[number]) => VERDICTS.indexOf(one);
      expect(rank(verdict)).toBe(Math.min(rank(ofFindings), rank(ofRuns)));
      const urgencies = findings.map((finding) => ["act", "look", "watch"].indexOf(urgencyOf(finding)));
      expect(urgencies).toEqual(urgencies.toSorted((a, b) => a - b));
    }),
  );
});

test("the same facts give the same bytes, in whatever order they come", () => {
  fc.assert(
    fc.property(someFacts, fc.infiniteStream(fc.nat(1_000)), (given, random) => {
      const shuffled = <Item>(items: readonly Item[]): readonly Item[] =>
        items
          .map((item) => ({ item, key: random.next().value ?? 0 }))
          .sort((a, b) => a.key - b.key)
          .map(({ item }) => item);
      const { platform } = given;
      const other: NightFacts = {
        ...given,
        runs: shuffled(given.runs),
        lines: shuffled(given.lines),
        earlier: shuffled(given.earlier),
        ...(platform === undefined
          ? {}
          : {
              platform: {
                ...platform,
                tasks: shuffled(platform.tasks),
                archived: new Set(shuffled([...platform.archived])),
              },
            }),
      };
      const bytes = JSON.stringify(nightOf(given));
      expect(JSON.stringify(nightOf(given))).toBe(bytes);
      expect(JSON.stringify(nightOf(other))).toBe(bytes);
    }),
  );
});

test("every export of the night is counted once", () => {
  fc.assert(
    fc.property(someFacts, (given) => {
      const { counts, exports } = nightOf(given);
      const retried = exports.filter(({ standing }) => standing === "retried").length;
      expect(counts.finished).toBe(counts.archived + counts.givenUp + counts.waiting + retried);
      const names = exports.map(({ exportTaskId, revision }) => `${exportTaskId}/${revision}`);
      expect(new Set(names).size).toBe(names.length);
    }),
  );
});
