import * as v from "valibot";
import { METRIC_UNITS, METRICS_NAMESPACE } from "../../lib/observability/metrics.ts";
import { differences, differencesOf, strangers } from "./expectations.ts";
import type { Rule } from "./rules.ts";
import { at, ofType, type Template, textOf } from "./template.ts";

const ALARM = "AWS::CloudWatch::Alarm";

interface AlarmFacts {
  readonly metric: string;
  readonly statistic: "Sum" | "Maximum" | "Minimum";
  readonly comparison: "GreaterThanThreshold" | "GreaterThanOrEqualToThreshold" | "LessThanThreshold";
  readonly threshold: number;
  /** How often in a row, and how many hours each time; without it, once. */
  readonly inARow?: { readonly times: number; readonly hours: number };
  readonly missing: "notBreaching" | "breaching" | "ignore";
  /** The dimension of a metric that AWS writes. */
  readonly of?: Readonly<Record<string, string>>;
}

const above = (threshold: number) => ({ comparison: "GreaterThanThreshold", threshold }) as const;
const sum = { statistic: "Sum", missing: "notBreaching" } as const;
const most = { statistic: "Maximum", missing: "ignore" } as const;
const letters = (queue: string) => ({
  metric: "AWS/SQS ApproximateNumberOfMessagesVisible",
  ...above(0),
  statistic: "Maximum" as const,
  missing: "notBreaching" as const,
  of: { QueueName: `\${${queue}.QueueName}` },
});
const errors = (name: string) => ({
  metric: "AWS/Lambda Errors",
  ...above(0),
  ...sum,
  of: { FunctionName: `\${${name}}` },
});

/** Calls of a timer or rule wait in Lambda: what it gives up shows here alone. */
const dropped = (name: string) => ({ ...errors(name), metric: "AWS/Lambda AsyncEventsDropped" });

/** What the day's inventory or report found: it stands until the next one. */
const foundDaily = (metric: string): AlarmFacts => ({
  metric: `IotdaArchiver ${metric}`,
  ...above(0),
  statistic: "Maximum",
  inARow: { times: 1, hours: 24 },
  missing: "notBreaching",
});

/** Something that has to happen once in 26 hours: that nothing is heard of it is what the alarm tells. */
const daily = (metric: string): AlarmFacts => ({
  metric: `IotdaArchiver ${metric}`,
  comparison: "LessThanThreshold",
  threshold: 1,
  statistic: "Sum",
  inARow: { times: 26, hours: 1 },
  missing: "breaching",
});

const ALARMS: Readonly<Record<string, AlarmFacts>> = {
  DeadLettersAlarm: letters("DeadLetterQueue"),
  ScheduleDeadLettersAlarm: letters("ScheduleDeadLetterQueue"),
  TasksHeldAlarm: {
    metric: "IotdaArchiver TasksHeld",
    comparison: "GreaterThanOrEqualToThreshold",
    threshold: 40,
    ...most,
  },
  OldestUnarchivedAlarm: { metric: "IotdaArchiver OldestUnarchivedAgeSeconds", ...above(26 * 3600), ...most },
  NoCompletedRunAlarm: daily("RunsCompleted"),
  SystemFailuresAlarm: { metric: "IotdaArchiver SystemFailures", ...above(0), ...sum },
  ExportsLostAlarm: { metric: "IotdaArchiver ExportsLost", ...above(0), ...sum },
  ArchiveErrorsAlarm: errors("ArchiveLambdaFunction"),
  ArchiveDroppedAlarm: dropped("ArchiveLambdaFunction"),
  DiscoverErrorsAlarm: errors("DiscoverLambdaFunction"),
  DiscoverDroppedAlarm: dropped("DiscoverLambdaFunction"),
  RetainErrorsAlarm: errors("RetainLambdaFunction"),
  RetainDroppedAlarm: dropped("RetainLambdaFunction"),
  RetentionRefusedAlarm: { metric: "IotdaArchiver RetentionRefused", ...above(0), ...sum },
  DamagedObjectsAlarm: { metric: "IotdaArchiver DamagedObjects", ...above(0), ...sum },
  ExpireErrorsAlarm: errors("ExpireLambdaFunction"),
  ExpireDroppedAlarm: dropped("ExpireLambdaFunction"),
  ExpiryBlockedAlarm: {
    metric: "IotdaArchiver ExpiryBlocked",
    ...above(0),
    statistic: "Minimum",
    inARow: { times: 3, hours: 24 },
    missing: "notBreaching",
  },
  InventoryErrorsAlarm: errors("InventoryLambdaFunction"),
  InventoryDroppedAlarm: dropped("InventoryLambdaFunction"),
  CopiesDamagedAlarm: foundDaily("CopiesDamaged"),
  OrphansAlarm: foundDaily("Orphans"),
  VerificationLimitAlarm: foundDaily("VerificationLimitMissed"),
  DrillFailedAlarm: foundDaily("DrillsFailed"),
  ReportErrorsAlarm: errors("ReportLambdaFunction"),
  ReportDroppedAlarm: dropped("ReportLambdaFunction"),
  NoReportAlarm: daily("ReportsMade"),
  NotNotifiedAlarm: foundDaily("TargetsUntold"),
  ExportEventsErrorsAlarm: errors("ExportEventsLambdaFunction"),
  EventDeadLettersAlarm: letters("EventDeadLetterQueue"),
  EventsRefusedAlarm: { ...errors("ExportEventsLambdaFunction"), metric: "AWS/Lambda Url4xxCount" },
  RequestsWaitingAlarm: { metric: "IotdaArchiver OldestRequestAgeSeconds", ...above(24 * 3600), ...most },
};

/** Where the bucket sends events. */
const ALARMS_OF_EVENTS: Readonly<Record<string, AlarmFacts>> = {
  RetainDeadLettersAlarm: letters("RetainDeadLetterQueue"),
};

function alarmsOf(template: Template): Readonly<Record<string, AlarmFacts>> {
  return template.Resources.ArchiveBucket === undefined ? ALARMS : { ...ALARMS, ...ALARMS_OF_EVENTS };
}

/** Of what tells people. */
export const WATCH_RULES = {
  "there is an alarm for everything that a person must hear of": (template, stage) => [
    ...strangers(
      ofType(template, ALARM).map(([id]) => id),
      Object.keys(alarmsOf(template)),
    ),
    ...Object.entries(alarmsOf(template)).flatMap(([id, facts]) =>
      differencesOf(template, id, {
        Namespace: facts.metric.split(" ")[0] ?? "",
        MetricName: facts.metric.split(" ")[1] ?? "",
        ComparisonOperator: facts.comparison,
        Threshold: facts.threshold,
        Statistic: facts.statistic,
        TreatMissingData: facts.missing,
        ...dimensionOf(facts.of ?? { service: `iotda-archiver-${stage}` }),
        ...(facts.inARow === undefined
          ? { EvaluationPeriods: 1 }
          : {
              Period: facts.inARow.hours * 3600,
              EvaluationPeriods: facts.inARow.times,
              DatapointsToAlarm: facts.inARow.times,
            }),
      }),
    ),
  ],

  "every alarm tells the topic, which tells a person": (template) => [
    ...ofType(template, ALARM).flatMap(([id, properties]) => [
      ...differences(id, properties, { "AlarmActions/0": `\${AlarmTopic}` }),
      ...(properties.ActionsEnabled === false ? [`${id} is silent`] : []),
    ]),
    ...differencesOf(template, "AlarmMail", {
      TopicArn: `\${AlarmTopic}`,
      Protocol: "email",
      Endpoint: /^\S+@\S+$/,
    }),
    ...differencesOf(template, "AlarmTopicPolicy", {
      "Topics/0": `\${AlarmTopic}`,
      "PolicyDocument/Statement/0/Principal/Service": "cloudwatch.amazonaws.com",
      "PolicyDocument/Statement/0/Action": "sns:Publish",
    }),
  ],

  "the topic takes the alarms of this stack": (template) => {
    const allowed = textOf(
      at(
        template.Resources.AlarmTopicPolicy?.Properties,
        "PolicyDocument/Statement/0/Condition/ArnLike/aws:SourceArn",
      ),
    );
    const prefix = allowed.slice(allowed.lastIndexOf(":") + 1).replace("*", "");
    return ofType(template, ALARM)
      .map(([, { AlarmName }]) => textOf(AlarmName))
      .filter((name) => prefix === "" || !name.startsWith(prefix))
      .map((name) => `${name} may not write to the topic`);
  },

  "alarms and dashboard look at metrics that the functions write": (template) => {
    const services = ofType(template, "AWS::Lambda::Function").map(([, properties]) =>
      textOf(at(properties, "Environment/Variables/POWERTOOLS_SERVICE_NAME")),
    );
    const watched = [...metricsOfAlarms(template), ...metricsOfDashboard(template)];
    return watched
      .filter(([namespace]) => namespace === METRICS_NAMESPACE)
      .filter(
        ([, name = "", , service = ""]) =>
          !(name in METRIC_UNITS) || !services.every((one) => one === service),
      )
      .map((metric) => `nothing writes ${metric.join(" ")}`);
  },

  "the dashboard shows every number of the archiver": (template) => {
    const shown = new Set(metricsOfDashboard(template).map(([, name]) => name));
    return Object.keys(METRIC_UNITS)
      .filter((name) => !shown.has(name))
      .map((name) => `the dashboard does not show ${name}`);
  },
} as const satisfies Readonly<Record<string, Rule>>;

function dimensionOf(dimension: Readonly<Record<string, string>>): Record<string, string> {
  const [name = "", value = ""] = Object.entries(dimension)[0] ?? [];
  return { "Dimensions/0/Name": name, "Dimensions/0/Value": value };
}

/** Namespace, name, dimension and its value. */
function metricsOfAlarms(template: Template): string[][] {
  return ofType(template, ALARM).map(([, alarm]) =>
    ["Namespace", "MetricName", "Dimensions/0/Name", "Dimensions/0/Value"].map((path) =>
      textOf(at(alarm, path)),
    ),
  );
}

const bodySchema = v.object({
  widgets: v.pipe(
    v.array(v.object({ properties: v.object({ metrics: v.array(v.array(v.unknown())) }) })),
    v.minLength(1),
  ),
});

/** The same of every widget; `.` repeats what the metric before it says. */
function metricsOfDashboard(template: Template): string[][] {
  const body = textOf(ofType(template, "AWS::CloudWatch::Dashboard")[0]?.[1].DashboardBody);
  const { widgets } = v.parse(bodySchema, JSON.parse(body));
  return widgets.flatMap(({ properties }) => {
    const rows: string[][] = [];
    for (const metric of properties.metrics) {
      const above = rows.at(-1);
      rows.push(
        metric.slice(0, 4).map((part, index) => (part === "." ? (above?.[index] ?? "") : String(part))),
      );
    }
    return rows;
  });
}
