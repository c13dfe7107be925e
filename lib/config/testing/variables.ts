import type { ConfigurationPart } from "../configuration.ts";
import { readConfiguration } from "../configuration.ts";
import { ConfigurationError } from "../errors.ts";

/** What archiving needs. */
export const ALL: ReadonlySet<ConfigurationPart> = new Set<ConfigurationPart>(["platform", "store", "queue"]);

/** The least a local run needs, with secrets that are easy to find. */
export const LOCAL = {
  ARCHIVER_IOTDA_ENDPOINT: "https://iotda.cn-north-4.myhuaweicloud.com",
  ARCHIVER_IOTDA_PROJECT_ID: "0123456789abcdef0123456789abcdef",
  HUAWEICLOUD_SDK_AK: "PLANTEDAK",
  HUAWEICLOUD_SDK_SK: "PLANTEDSK",
  ARCHIVER_STORE: "file:///srv/archive",
  ARCHIVER_QUEUE: "sqlite:///srv/queue.db",
};

/** The least a run on AWS needs. */
export const AWS = {
  ...LOCAL,
  ARCHIVER_STORE: "s3://exports-bucket/iotda/prod/",
  ARCHIVER_QUEUE: "https://sqs.eu-west-1.amazonaws.com/123456789012/exports",
  ARCHIVER_DEAD_LETTER_QUEUE: "https://sqs.eu-west-1.amazonaws.com/123456789012/dead",
};

export type Variables = Record<string, string | undefined>;

/** The error a configuration is refused with; fails when it is accepted. */
export function refusal(env: Variables, need: ReadonlySet<ConfigurationPart> = ALL): ConfigurationError {
  try {
    readConfiguration(env, need);
  } catch (error) {
    if (error instanceof ConfigurationError) {
      return error;
    }
    throw error;
  }
  throw new Error("the configuration was accepted");
}

/** `name: problem` of every problem, for short comparisons. */
export function problemsOf(env: Variables, need?: ReadonlySet<ConfigurationPart>): string[] {
  return refusal(env, need).problems.map(({ name, problem }) => `${name}: ${problem}`);
}
