import { formatBytes } from "../../lib/domain/format-bytes.ts";
import { parseExpectedExports } from "../../lib/report/expected.ts";
import { parseRetentionPolicy, type RetentionPolicy } from "../../lib/retention/policy.ts";
import { cronValues, minutesAndHours } from "./cron.ts";
import type { Stage } from "./stage-schema.ts";

/** What a stage deploys, in words, for whoever deploys it. */
export function summaryLines(name: string, stage: Stage, unchecked: readonly string[]): readonly string[] {
  const { awsRegion, iotdaEndpoint, iotdaProjectId, iotdaInstanceId, timeZone, pressure } = stage;
  const instance = iotdaInstanceId === "" ? "default instance" : `instance ${iotdaInstanceId}`;
  const rows: readonly (readonly [string, string])[] = [
    ["stack", `iotda-archiver-${name} in ${awsRegion}`],
    ["platform", `${iotdaEndpoint}, project ${iotdaProjectId}, ${instance}`],
    ["access key", `secret ${stage.credentialsSecret}`],
    ["store", storeInWords(stage)],
    ["archive id", archiveInWords(stage)],
    ["deletion", DELETION_WORDS[stage.deletion] ?? stage.deletion],
    ["discover", "every 10 minutes"],
    ["archive", `every 15 minutes in the hours ${hoursInWords(stage.nightHours)}`],
    ["", `hourly in the hours ${hoursInWords(stage.dayHours)}, from ${pressure} export slots used`],
    ["retain", timeInWords(stage.retainAt)],
    ["expire", `${timeInWords(stage.expireAt)}; removes at most ${stage.expireMaxRemovals} exports a run`],
    ["inventory", `${timeInWords(stage.inventoryAt)}; ${readingInWords(stage)}`],
    ["report", `${timeInWords(stage.reportAt)}, in ${LANGUAGE_WORDS[stage.language] ?? stage.language}`],
    ["", expectedInWords(stage)],
    ["time zone", timeZone],
    ["retention", retentionInWords(stage)],
    ["alarms", `by e-mail to ${stage.alarmEmail}`],
    ["told", toldInWords(stage)],
    ["heartbeat", heartbeatInWords(stage)],
    ["logs", `kept for ${stage.logRetentionDays} days`],
  ];
  return [
    `Stage ${name}:`,
    ...rows.map(([what, words]) => `  ${what.padEnd(11)}${words}`),
    ...(unchecked.length === 0
      ? []
      : [`Not checked, since they are filled in later: ${unchecked.join(", ")}.`]),
  ];
}

const DELETION_WORDS: Readonly<Record<string, string>> = {
  never: "never: what is archived stays on the platform",
  "after-verify": "after-verify: DELETES from the platform what is archived and verified",
};

function archiveInWords({ archiveId, deletion }: Stage): string {
  if (archiveId !== "") {
    return `${archiveId}, and no other`;
  }
  return deletion === "never"
    ? "not set: takes the archive that is there, or begins one"
    : "not set: takes whichever archive is there, and begins none";
}

function storeInWords({ store, objectLock, kmsKeyArn, obsBucket, obsEndpoint }: Stage): string {
  const lock = objectLock ? "with object lock" : "without object lock";
  switch (store) {
    case "s3":
      return `S3 bucket of this stack, ${lock}`;
    case "s3-kms":
      return `S3 bucket of this stack, ${lock}, encrypted with ${kmsKeyArn}`;
    case "obs":
      return `OBS bucket ${obsBucket} at ${obsEndpoint}`;
    default:
      return store;
  }
}

/** `22, 23, 0-4` as `0-4, 22-23`. */
function hoursInWords(field: string): string {
  const ranges: [number, number][] = [];
  for (const hour of cronValues(field, 23) ?? []) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === hour - 1) {
      last[1] = hour;
    } else {
      ranges.push([hour, hour]);
    }
  }
  const words = ranges.map(([first, last]) => (first === last ? `${first}` : `${first} to ${last}`));
  return words.length === 0 ? field : words.join(", ");
}

function timeInWords(fields: string): string {
  const at = minutesAndHours(fields);
  if (at === undefined) {
    return `daily at ${fields}`;
  }
  const times = at.hours.flatMap((hour) =>
    at.minutes.map((minute) => `${twoDigits(hour)}:${twoDigits(minute)}`),
  );
  const [first = ""] = times;
  return times.length <= 4
    ? `daily at ${times.join(", ")}`
    : `daily at ${times.length} times from ${first} to ${times.at(-1) ?? ""}`;
}

function readingInWords({ verifyWithinDays, verifyBytesPerDay }: Stage): string {
  return verifyWithinDays === 0
    ? "reads NO copy again"
    : `reads every copy again within ${verifyWithinDays} days, ${formatBytes(verifyBytesPerDay)} a day at most`;
}

const LANGUAGE_WORDS: Readonly<Record<string, string>> = { en: "English", zh: "Chinese" };

function expectedInWords({ expectedExports }: Stage): string {
  if (expectedExports === "") {
    return "no exports are expected by name";
  }
  if (!expectedExports.startsWith("{")) {
    return `expected exports by ${expectedExports}`;
  }
  const names = parseExpectedExports(expectedExports).map(({ name }) => name);
  return `expects exports of ${names.join(", ")}`;
}

function toldInWords({ notifyOn, notificationSecret }: Stage): string {
  const when = notifyOn === "problems" ? "of bad nights only" : "of every night";
  const others = notificationSecret === "" ? "" : `, and the targets of the secret ${notificationSecret}`;
  return `${when}: the alarms' topic${others}`;
}

function heartbeatInWords({ notificationSecret }: Stage): string {
  return notificationSecret === "" ? "NONE" : `that of the secret ${notificationSecret}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

function retentionInWords({ retentionPolicy, objectLock, store }: Stage): string {
  if (!retentionPolicy.startsWith("{")) {
    return `by ${retentionPolicy}`;
  }
  const { default: otherwise, rules } = parseRetentionPolicy(retentionPolicy);
  const named = rules.map((rule) => `${rule.name}: ${termsInWords(rule)}`);
  const asksForLocks = [otherwise, ...rules].some(({ lock }) => lock !== "none");
  return [
    ...named,
    `${named.length === 0 ? "" : "others: "}${termsInWords(otherwise)}`,
    ...(asksForLocks && store === "obs" ? ["OBS gives NO locks"] : []),
    ...(asksForLocks && store !== "obs" && !objectLock
      ? ["NO locks unless object lock was switched on in S3, since objectLock is false"]
      : []),
  ].join("; ");
}

function termsInWords({ keepDays, lock }: RetentionPolicy["default"]): string {
  const kept = keepDays === "forever" ? "kept for ever" : `kept for ${keepDays} days, then removed`;
  return `${kept}, ${lock === "none" ? "not locked" : `${lock} lock`}`;
}
