import type { ArchiveEvent } from "../archive/events.ts";
import type { InventoryReport } from "../catalogue/inventory.ts";
import type { DiscoverRunReport } from "../config/discover-and-request.ts";
import { parsePlatformTime } from "../domain/export-task.ts";
import type { MetricName, MetricValues } from "../observability/metrics.ts";
import type { RunReport } from "../records/run-report.ts";
import type { Finding, Night, Verdict } from "../report/night.ts";
import type { ExpireReport } from "../retention/expire.ts";
import type { StayReason } from "../retention/expiry-verdict.ts";
import type { RetainReport } from "../retention/retain.ts";

/** An event of a run and when it happened, on the monotonic clock. */
export interface TimedEvent {
  readonly event: ArchiveEvent;
  readonly atMs: number;
}

/** What an archive run measured; `SystemFailures` is the function host's to add. */
export function metricsOfRun(report: RunReport, events: readonly TimedEvent[]): MetricValues {
  return measured(OF_RUN, report, events);
}

/** What a discover run measured. Of requests it did not go through to the end it knows neither number nor age. */
export function metricsOfDiscover({
  held,
  requests,
  leftAlone,
}: Pick<DiscoverRunReport, "held" | "requests" | "leftAlone">): MetricValues {
  const seen = { TasksHeld: held, LeftAlone: leftAlone?.count ?? 0 };
  return requests?.failure === undefined
    ? {
        ...seen,
        RequestsWaiting: requests?.waiting.length ?? 0,
        OldestRequestAgeSeconds: requests?.oldestRequestAgeSeconds ?? 0,
      }
    : seen;
}

/** Of no use for measuring, and many. */
export function isMeasured({ kind }: ArchiveEvent): boolean {
  return kind !== "bytes";
}

/** How each metric comes from what a run told; `undefined` is not written. */
type Measures<Facts extends readonly unknown[]> = Readonly<
  Partial<Record<MetricName, (...facts: Facts) => number | undefined>>
>;

const OF_RUN: Measures<[RunReport, readonly TimedEvent[]]> = {
  TasksHeld: ({ platform }) => platform.held,
  TasksArchived: ({ counts }) => counts.archived,
  TasksDeleted: ({ counts }) => counts.deleted,
  TasksKept: ({ counts }) => counts.kept,
  TasksDeadLettered: ({ counts }) => counts.deadLettered,
  ExportsLost: (_, events) => count(events, "export-lost"),
  ThrottledDownloads: ({ counts }) => counts.throttled,
  BytesArchived: ({ bytes }) => bytes,
  OldestUnarchivedAgeSeconds: oldestUnarchivedAgeSeconds,
  DrainSeconds: drainSeconds,
  IdleWaitMs: idleWaitMs,
  VerificationFailures: (_, events) => count(events, "verification-failed"),
  LeftAlone: ({ leftAlone }) => leftAlone?.count ?? 0,
  RunsCompleted: ({ stopReason }) => (stopReason === "drained" || stopReason === "time-budget" ? 1 : 0),
};

function count(events: readonly TimedEvent[], kind: ArchiveEvent["kind"]): number {
  return events.filter(({ event }) => event.kind === kind).length;
}

function oldestUnarchivedAgeSeconds(
  { platform, endedAt }: RunReport,
  events: readonly TimedEvent[],
): number | undefined {
  const isUnknown = events.some(({ event }) => event.kind === "warning" && event.code === "oldest-unknown");
  if (platform.held === undefined || isUnknown) {
    return undefined;
  }
  if (platform.oldestUnarchived === undefined) {
    return 0;
  }
  const createdAtMs = parsePlatformTime(platform.oldestUnarchived.createTime);
  return createdAtMs === undefined ? undefined : Math.max(0, (Date.parse(endedAt) - createdAtMs) / 1000);
}

function drainSeconds(_: RunReport, events: readonly TimedEvent[]): number | undefined {
  const first = events.find(({ event }) => event.kind === "download-started");
  const last = events.findLast(({ event }) => event.kind === "task-ended");
  return first === undefined || last === undefined ? undefined : Math.max(0, (last.atMs - first.atMs) / 1000);
}

/** A task that waits for its slot does nothing; every other one in flight does something. */
function idleWaitMs(_: RunReport, events: readonly TimedEvent[]): number {
  const busy = new Set<string>();
  let idleMs = 0;
  let sinceMs = events.find(({ event }) => event.kind === "run-started")?.atMs;
  for (const { event, atMs } of events) {
    const wasIdle = busy.size === 0;
    switch (event.kind) {
      case "task-started":
      case "download-started":
        busy.add(event.exportTaskId);
        break;
      case "slot-awaited":
        busy.delete(event.exportTaskId);
        break;
      case "task-ended":
        busy.delete(event.entry.exportTaskId);
        break;
      default:
        break;
    }
    const isIdle = busy.size === 0;
    if (wasIdle && sinceMs !== undefined && (!isIdle || event.kind === "run-ended")) {
      idleMs += Math.max(0, atMs - sinceMs);
    }
    if (isIdle && !wasIdle) {
      sinceMs = atMs;
    }
  }
  return idleMs;
}

type RetainFacts = Pick<RetainReport, "counts">;
type ExpireFacts = Pick<ExpireReport, "counts" | "stayed">;

const OF_RETAIN: Measures<[RetainFacts]> = {
  ObjectsRetained: ({ counts }) => counts.retained ?? 0,
  RetentionRefused: ({ counts }) => (counts.refused ?? 0) + (counts.failed ?? 0),
  UnrecordedObjects: ({ counts }) => counts.unrecorded ?? 0,
  DamagedObjects: ({ counts }) => (counts.missing ?? 0) + (counts.unreadable ?? 0),
};

/** Whether an export that stays past its time needs a person. The others are wanted, or pass by themselves. */
const IS_BLOCKED: Readonly<Record<StayReason, boolean>> = {
  "empty-list": true,
  "odd-list": true,
  failed: true,
  missing: true,
  "no-time": true,
  unreadable: true,
  unrecorded: true,
  "deleted-recently": false,
  held: false,
  locked: false,
  "lost-race": false,
  "not-deleted": false,
  "removed-before": false,
  "still-listed": false,
  unexpired: false,
};

const OF_EXPIRE: Measures<[ExpireFacts]> = {
  ObjectsExpired: ({ counts }) => counts.removed,
  ExpiryBlocked: ({ stayed }) => stayed.filter(({ reason }) => IS_BLOCKED[reason]).length,
};

type InventoryFacts = Pick<
  InventoryReport,
  "counts" | "stopReason" | "failure" | "verification" | "leftAlone"
>;

const OF_INVENTORY: Measures<[InventoryFacts]> = {
  CatalogueExports: ({ counts }) => counts.exports,
  CopiesDamaged: ({ counts }) => counts.damaged,
  // They are looked for only when all records were listed and read.
  Orphans: ({ counts, stopReason }) => (stopReason === "done" ? counts.orphans : undefined),
  CopiesVerified: ({ verification }) => verification?.checked,
  OldestUnreadDays: ({ verification }) => verification?.oldestUnreadDays,
  VerificationLimitMissed: ({ verification }) => verification && Number(!verification.isLimitKept),
  DrillsFailed: ({ verification }) => verification?.drill && Number(verification.drill.result === "failed"),
  LeftAlone: ({ leftAlone }) => leftAlone?.count ?? 0,
};

/** What an inventory measured. What one saw that failed proves nothing. */
export function metricsOfInventory(report: InventoryFacts): MetricValues {
  return report.failure === undefined ? measured(OF_INVENTORY, report) : {};
}

/** What a report tells of its night and of those who heard of it. */
interface ReportFacts {
  /** Missing when no report was made. */
  readonly night?: Pick<Night, "verdict" | "findings" | "places" | "madeAt">;
  readonly untold: readonly unknown[];
}

const VERDICT_NUMBERS: Readonly<Record<Verdict, number>> = { ok: 0, look: 1, none: 2, act: 3 };

const OF_REPORT: Measures<[ReportFacts]> = {
  ReportsMade: ({ night }) => Number(night !== undefined),
  NightVerdict: ({ night }) => night && VERDICT_NUMBERS[night.verdict],
  // Slots that were seen earlier have been told when they were.
  TasksHeld: ({ night }) => (night?.places.seenAt === undefined ? night?.places.held : undefined),
  ExpectedExportsMissing: ({ night }) => night && expectedMissing(night.findings),
  SecondsToLoss: ({ night }) => night && secondsToLoss(night),
  TargetsUntold: ({ untold }) => untold.length,
};

function expectedMissing(findings: readonly Finding[]): number {
  return findings
    .flatMap((finding) => (finding.kind === "expected-missing" ? [finding] : []))
    .reduce((missing, { expected, found }) => missing + Math.max(0, expected - found), 0);
}

function secondsToLoss({ places, madeAt }: Pick<Night, "places" | "madeAt">): number | undefined {
  return places.lossFrom === undefined
    ? undefined
    : Math.max(0, (Date.parse(places.lossFrom) - Date.parse(madeAt)) / 1000);
}

/** What a report measured. */
export function metricsOfReport(facts: ReportFacts): MetricValues {
  return measured(OF_REPORT, facts);
}

/** What a retain run measured. */
export function metricsOfRetain(report: RetainFacts): MetricValues {
  return measured(OF_RETAIN, report);
}

/** What an expire run measured. */
export function metricsOfExpire(report: ExpireFacts): MetricValues {
  return measured(OF_EXPIRE, report);
}

function measured<Facts extends readonly unknown[]>(
  measures: Measures<Facts>,
  ...facts: Facts
): MetricValues {
  const values = Object.entries(measures).map(([name, measure]) => [name, measure(...facts)] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}
