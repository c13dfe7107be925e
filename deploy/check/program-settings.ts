import { readConfiguration } from "../../lib/config/configuration.ts";
import { ConfigurationError } from "../../lib/config/errors.ts";
import type { DocumentLocation } from "../../lib/config/value-schemas.ts";
import { formatBytes } from "../../lib/domain/format-bytes.ts";
import { ExpectedExportsError } from "../../lib/report/errors.ts";
import { parseExpectedExports } from "../../lib/report/expected.ts";
import { RetentionPolicyError } from "../../lib/retention/errors.ts";
import { parseRetentionPolicy } from "../../lib/retention/policy.ts";
import type { StageProblem } from "./problem.ts";

/** The functions' settings that a parameter fills in, as deploy/*.yml do it. */
const PARAMETER_OF_SETTING: Readonly<Record<string, string>> = {
  ARCHIVER_IOTDA_ENDPOINT: "iotdaEndpoint",
  ARCHIVER_IOTDA_PROJECT_ID: "iotdaProjectId",
  ARCHIVER_IOTDA_INSTANCE_ID: "iotdaInstanceId",
  ARCHIVER_CREDENTIALS_SECRET: "credentialsSecret",
  ARCHIVER_NOTIFICATION_SECRET: "notificationSecret",
  ARCHIVER_NOTIFY_ON: "notifyOn",
  ARCHIVER_TIME_ZONE: "timeZone",
  ARCHIVER_EXPECT: "expectedExports",
  ARCHIVER_LANGUAGE: "language",
  ARCHIVER_REPORT_URL: "reportUrl",
  ARCHIVER_ARCHIVE_ID: "archiveId",
  ARCHIVER_DELETE: "deletion",
  ARCHIVER_PRESSURE: "pressure",
  ARCHIVER_EXPORT_PLACES: "exportPlaces",
  ARCHIVER_DOWNLOAD_INTERVAL_MS: "downloadIntervalMs",
  ARCHIVER_EXPORT_ON: "exportOn",
  ARCHIVER_RETENTION_POLICY: "retentionPolicy",
  ARCHIVER_EXPIRE_MAX_REMOVALS: "expireMaxRemovals",
  ARCHIVER_VERIFY_WITHIN_DAYS: "verifyWithinDays",
  ARCHIVER_VERIFY_BYTES_PER_DAY: "verifyBytesPerDay",
  AWS_ENDPOINT_URL_S3: "obsEndpoint",
};

/** What the stack fills in, and Lambda. */
const OF_THE_STACK = {
  AWS_REGION: "eu-central-1",
  ARCHIVER_QUEUE: "https://sqs.eu-central-1.amazonaws.com/123456789012/tasks",
  ARCHIVER_DEAD_LETTER_QUEUE: "https://sqs.eu-central-1.amazonaws.com/123456789012/letters",
};

/** Lambda takes 4 KB of settings, and the others need some of them. */
const MAX_DOCUMENT_BYTES = 3_000;

/** What the functions would say of the settings that a stage gives them. */
export function problemsOfSettings(parameters: Readonly<Record<string, unknown>>): readonly StageProblem[] {
  const ofStage = Object.entries(PARAMETER_OF_SETTING)
    .filter(([, parameter]) => parameters[parameter] !== undefined)
    .map(([setting, parameter]) => [setting, String(parameters[parameter])] as const);
  const isObs = parameters.store === "obs";
  const environment = {
    ...OF_THE_STACK,
    ...Object.fromEntries(ofStage.filter(([setting]) => isObs || setting !== "AWS_ENDPOINT_URL_S3")),
    ARCHIVER_STORE: `s3://${isObs ? String(parameters.obsBucket) : "archive-bucket"}`,
    ...(isObs ? { ARCHIVER_STORE_PROFILE: "obs", ARCHIVER_STORE_CREDENTIALS: "huawei" } : {}),
  };
  try {
    const { retention, report } = readConfiguration(
      environment,
      new Set(["platform", "store", "queue", "events", "retention"]),
    );
    return [
      ...documentProblems(retention.policy, POLICY),
      ...(report.expect === undefined ? [] : documentProblems(report.expect, EXPECTED)),
    ];
  } catch (error) {
    if (error instanceof ConfigurationError) {
      return error.problems.map(({ name, problem, fix }) => ({
        name: PARAMETER_OF_SETTING[name] ?? (name === "ARCHIVER_STORE" ? "obsBucket" : name),
        problem,
        // A stage has no setting for the heartbeat's address.
        fix: name === "ARCHIVER_NOTIFY_ON" ? "Set notificationSecret too, or set it to every-night." : fix,
      }));
    }
    throw error;
  }
}

/** A parameter that holds a document, or names one in the bucket. */
interface DocumentParameter {
  readonly name: string;
  /** Where the functions may read it. */
  readonly folder: string;
  /** Throws for a text that cannot be used. */
  readonly parse: (text: string) => unknown;
  readonly fix: string;
}

const POLICY: DocumentParameter = {
  name: "retentionPolicy",
  folder: "retention/",
  parse: parseRetentionPolicy,
  fix: "docs/retention.md says what a policy may have.",
};

const EXPECTED: DocumentParameter = {
  name: "expectedExports",
  folder: "expected/",
  parse: parseExpectedExports,
  fix: 'docs/deploy.md, "Reports", says what it may have.',
};

function documentProblems(
  place: DocumentLocation,
  { name, folder, parse, fix }: DocumentParameter,
): readonly StageProblem[] {
  const problem = (text: string, remedy: string) => [{ name, problem: text, fix: remedy }];
  switch (place.kind) {
    case "store":
      return place.key.startsWith(folder)
        ? []
        : problem(
            `names a key that does not begin with ${folder}, where no function may read it`,
            `Put the document there, and write store:${folder} and the rest of its key.`,
          );
    case "file":
      return problem("names a file, and a function has none", "Write store: and a key of the bucket.");
    case "inline":
      if (Buffer.byteLength(place.text) > MAX_DOCUMENT_BYTES) {
        return problem(
          `is longer than ${formatBytes(MAX_DOCUMENT_BYTES)}`,
          "Put it into the bucket, and name it with store: and its key.",
        );
      }
      try {
        parse(place.text);
        return [];
      } catch (error) {
        if (error instanceof RetentionPolicyError || error instanceof ExpectedExportsError) {
          return problem(error.message, fix);
        }
        throw error;
      }
  }
}
