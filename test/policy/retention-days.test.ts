import { afterEach, describe, expect, test, vi } from "vitest";
import type { RevisionLedger } from "../../lib/records/retention-records.ts";
import { expiryVerdict } from "../../lib/retention/expiry-verdict.ts";
import { termsOf } from "../../lib/retention/terms.ts";
import { DAY_MS, policyOf, RetentionScene } from "./retention-scene.ts";

/** The expire run of each day begins at 03:00 UTC. */
const RUN_AT_MS = 3 * 3_600_000;
const FIRST_DAY_MS = Date.UTC(2026, 10, 24);
const FIVE_YEARS_DAYS = 1_830;

/** When an export was archived, how long it is kept, and the day whose run removes it. */
const GOLDEN: readonly (readonly [string, number, string])[] = [
  ["2027-02-27T03:00:00.000Z", 1, "2027-02-28"],
  ["2027-02-28T03:00:00.001Z", 1, "2027-03-02"],
  // leap year: 29 February exists, and counts as a day
  ["2028-02-28T02:59:59.999Z", 1, "2028-02-29"],
  ["2028-02-28T03:00:00.000Z", 2, "2028-03-01"],
  ["2028-02-29T12:00:00.000Z", 365, "2029-03-01"],
  ["2028-02-29T00:00:00.000Z", 365, "2029-02-28"],
  ["2028-02-29T00:00:00.000Z", 366, "2029-03-01"],
  ["2027-06-01T00:00:00.000Z", 366, "2028-06-01"],
  // nights on which clocks change, in Europe and in America
  ["2027-03-27T03:00:00.000Z", 1, "2027-03-28"],
  ["2027-03-28T01:30:00.000Z", 1, "2027-03-29"],
  ["2027-10-30T03:00:00.000Z", 1, "2027-10-31"],
  ["2027-10-31T00:30:00.000Z", 1, "2027-11-01"],
  ["2027-03-13T03:00:00.000Z", 2, "2027-03-15"],
  ["2027-11-06T03:00:00.000Z", 2, "2027-11-08"],
  // ends of years
  ["2027-12-31T23:59:59.999Z", 1, "2028-01-02"],
  ["2026-12-31T02:00:00.000Z", 365, "2027-12-31"],
  ["2027-12-31T02:00:00.000Z", 365, "2028-12-30"],
  // five years
  ["2026-11-24T01:00:00.000Z", 1_826, "2031-11-24"],
];

function ledgerOf(archivedAt: string): RevisionLedger {
  const idempotencyKey = "iotda:p:default:t:00112233";
  const object = { key: "k", sizeBytes: 1, sha256: "a".repeat(64), etag: "e" };
  const times = { deletedAt: archivedAt, confirmedAt: archivedAt, downloadedAt: archivedAt, archivedAt };
  const common = { schemaVersion: 1, idempotencyKey, runId: "r", ...times };
  return {
    exportTaskId: "t",
    revision: "00112233",
    numbers: { archived: 1, deleted: 1, "dead-letter": 0, retained: 0, expired: 0 },
    archived: [
      {
        ...common,
        projectId: "p",
        instanceId: null,
        exportTaskId: "t",
        revision: "00112233",
        object,
        source: {},
        verification: { level: "read-back", container: "members" },
        attempts: 0,
      },
    ],
    deleted: { ...common, outcome: "deleted" },
    retained: undefined,
    expired: undefined,
  };
}

/** The UTC day of the first daily run that lets an export go, over five years. */
function dayOfRemoval(archivedAt: string, keepDays: number): string | undefined {
  const policy = policyOf({ default: { keepDays, lock: "none" } });
  const ledger = ledgerOf(archivedAt);
  for (let day = 0; day < FIVE_YEARS_DAYS; day += 1) {
    const nowMs = FIRST_DAY_MS + day * DAY_MS + RUN_AT_MS;
    if (expiryVerdict(policy, ledger, nowMs).kind === "due") {
      return new Date(nowMs).toISOString().slice(0, 10);
    }
  }
  return undefined;
}

describe.each(["UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati"])(
  "on a machine in %s",
  (zone) => {
    afterEach(() => {
      vi.unstubAllEnvs();
    });

    test.each(GOLDEN)("archived at %s for %i days: gone on %s", (archivedAt, keepDays, day) => {
      vi.stubEnv("TZ", zone);
      expect(dayOfRemoval(archivedAt, keepDays)).toBe(day);
    });
  },
);

test("over five years each of a daily export goes exactly ten days after it was archived", () => {
  const policy = policyOf({ default: { keepDays: 10, lock: "none" } });
  const wrong: string[] = [];
  for (let day = 0; day < FIVE_YEARS_DAYS; day += 1) {
    const archivedAtMs = FIRST_DAY_MS + day * DAY_MS + (day % 24) * 3_600_000;
    const ledger = ledgerOf(new Date(archivedAtMs).toISOString());
    const goesAtMs = archivedAtMs + 10 * DAY_MS;
    const before = expiryVerdict(policy, ledger, goesAtMs - 1).kind;
    const at = expiryVerdict(policy, ledger, goesAtMs).kind;
    if (before !== "stays" || at !== "due") {
      wrong.push(`day ${day}: ${before}, ${at}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("a lock ends when the object may go, in whole seconds, never before", () => {
  const rule = { name: "default", keepDays: 30, lock: "compliance" } as const;
  const terms = termsOf(rule, { archivedAt: "2028-02-15T10:00:00.001Z" });
  expect(terms.keepUntilMs).toBe(Date.parse("2028-03-16T10:00:00.001Z"));
  expect(terms.lockUntilMs).toBe(Date.parse("2028-03-16T10:00:01.000Z"));
  const forever = termsOf({ ...rule, keepDays: "forever" }, { archivedAt: "2028-02-15T10:00:00.000Z" });
  expect(forever.keepUntilMs).toBe(Number.POSITIVE_INFINITY);
  expect(new Date(forever.lockUntilMs ?? 0).toISOString()).toBe("2128-01-22T10:00:00.000Z");
});

test("a record whose time cannot be read keeps its object", () => {
  const ledger = ledgerOf("no time");
  const policy = policyOf({ default: { keepDays: 1, lock: "none" } });
  expect(expiryVerdict(policy, ledger, FIRST_DAY_MS * 10)).toMatchObject({ reason: "unexpired" });
});

// The oracle knows the true time: it reports whatever goes early.
describe.each([
  ["this machine's clock is a day ahead", { skewMs: DAY_MS }, {}, 0],
  ["the store's clock is a day ahead", { skewMs: 0 }, { clockSkewMs: DAY_MS }, 0],
  ["both are a day ahead, the platform's is right", { skewMs: DAY_MS }, { clockSkewMs: DAY_MS }, 0],
  ["this machine's clock is a day behind", { skewMs: -DAY_MS }, {}, 1],
  ["the store's clock is a day behind", { skewMs: 0 }, { clockSkewMs: -DAY_MS }, 1],
  ["all agree", { skewMs: 0 }, {}, 0],
])("%s", (_name, runner, store, daysLate) => {
  test(`nothing goes early, and all goes ${daysLate} days late at most`, async () => {
    const scene = new RetentionScene({ store, platform: { dateSkewMs: 0 } });
    scene.keepPlatformBusy();
    const key = scene.plant({ exportTaskId: "night-01" });
    await scene.wait(10 * DAY_MS - 60_000);
    await scene.expire(runner);
    expect(scene.has(key)).toBe(true);
    await scene.wait(daysLate * DAY_MS + 120_000);
    const report = await scene.expire(runner);
    expect(report.counts.removed).toBe(1);
    const isSkewed = runner.skewMs !== 0 || "clockSkewMs" in store;
    expect(scene.events.some((event) => event.kind === "warning" && event.code === "clock-skew")).toBe(
      isSkewed,
    );
  });
});
