// What CloudWatch gets. Namespace `IotdaArchiver`; exactly one dimension, `service`, whose value is
// POWERTOOLS_SERVICE_NAME (the deployment's name; `iotda-archiver` when it is not set). Each run of a function
// writes one EMF line with every value it knows: a count that is 0 is written as 0, a value that the run could
// not find out is left out. All functions write SystemFailures, `discover` TasksHeld and what is about requests, `archive`
// what is about tasks, `retain` and `expire` what is about objects, `inventory` what is about copies, `report` what is
// about nights (lib/hosted/metrics.ts).
import { Metrics } from "@aws-lambda-powertools/metrics";

export const METRICS_NAMESPACE = "IotdaArchiver";

/** The `service` of logs and metrics where the deployment names none. */
export const DEFAULT_SERVICE = "iotda-archiver";

/** Every metric, with the unit CloudWatch knows it by. */
export const METRIC_UNITS = {
  /** Export tasks on the platform, of 50. */
  TasksHeld: "Count",
  TasksArchived: "Count",
  TasksDeleted: "Count",
  /** Archived, and left on the platform for a named reason. */
  TasksKept: "Count",
  TasksDeadLettered: "Count",
  /** Exports that left the platform and were never archived. */
  ExportsLost: "Count",
  ThrottledDownloads: "Count",
  /** 1 for a run that ended with a failure of the system, 0 for every other. */
  SystemFailures: "Count",
  BytesArchived: "Bytes",
  /** 0 when nothing waits. */
  OldestUnarchivedAgeSeconds: "Seconds",
  /** From the first download start to the last task's end. */
  DrainSeconds: "Seconds",
  /** Time in which a run did nothing but wait, for a slot or a message. */
  IdleWaitMs: "Milliseconds",
  /** Copies that differed from what was downloaded. */
  VerificationFailures: "Count",
  /** List items, records and entries of the store that could not be understood and were left as they are. */
  LeftAlone: "Count",
  /** 1 for a run that ended `drained` or `time-budget`, 0 for every other. */
  RunsCompleted: "Count",
  /** Requests that no export can be created for now. */
  RequestsWaiting: "Count",
  /** Of the request that is open longest; 0 when none is. */
  OldestRequestAgeSeconds: "Seconds",
  /** Exports that were locked, tagged or recorded by the retention policy. */
  ObjectsRetained: "Count",
  /** Exports that are not as the policy asks: their lock holds longer or is of another kind, or the store failed. */
  RetentionRefused: "Count",
  /** Objects that no `archived` record came to name. */
  UnrecordedObjects: "Count",
  /** Recorded exports whose object is not there, or whose record cannot be read. */
  DamagedObjects: "Count",
  ObjectsExpired: "Count",
  /** Exports whose time is over, and which a person has to look at before they go. */
  ExpiryBlocked: "Count",
  /** Archived revisions in the catalogue, the expired ones included. */
  CatalogueExports: "Count",
  /** Copies that an inventory found missing or changed, and revisions whose records cannot be read. */
  CopiesDamaged: "Count",
  /** Objects that no record names. */
  Orphans: "Count",
  /** Copies that were read again. */
  CopiesVerified: "Count",
  /** For how many days the copy that was unread longest had not been read. */
  OldestUnreadDays: "Count",
  /** 1 when copies will be unread for longer than the limit, 0 when every one is read in time. */
  VerificationLimitMissed: "Count",
  /** 1 for a drill that failed, 0 for one that went well. */
  DrillsFailed: "Count",
  /** 1 for a report that was made and stored, 0 for one that was not. */
  ReportsMade: "Count",
  /** 0: ok, 1: look, 2: none (no run ended), 3: act. */
  NightVerdict: "None",
  /** Exports that a rule asks for, and that were not made in time. */
  ExpectedExportsMissing: "Count",
  /** Until the platform may destroy an export that is not archived; left out while none is in sight. */
  SecondsToLoss: "Seconds",
  /** Those who could not be told of a night. */
  TargetsUntold: "Count",
} as const;

export type MetricName = keyof typeof METRIC_UNITS;

/** What one run measured. */
export type MetricValues = Readonly<Partial<Record<MetricName, number>>>;

/** Writes one EMF line to stdout. */
export function emitMetrics(service: string | undefined, values: MetricValues): void {
  const metrics = new Metrics({ namespace: METRICS_NAMESPACE, serviceName: service || DEFAULT_SERVICE });
  for (const name of metricNames()) {
    const value = values[name];
    if (value !== undefined) {
      metrics.addMetric(name, METRIC_UNITS[name], value);
    }
  }
  // The same two fields as on every line of the log beside it.
  metrics.addMetadata("level", "INFO");
  metrics.addMetadata("message", "metrics");
  metrics.publishStoredMetrics();
}

function metricNames(): MetricName[] {
  return Object.keys(METRIC_UNITS) as MetricName[];
}
