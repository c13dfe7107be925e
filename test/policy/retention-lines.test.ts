import fc from "fast-check";
import { expect, test } from "vitest";
import { idempotencyKeyOf } from "../../lib/domain/export-task.ts";
import { type CatalogueLine, formatLine, lineOf, parseLine } from "../../lib/records/catalogue-line.ts";
import type { RevisionLedger } from "../../lib/records/retention-records.ts";
import type { ArchivedRecord, RetainedRecord } from "../../lib/records/schemas.ts";
import { expiryVerdict } from "../../lib/retention/expiry-verdict.ts";
import { expiryByLine, needsRetaining, termsOfLine } from "../../lib/retention/line-verdict.ts";
import { type RetentionPolicy, ruleFor } from "../../lib/retention/policy.ts";
import { factsOf, isRecorded } from "../../lib/retention/retain-verdict.ts";
import { termsOf } from "../../lib/retention/terms.ts";
import { DAY_MS, policyOf } from "./retention-scene.ts";

const NOW_MS = Date.UTC(2026, 10, 22);
const ID = "night-01";
const REVISION = "fe8e44f7";
const SCOPE = { projectId: "project-1", instanceId: undefined };
const common = {
  schemaVersion: 1,
  idempotencyKey: idempotencyKeyOf(SCOPE, ID, REVISION),
  runId: "run-1",
} as const;

/** A moment close to the ends of the terms, so that both sides of each end come up often. */
const momentFrom = (firstDay: number, lastDay: number) =>
  fc
    .tuple(fc.integer({ min: firstDay, max: lastDay }), fc.integer({ min: -1, max: 1 }))
    .map(([days, ms]) => new Date(NOW_MS + days * DAY_MS + ms).toISOString());
const moment = momentFrom(-40, 2);
const word = fc.constantFrom("a", "b");
const condition = fc.record({ task_id: word, note: fc.constantFrom("x", "x".repeat(3_000)) });
const lock = fc.constantFrom("none", "governance", "compliance");
const termsArbitrary = {
  keepDays: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constant("forever")),
  lock,
};
const policy = fc
  .record({
    rules: fc.array(
      fc.record({
        when: fc.record(
          {
            resourceType: word,
            appType: word,
            appId: word,
            condition: fc.record({ task_id: word }),
            minSizeBytes: fc.constantFrom(0, 100),
            maxSizeBytes: fc.constantFrom(100, 200),
          },
          { requiredKeys: ["minSizeBytes"] },
        ),
        storageClass: word,
        ...termsArbitrary,
      }),
      { maxLength: 3 },
    ),
    default: fc.record(termsArbitrary),
  })
  .map(({ rules, ...rest }) =>
    policyOf({ ...rest, rules: rules.map((rule, index) => ({ name: `rule-${index}`, ...rule })) }),
  );

/** Also what the platform never sends: another kind of value where a rule looks for a text. */
const foreign = fc.oneof(word, fc.constantFrom(undefined, null, 7, "x".repeat(2_000)));
const archived = fc
  .record({
    archivedAt: moment,
    sizeBytes: fc.constantFrom(99, 100, 101, 201),
    nonce: fc.constantFrom("0a1b2c", "ffffff"),
    versionId: fc.constantFrom(undefined, "v1"),
    source: fc.record({
      resource_type: foreign,
      app_type: foreign,
      app_id: foreign,
      resource_condition: fc.oneof(condition, fc.constantFrom(undefined, null, "text", ["list"])),
    }),
  })
  .map(({ archivedAt, sizeBytes, nonce, versionId, source }): ArchivedRecord => {
    const key = `exports/project-1/default/2026/11/22/${ID}/${REVISION}-${nonce}.zip`;
    return {
      ...common,
      projectId: SCOPE.projectId,
      instanceId: null,
      exportTaskId: ID,
      revision: REVISION,
      object: { key, sizeBytes, sha256: "a".repeat(64), etag: "e", ...(versionId && { versionId }) },
      source,
      verification: { level: "read-back", container: "members" },
      downloadedAt: archivedAt,
      archivedAt,
      attempts: 0,
    };
  });

const abilities = fc.record({ canLock: fc.boolean(), canTag: fc.boolean() });

/** What a sweep wrote, by this policy or another one, for the last copy or another one, on this store or another one. */
const retained = fc.record({ by: policy, of: archived, on: abilities, lockedUntil: momentFrom(-20, 60) });

const ledger = fc
  .record({
    copies: fc.array(archived, { minLength: 1, maxLength: 2 }),
    deleted: fc.option(fc.tuple(moment, moment), { nil: undefined }),
    retained: fc.option(retained, { nil: undefined }),
    expired: fc.boolean(),
  })
  .map(({ copies, deleted, retained: wrote, expired }): RevisionLedger => {
    const last = copies.at(-1);
    if (last === undefined) {
      throw new Error("there is always a copy");
    }
    return {
      exportTaskId: ID,
      revision: REVISION,
      numbers: {
        archived: copies.length,
        deleted: deleted === undefined ? 0 : 1,
        retained: wrote === undefined ? 0 : 1,
        expired: expired ? 1 : 0,
        "dead-letter": 0,
      },
      archived: [...copies.slice(0, -1), last],
      deleted: deleted && {
        ...common,
        deletedAt: deleted[0],
        confirmedAt: deleted[1],
        outcome: "deleted",
      },
      retained: wrote && retainedBy(wrote),
      expired: undefined,
    };
  });

type Written = typeof retained extends fc.Arbitrary<infer One> ? One : never;

function retainedBy({ by, of, on, lockedUntil }: Written): RetainedRecord {
  const terms = termsOf(ruleFor(by, of), of);
  const lock = { mode: "governance", untilMs: Date.parse(lockedUntil) } as const;
  const protection = { lock: on.canLock ? lock : undefined, legalHold: false, tags: {} };
  return { ...common, ...factsOf(of, terms, protection, on), retainedAt: of.archivedAt };
}

function lineFrom(records: RevisionLedger): CatalogueLine {
  const line = lineOf(records, "0".repeat(12));
  const read = line && parseLine(formatLine(line));
  if (read === undefined) {
    throw new Error("readable records gave no line");
  }
  return read;
}

function byLine(rules: RetentionPolicy, records: RevisionLedger) {
  const line = lineFrom(records);
  return expiryByLine(line, termsOfLine(rules, line), NOW_MS);
}

const RUNS = { numRuns: 5_000 };

test("whatever is due by its records is a candidate by its line", () => {
  let due = 0;
  fc.assert(
    fc.property(policy, ledger, (rules, records) => {
      if (expiryVerdict(rules, records, NOW_MS).kind === "due") {
        due += 1;
        expect(byLine(rules, records).kind).toBe("candidate");
      }
    }),
    RUNS,
  );
  expect(due).toBeGreaterThan(50);
});

test("with one copy and a filter that fits, a line says the same as the records, but for the time of confirmation", () => {
  fc.assert(
    fc.property(policy, ledger, (rules, records) => {
      const line = lineFrom(records);
      const verdict = expiryVerdict(rules, records, NOW_MS);
      const isExact = line.isConditionLeftOut === undefined && records.numbers.archived === 1;
      if (isExact && verdict.kind === "stays" && verdict.reason !== "deleted-recently") {
        expect(byLine(rules, records)).toEqual(verdict);
      }
    }),
    RUNS,
  );
});

test("the terms of a line are those of the record, or it is said that only the record knows", () => {
  fc.assert(
    fc.property(policy, ledger, (rules, records) => {
      const line = lineFrom(records);
      const last = records.archived === "unreadable" ? undefined : records.archived?.at(-1);
      const terms = termsOfLine(rules, line);
      if (terms === undefined) {
        expect(line.isConditionLeftOut).toBe(true);
      } else if (last !== undefined) {
        expect(terms).toEqual(termsOf(ruleFor(rules, last), last));
      }
    }),
    RUNS,
  );
});

test("where a line says that nothing is to be retained, the records say what the policy asks for", () => {
  let settled = 0;
  fc.assert(
    fc.property(policy, ledger, abilities, fc.boolean(), (rules, records, store, wasSwept) => {
      const last = records.archived === "unreadable" ? undefined : records.archived?.at(-1);
      if (last === undefined) {
        throw new Error("there is always a copy");
      }
      const by = { by: rules, of: last, on: store, lockedUntil: last.archivedAt };
      const swept = wasSwept ? { ...records, retained: retainedBy(by) } : records;
      const line = lineFrom(swept);
      if (needsRetaining(line, termsOfLine(rules, line), store, NOW_MS)) {
        return;
      }
      settled += 1;
      const { lockedUntil } = swept.retained === "unreadable" ? {} : (swept.retained ?? {});
      const lock = { mode: "governance", untilMs: Date.parse(lockedUntil ?? "") } as const;
      const protection = { lock: lockedUntil === undefined ? undefined : lock, legalHold: false, tags: {} };
      const facts = factsOf(last, termsOf(ruleFor(rules, last), last), protection, store);
      expect(isRecorded(swept, facts)).toBe(true);
    }),
    RUNS,
  );
  expect(settled).toBeGreaterThan(500);
});
