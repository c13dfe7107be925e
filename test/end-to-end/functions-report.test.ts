import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, type TestContext, test } from "vitest";
import { Receiver, saying } from "../../lib/notify/testing/receiver.ts";
import { callFresh, metricsOf } from "./function-host.ts";
import { finishedExports, openLab, type SettingChanges } from "./lab.ts";
import { startSecretServer } from "./secret-server.ts";

const SECRET_ID = "iotda/told";
const TOKEN = "PlantedToken0123456789";

/** A night with two exports, and a secret that names who is told. */
async function openNight(context: Pick<TestContext, "onTestFinished">, status: number, more: SettingChanges) {
  const receiver = await Receiver.open(saying(status));
  context.onTestFinished(() => receiver[Symbol.asyncDispose]());
  const [lab, secrets] = await Promise.all([openLab(context), startSecretServer(context)]);
  const notify = `${receiver.origin}/${TOKEN}`;
  secrets.secrets.set(SECRET_ID, { value: JSON.stringify({ notify }) });
  const settings = lab.settings({
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
    AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    ARCHIVER_NOTIFICATION_SECRET: SECRET_ID,
    ...more,
  });
  await lab.control.addTasks(finishedExports(2));
  await callFresh(settings, "discover");
  await callFresh(settings, "archive");
  const target = `json ${new URL(receiver.origin).host}`;
  return { lab, settings, receiver, target, secrets };
}

async function report(settings: Record<string, string>) {
  const { returned, log } = await callFresh(settings, "report");
  expect(log + JSON.stringify(returned)).not.toContain(TOKEN);
  return { returned, log, metrics: metricsOf(log)[0] };
}

test("the function report makes the page, tells who is to hear of it, and says what came of it", async (context) => {
  const { lab, settings, receiver, target } = await openNight(context, 200, {
    ARCHIVER_TIME_ZONE: "Asia/Shanghai",
    ARCHIVER_LANGUAGE: "zh",
  });
  const { returned, log, metrics } = await report(settings);
  expect(returned).toMatchObject({
    night: { counts: { archived: 2, deleted: 2 }, places: { held: 0 } },
    pageKey: "reports/latest.html",
    told: "told",
    took: [target],
    untold: [],
  });
  expect(metrics).toMatchObject({ ReportsMade: 1, TargetsUntold: 0, TasksHeld: 0, SystemFailures: 0 });
  expect(log).toContain('"message":"night"');
  expect(await readFile(join(lab.store.path, "reports/latest.html"), "utf8")).toContain('<html lang="zh');
  expect(receiver.received.map(({ body }) => body)).toEqual([expect.stringContaining('"kind":"night"')]);
});

test("a target that refuses the message fails no report", async (context) => {
  const { settings, target } = await openNight(context, 404, {});
  const { returned, log, metrics } = await report(settings);
  const untold = [{ target, failure: expect.objectContaining({ code: "notify-refused" }) }];
  expect(returned).toMatchObject({ pageKey: "reports/latest.html", told: "told", took: [], untold });
  expect(returned).not.toHaveProperty("failure");
  expect(metrics).toMatchObject({ ReportsMade: 1, TargetsUntold: 1, SystemFailures: 0 });
  expect(log).toContain('"message":"untold"');
});

test("a secret that cannot be read fails no report, and the targets of the settings are told", async (context) => {
  const { settings, receiver, target, secrets } = await openNight(context, 200, {});
  secrets.secrets.set(SECRET_ID, { error: "AccessDeniedException" });
  const { returned, metrics } = await report({ ...settings, ARCHIVER_NOTIFY: `${receiver.origin}/${TOKEN}` });
  const untold = [
    { target: "ARCHIVER_NOTIFICATION_SECRET", failure: expect.objectContaining({ code: "configuration" }) },
  ];
  expect(returned).toMatchObject({ told: "told", took: [target], untold });
  expect(metrics).toMatchObject({ ReportsMade: 1, TargetsUntold: 1, SystemFailures: 0 });
});

test("a place without an archive is a system failure, and no report was made", async (context) => {
  const { lab, settings, receiver } = await openNight(context, 200, {});
  await rm(join(lab.store.path, "archive.json"));
  const { returned, log, metrics } = await report(settings);
  expect(returned).toMatchObject({ failure: { code: "no-archive" }, took: [], untold: [] });
  expect(metrics).toMatchObject({ SystemFailures: 1 });
  expect(metrics).not.toHaveProperty("ReportsMade");
  expect(log).toContain('"message":"system-failure"');
  expect(receiver.received).toEqual([]);
});
