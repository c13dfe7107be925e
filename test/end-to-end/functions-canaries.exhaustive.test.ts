import { expect, test } from "vitest";
import { Receiver, saying } from "../../lib/notify/testing/receiver.ts";
import { openCloudLab } from "./cloud-lab.ts";
import { callFresh } from "./function-host.ts";
import { finishedExports } from "./lab.ts";
import { startSecretServer } from "./secret-server.ts";

const SECRET_ID = "iotda/canaries";
const NOTIFICATION_SECRET_ID = "iotda/told";
const PLATFORM = {
  ak: "CANARYAK000000000001",
  sk: "canarySecretKey/of+the+platform=0123456789",
  securityToken: "canarySecurityTokenOfThePlatform0123456789",
};
const STATIC = { ak: "CANARYAK000000000002", sk: "canaryStaticSecretKey0123456789abcdefghij" };
const STORE = {
  accessKeyId: "CANARYSTOREKEY000001",
  secretAccessKey: "canaryStoreSecret/0123456789+abcdefghijkl",
  sessionToken: "canarySessionTokenOfTheStore0123456789",
};
/** Who is told, as the secret of notifications and the settings have it. */
const TOLD = {
  heartbeat: "canaryHeartbeat0123456789",
  hook: "canaryHookOfTheSecret0123456789",
  own: "canaryHookOfTheSettings0123456789",
};
const PROXY_PASSWORD = "canaryProxyPassword0123";

/** Every secret there is, in the forms in which it could be written. */
const CANARIES = [
  ...Object.values(PLATFORM),
  ...Object.values(STATIC),
  ...Object.values(TOLD),
  STORE.secretAccessKey,
  STORE.sessionToken,
  PROXY_PASSWORD,
].flatMap((canary) => [canary, encodeURIComponent(canary), Buffer.from(canary).toString("base64")]);

/** What requests are signed with, in a header or a query. */
const SIGNATURES =
  /(?:SDK|AWS4|V11)-HMAC-SHA256|Signature=|X-Amz-Signature|[0-9a-f]{64}(?=.{0,40}signature)/i;

test("keys, tokens and signatures appear in no log line, whatever goes wrong, at any level", async (context) => {
  const [lab, secrets] = await Promise.all([
    openCloudLab(context, {
      intervalMs: 400,
      s3: { profile: "aws", settings: { accounts: [STORE] } },
      storeProfile: "aws",
      longestPollSeconds: 1,
      sandbox: { accounts: [PLATFORM, STATIC] },
    }),
    startSecretServer(context),
  ]);
  secrets.secrets.set(SECRET_ID, { value: JSON.stringify(PLATFORM) });
  // Receivers that are not there, and one that quotes what it refuses.
  await using receiver = await Receiver.open((response, number) =>
    saying(500, Object.values(TOLD).join())(response, number),
  );
  const told = {
    heartbeatUrl: `${receiver.origin}/${TOLD.heartbeat}`,
    notify: `slack+${receiver.origin}/${TOLD.hook}`,
  };
  secrets.secrets.set(NOTIFICATION_SECRET_ID, { value: JSON.stringify(told) });
  const { HUAWEICLOUD_SDK_AK: _, HUAWEICLOUD_SDK_SK: __, ...settings } = lab.settings;
  const environment = {
    ...settings,
    ...lab.awsKeys,
    AWS_SESSION_TOKEN: STORE.sessionToken,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    HTTPS_PROXY: `http://user:${PROXY_PASSWORD}@127.0.0.1:9`,
    ARCHIVER_MIN_TASK_MS: "2000",
    ARCHIVER_LOG_LEVEL: "DEBUG",
    ARCHIVER_NOTIFICATION_SECRET: NOTIFICATION_SECRET_ID,
    ARCHIVER_NOTIFY: `${receiver.origin}/${TOLD.own}`,
    ARCHIVER_RETENTION_POLICY: '{"schemaVersion":1,"default":{"keepDays":1,"lock":"none"}}',
    // What an operator in need switches on.
    POWERTOOLS_LOGGER_LOG_EVENT: "true",
  };
  const bySecret = { ...environment, ARCHIVER_CREDENTIALS_SECRET: SECRET_ID };
  const byKeys = { ...environment, HUAWEICLOUD_SDK_AK: STATIC.ak, HUAWEICLOUD_SDK_SK: STATIC.sk };
  const logs: string[] = [];
  const call = async (keys: Readonly<Record<string, string>>, name: string) => {
    const event = { headers: { authorization: PLATFORM.sk }, time: "2026-11-22T01:00:00Z" };
    const { returned, thrown, log } = await callFresh(keys, name, { event, timeLeftMs: 600_000 });
    logs.push(log, JSON.stringify(returned) ?? "", thrown ?? "");
  };
  await lab.control.addTasks(finishedExports(3));
  await lab.control.scriptFaults(
    { operation: "showExportTask", fault: { kind: "reset", afterBytes: 300 } },
    { operation: "deleteExportTask", fault: { kind: "status", status: 500 } },
  );
  await lab.bucket.server.control.scriptFaults({
    operation: "PutObject",
    keyPrefix: lab.bucket.keyOf("exports/"),
    fault: { kind: "status", status: 400, code: "InvalidRequest" },
  });
  await call(bySecret, "discover");
  await call(byKeys, "archive");
  await call(bySecret, "archive");
  await call(bySecret, "retain");
  await call(byKeys, "expire");
  await call(bySecret, "inventory");
  await call(bySecret, "report");
  // Refused everywhere, by servers that quote what they refuse.
  await lab.control.changeSettings({ accounts: [{ ak: "SOMEBODYELSE00000001", sk: "somebodyElsesSecret" }] });
  await call(bySecret, "archive");
  await call(byKeys, "discover");
  await call(bySecret, "expire");
  await call({ ...byKeys, AWS_SECRET_ACCESS_KEY: `${STORE.secretAccessKey}x` }, "retain");
  await call({ ...byKeys, AWS_SECRET_ACCESS_KEY: `${STORE.secretAccessKey}x` }, "inventory");
  await call({ ...byKeys, AWS_SECRET_ACCESS_KEY: `${STORE.secretAccessKey}x` }, "archive");
  await call({ ...byKeys, AWS_SECRET_ACCESS_KEY: `${STORE.secretAccessKey}x` }, "report");
  secrets.secrets.set(NOTIFICATION_SECRET_ID, { value: JSON.stringify({ [TOLD.hook]: told.notify }) });
  await call(bySecret, "report");
  secrets.secrets.set(SECRET_ID, { value: JSON.stringify({ ...PLATFORM, sk: `${PLATFORM.sk}\n` }) });
  await call(bySecret, "archive");
  await call({ ...bySecret, HUAWEICLOUD_SDK_SK: STATIC.sk }, "archive");

  const text = logs.join("\n");
  expect(text).toContain("download-started");
  expect(text).toContain("The heartbeat was not taken (start)");
  expect(receiver.received.map(({ path }) => path)).toEqual(
    expect.arrayContaining(Object.values(TOLD).map((token) => expect.stringContaining(token))),
  );
  expect(text.match(/system-failure/g)?.length).toBeGreaterThan(5);
  expect(CANARIES.filter((canary) => text.includes(canary))).toEqual([]);
  expect(SIGNATURES.exec(text)?.[0]).toBeUndefined();
});
