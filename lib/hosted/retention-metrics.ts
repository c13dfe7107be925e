import type { MetricName, MetricValues } from "../observability/metrics.ts";
import type { ExpireReport } from "../retention/expire.ts";
import type { StayReason } from "../retention/expiry-verdict.ts";
import type { RetainReport } from "../retention/retain.ts";

type Table<Report> = Readonly<Partial<Record<MetricName, (report: Report) => number>>>;

type RetainFacts = Pick<RetainReport, "counts">;
type ExpireFacts = Pick<ExpireReport, "counts" | "stayed">;

const OF_RETAIN: Table<RetainFacts> = {
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

const OF_EXPIRE: Table<ExpireFacts> = {
  ObjectsExpired: ({ counts }) => counts.removed,
  ExpiryBlocked: ({ stayed }) => stayed.filter(({ reason }) => IS_BLOCKED[reason]).length,
};

/** What a retain run measured. */
export function metricsOfRetain(report: RetainFacts): MetricValues {
  return measured(OF_RETAIN, report);
}

/** What an expire run measured. */
export function metricsOfExpire(report: ExpireFacts): MetricValues {
  return measured(OF_EXPIRE, report);
}

function measured<Report>(table: Table<Report>, report: Report): MetricValues {
  return Object.fromEntries(Object.entries(table).map(([name, measure]) => [name, measure(report)]));
}
