import type { Wrongs } from "./sabotages.ts";
import type { WATCH_RULES } from "./watch-rules.ts";

export const WATCH_SABOTAGES = {
  "there is an alarm for everything that a person must hear of": [
    ["no alarm", "ExportsLostAlarm", undefined],
    ["an alarm too late", "TasksHeldAlarm/Properties/Threshold", 50],
    ["no alarm for damage", "DamagedObjectsAlarm", undefined],
    ["no alarm for a changed copy", "CopiesDamagedAlarm", undefined],
    ["a missed limit that is not told", "VerificationLimitAlarm/Properties/Threshold", 1],
    ["a drill is forgotten after an hour", "DrillFailedAlarm/Properties/Period", 3600],
    ["the metric of another function", "OrphansAlarm/Properties/MetricName", "UnrecordedObjects"],
    ["a day is enough to ring", "ExpiryBlockedAlarm/Properties/DatapointsToAlarm", 1],
    ["events get lost", "RetainDeadLettersAlarm", undefined],
    ["a request may wait a week", "RequestsWaitingAlarm/Properties/Threshold", 604_800],
    ["throttling without an alarm", "ArchiveDroppedAlarm", undefined],
    ["refusals without an alarm", "EventsRefusedAlarm", undefined],
    ["no report is fine", "NoReportAlarm/Properties/TreatMissingData", "notBreaching"],
    ["a report a week is enough", "NoReportAlarm/Properties/EvaluationPeriods", 168],
    ["a message that was not sent is forgotten", "NotNotifiedAlarm", undefined],
    ["silence is fine", "NoCompletedRunAlarm/Properties/TreatMissingData", "notBreaching"],
  ],
  "every alarm tells the topic, which tells a person": [
    ["an alarm without an action", "SystemFailuresAlarm/Properties/AlarmActions", []],
    ["an alarm switched off", "SystemFailuresAlarm/Properties/ActionsEnabled", false],
    ["a topic without a subscriber", "AlarmMail", undefined],
  ],
  "the topic takes the alarms of this stack": [
    ["an alarm of another name", "TasksHeldAlarm/Properties/AlarmName", "tasks-held"],
  ],
  "alarms and dashboard look at metrics that the functions write": [
    ["a metric that no function writes", "TasksHeldAlarm/Properties/MetricName", "HeldTasks"],
    [
      "another service's metric",
      "DiscoverLambdaFunction/Properties/Environment/Variables/POWERTOOLS_SERVICE_NAME",
      "discover",
    ],
  ],
  "the dashboard shows every number of the archiver": [
    [
      "an empty dashboard",
      "Dashboard/Properties/DashboardBody",
      '{"widgets":[{"properties":{"metrics":[["IotdaArchiver","TasksHeld"]]}}]}',
    ],
  ],
} as const satisfies Wrongs<keyof typeof WATCH_RULES>;
