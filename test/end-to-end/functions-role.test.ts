import { createServer } from "node:http";
import * as v from "valibot";
import { expect, test } from "vitest";
import { openCloudLab } from "./cloud-lab.ts";
import { startArchiver } from "./command-line.ts";
import { archiveReportSchema } from "./documents.ts";
import { callFresh } from "./function-host.ts";
import { ACCOUNT, finishedExports } from "./lab.ts";
import { startSecretServer } from "./secret-server.ts";

const ROLE = {
  accessKeyId: "ROLEKEY0000000000001",
  secretAccessKey: "roleSecretKey0123456789abcdefghijklmnopqr",
  sessionToken: "roleSessionToken0123456789",
};

test("a function's role may stand behind its container's address instead of in its environment", async (context) => {
  const lab = await openCloudLab(context, {
    intervalMs: 800,
    s3: { profile: "aws", settings: { accounts: [ROLE] } },
    storeProfile: "aws",
    longestPollSeconds: 1,
  });
  const container = createServer((_incoming, outgoing) => {
    const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token } = ROLE;
    const Expiration = new Date(Date.now() + 3_600_000).toISOString();
    outgoing.end(JSON.stringify({ AccessKeyId, SecretAccessKey, Token, Expiration }));
  });
  await new Promise<void>((resolve) => container.listen(0, "127.0.0.1", resolve));
  context.onTestFinished(() => {
    container.closeAllConnections();
    container.close();
  });
  const address = container.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const environment = {
    ...lab.settings,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/credentials`,
  };
  const { returned, log } = await callFresh(environment, "archive", { timeLeftMs: 600_000 });
  expect(v.parse(archiveReportSchema, returned), log).toMatchObject({ stopReason: "drained" });
  expect(log).not.toContain(ROLE.sessionToken);
});

test("one refusal of each request's time ends no run, and no message blames the clock", async (context) => {
  const lab = await openCloudLab(context, {
    intervalMs: 800,
    s3: { profile: "aws" },
    storeProfile: "aws",
    longestPollSeconds: 1,
  });
  await lab.control.addTasks(finishedExports(1).map((task) => ({ ...task, fillerBytes: 12_000_000 })));
  lab.queue.send("export-01");
  const operations = [
    "HeadObject",
    "GetObject",
    "PutObject",
    "ListObjectsV2",
    "ListMultipartUploads",
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
  ] as const;
  const fault = { kind: "status", status: 403, code: "RequestTimeTooSkewed" } as const;
  await lab.bucket.server.control.scriptFaults(...operations.map((operation) => ({ operation, fault })));
  await lab.control.scriptFaults({
    operation: "listExportTasks",
    fault: { kind: "status", status: 401, code: "APIGW.0301" },
  });
  const { returned, log } = await callFresh({ ...lab.settings, ...lab.awsKeys }, "archive", {
    timeLeftMs: 600_000,
  });
  expect(v.parse(archiveReportSchema, returned), log).toMatchObject({
    stopReason: "drained",
    counts: { archived: 1, deleted: 1 },
  });
  expect(log).not.toMatch(/clock/i);
  const { faults } = await lab.bucket.server.control.state();
  expect(faults.filter(({ met }) => met === 0)).toEqual([]);
});

test("the keys of one secret open platform and OBS", async (context) => {
  const [lab, secrets] = await Promise.all([
    openCloudLab(context, {
      intervalMs: 800,
      s3: {
        profile: "obs",
        settings: { accounts: [{ accessKeyId: ACCOUNT.ak, secretAccessKey: ACCOUNT.sk }] },
      },
      storeProfile: "obs",
      longestPollSeconds: 1,
    }),
    startSecretServer(context),
  ]);
  secrets.secrets.set("iotda/keys", { value: JSON.stringify(ACCOUNT) });
  await lab.control.addTasks(finishedExports(1));
  lab.queue.send("export-01");
  const { HUAWEICLOUD_SDK_AK: _, HUAWEICLOUD_SDK_SK: __, ...settings } = lab.settings;
  const environment = {
    ...settings,
    // For the queue and the secret; the bucket would not take them.
    AWS_ACCESS_KEY_ID: "SOMEQUEUEKEY00000001",
    AWS_SECRET_ACCESS_KEY: "someQueueSecret0123456789abcdefghijklmno",
    ARCHIVER_STORE_CREDENTIALS: "huawei",
    ARCHIVER_CREDENTIALS_SECRET: "iotda/keys",
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
  };
  const { returned, log } = await callFresh(environment, "archive", { timeLeftMs: 600_000 });
  expect(v.parse(archiveReportSchema, returned), log).toMatchObject({
    stopReason: "drained",
    counts: { archived: 1, deleted: 1 },
  });
  // How often: lib/config/access-keys.test.ts. The SDK reads once more when an answer takes it five seconds.
  const readsBefore = secrets.reads.length;
  expect(readsBefore).toBeGreaterThan(0);

  // The command line takes the same settings.
  const status = await startArchiver(["status", "--json"], environment).ended;
  expect(JSON.parse(status.stdout), status.stderr).toMatchObject({ platform: { held: 0 } });
  expect(secrets.reads.length).toBeGreaterThan(readsBefore);

  secrets.secrets.delete("iotda/keys");
  const without = await callFresh(environment, "archive", { timeLeftMs: 600_000 });
  expect(v.parse(archiveReportSchema, without.returned).failure).toMatchObject({ code: "configuration" });
});
