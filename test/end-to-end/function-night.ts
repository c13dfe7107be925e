import * as v from "valibot";
import type { TestContext } from "vitest";
import { type CloudLab, openCloudLab } from "./cloud-lab.ts";
import { archiveReportSchema, discoverReportSchema } from "./documents.ts";
import { type Call, callFresh } from "./function-host.ts";
import { ACCOUNT } from "./lab.ts";
import { type SecretServer, startSecretServer } from "./secret-server.ts";

export const INTERVAL_MS = 800;
export const SECRET_ID = "iotda/keys";
export const SERVICE = "night-test";
export const ROTATED = { ak: "LABAK000000000000002", sk: "labSecretKeyRotated456789abcdefghijklmnop" };
/** A run does not start a task with less than this left. */
const MIN_TASK_MS = "2000";

/** A deployment with a platform, a bucket, two queues and a secret. */
export interface Night {
  readonly lab: CloudLab;
  readonly secrets: SecretServer;
  /** What a function finds in its environment; no access key among it. */
  readonly environment: Readonly<Record<string, string>>;
}

/** @param apart whether the platform keeps the pace, in a process of its own. */
export async function openNight(context: TestContext, { apart = false } = {}): Promise<Night> {
  const [lab, secrets] = await Promise.all([
    openCloudLab(context, {
      intervalMs: INTERVAL_MS,
      s3: { profile: "aws" },
      storeProfile: "aws",
      longestPollSeconds: 1,
      apart,
    }),
    startSecretServer(context),
  ]);
  secrets.secrets.set(SECRET_ID, { value: JSON.stringify(ACCOUNT) });
  const { HUAWEICLOUD_SDK_AK: _, HUAWEICLOUD_SDK_SK: __, ...settings } = lab.settings;
  const environment = {
    ...settings,
    ...lab.awsKeys,
    ARCHIVER_CREDENTIALS_SECRET: SECRET_ID,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    ARCHIVER_MIN_TASK_MS: MIN_TASK_MS,
    POWERTOOLS_SERVICE_NAME: SERVICE,
  };
  return { lab, secrets, environment };
}

export async function discover({ environment }: Night): Promise<readonly string[]> {
  return v.parse(discoverReportSchema, (await callFresh(environment, "discover")).returned).enqueued;
}

export async function archive({ environment }: Night, call: Call) {
  const { returned, log, leftMs } = await callFresh(environment, "archive", call);
  return { report: v.parse(archiveReportSchema, returned), log, leftMs };
}

export async function rotateKeys({ lab, secrets }: Night): Promise<void> {
  secrets.secrets.set(SECRET_ID, { value: JSON.stringify(ROTATED) });
  await lab.control.changeSettings({ accounts: [ROTATED] });
}
