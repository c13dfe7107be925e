import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { readArguments } from "../../deploy/check/arguments.ts";
import { checkStage, refusalLines } from "../../deploy/check/check-stage.ts";
import { cronValues } from "../../deploy/check/cron.ts";
import { PARAMETER_NAMES } from "../../deploy/check/stage-schema.ts";
import { summaryLines } from "../../deploy/check/summary.ts";
import { LAB_ARCHIVE_ID } from "../end-to-end/archive-marker.ts";

const ROOT = new URL("../../", import.meta.url);
const shipped = await readFile(new URL("deploy/stages.yml", ROOT), "utf8");
/** As a person fills it in. */
const filled = shipped
  .replace("0123456789abcdef0123456789abcdef", "0a1b2c3d4e5f60718293a4b5c6d7e8f9")
  .replace("operator@example.com", "night.shift@factory.de")
  .replace("111122223333:key/00000000-0000-0000-0000-000000000000", "123456789012:key/5f2d9c3a-1b2c-3d4e")
  .replace("my-iotda-archive", "factory-exports");

const given = (name: string, value: string) => new Map([[name, value]]);

/** Names and problems of a stage; none when it may be packaged. */
function problemsOf(stage: string, params?: ReadonlyMap<string, string>, text = filled): string[] {
  const checked = checkStage(text, stage, params);
  return checked.kind === "refused" ? checked.problems.map(({ name, problem }) => `${name}: ${problem}`) : [];
}

test.each(["prod", "kms", "obs"])("the stage %s may be packaged once it is filled in", (stage) => {
  expect(problemsOf(stage)).toEqual([]);
});

test("what is shipped is not deployed: every placeholder is named", () => {
  const names = (stage: string) =>
    problemsOf(stage, undefined, shipped).map((problem) => problem.split(":")[0]);
  expect(names("prod")).toEqual(["iotdaProjectId", "alarmEmail"]);
  expect(names("kms")).toEqual(["iotdaProjectId", "alarmEmail", "kmsKeyArn"]);
  expect(names("obs")).toEqual(["iotdaProjectId", "alarmEmail", "obsBucket"]);
});

test.each<[parameter: string, value: string]>([
  ["deletion", "Never"],
  ["deletion", "after_verify"],
  ["deletion", "false"],
  ["nightHours", "22-4"],
  ["nightHours", "0-24"],
  ["nightHours", "5,"],
  ["nightHours", "0-5/0"],
  ["nightHours", "1-"],
  ["dayHours", "6-22"],
  ["dayHours", "5-23"],
  ["dayHours", "*"],
  ["expireAt", "99 2"],
  ["expireAt", "5 24"],
  ["expireAt", "5"],
  ["expireAt", "5 2 *"],
  ["expireAt", "02:05"],
  ["notificationSecret", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:told"],
  ["reportAt", "10 8 1"],
  ["language", "de"],
  ["notifyOn", "never"],
  ["notifyOn", "problems"],
  ["notifyTopic", "arn:aws:sns:eu-central-1:123456789012:night"],
  ["reportUrl", "http://files.factory.de/"],
  ["reportUrl", "files.factory.de"],
  ["expectedExports", "none"],
  ["expectedExports", "file:///etc/expected.json"],
  ["expectedExports", "store:records/expected.json"],
  ["expectedExports", `'{"rules":[{"name":"x"}]}'`],
  ["expectedExports", `'${JSON.stringify({ rules: [] }).padEnd(3_001)}'`],
  ["retentionPolicy", "store:records/policy.json"],
  ["inventoryAt", "20 24"],
  ["verifyWithinDays", "-1"],
  ["verifyWithinDays", "3651"],
  ["verifyBytesPerDay", "0"],
  ["verifyBytesPerDay", "10 GiB"],
  ["retainAt", "-1 6"],
  ["retainAt", "60 6"],
  ["retainAt", "30  6"],
  ["timeZone", "Europe/Berln"],
  ["timeZone", "CEST"],
  ["timeZone", "+01:00"],
  ["timeZone", "europe/berlin"],
  ["timeZone", '""'],
  ["alarmEmail", "night.shift"],
  ["alarmEmail", "a@b"],
  ["alarmEmail", "a@factory.de,b@factory.de"],
  ["alarmEmail", "a@mail.example.org"],
  ["awsRegion", "Frankfurt"],
  ["awsRegion", "eu-central"],
  ["iotdaEndpoint", "iotda.cn-north-4.myhuaweicloud.com"],
  ["iotdaEndpoint", "http://iotda.cn-north-4.myhuaweicloud.com"],
  ["iotdaProjectId", "12345678901234567890"],
  ["iotdaProjectId", "a b"],
  ["iotdaProjectId", '""'],
  ["iotdaInstanceId", "Factory"],
  ["pressure", "51"],
  ["pressure", '"35"'],
  ["pressure", "3.5"],
  ["exportPlaces", "0"],
  ["downloadIntervalMs", "31"],
  ["archiveConcurrency", "0"],
  ["archiveMemoryMiB", "64"],
  ["archiveMemoryMiB", "512 MiB"],
  ["eventConcurrency", "2"],
  ["logRetentionDays", "91"],
  ["store", "S3"],
  ["objectLock", '"false"'],
  ["objectLock", "no thanks"],
  ["exportOn", "any:Finished"],
  ["retentionPolicy", "{}"],
  ["retentionPolicy", "'{\"schemaVersion\":1}'"],
  ["retentionPolicy", "'file:///policy.json'"],
  ["expireMaxRemovals", "-1"],
  ["archiveId", "6d1f0a52"],
  ["archiveId", "Archive 6d1f0a52-9c1e-4a0b-8f53-2f6f3d1b7c10"],
  ["archiveId", "6d1f0a52_9c1e_4a0b_8f53_2f6f3d1b7c10"],
  ["credentialsSecret", "arn:aws:secretsmanager:eu-central-1:1:secret:x"],
  ["credentialsKeyArn", "alias/mine"],
  ["credentialsKeyArn", "arn:aws:kms:eu-west-1:123456789012:key/1"],
  ["eventTopic", "arn:aws:sns:eu-central-1:123456789012:x"],
  ["eventRule", "a b"],
])("%s: %s is refused, by this name and once", (parameter, value) => {
  expect(problemsOf("prod", given(parameter, value)).map((problem) => problem.split(":")[0])).toEqual([
    parameter,
  ]);
});

test.each<[parameter: string, value: string]>([
  ["timeZone", "UTC"],
  ["timeZone", "Asia/Shanghai"],
  ["timeZone", "Asia/Calcutta"],
  ["timeZone", "America/Argentina/Buenos_Aires"],
  ["expireAt", "5 0-6"],
  ["verifyWithinDays", "0"],
  ["notificationSecret", "iotda-archiver/prod/told"],
  ["language", "zh"],
  ["notifyTopic", "night-watch"],
  ["reportUrl", "https://files.factory.de/iotda/"],
  ["expectedExports", "store:expected/nightly.json"],
  ["expectedExports", `'{"rules":[{"name":"nightly","by":"06:00"}]}'`],
  ["expireAt", "0/30 2,4"],
  ["deletion", "after-verify"],
  ["objectLock", "true"],
  ["iotdaInstanceId", "0a1b2c3d-0000"],
  ["archiveId", '""'],
  ["archiveId", "6D1F0A52-9c1e-4a0b-8f53-2f6f3d1b7c10"],
  ["retentionPolicy", "store:retention/policy.json"],
  ["credentialsKeyArn", "arn:aws:kms:eu-central-1:123456789012:key/1"],
])("%s: %s is taken", (parameter, value) => {
  expect(problemsOf("prod", given(parameter, value))).toEqual([]);
});

test("what is not an archive's id is told so, and what to set", () => {
  const checked = checkStage(filled, "prod", given("archiveId", "6d1f0a52"));
  expect(checked.kind === "refused" && refusalLines("prod", checked.problems)[1]).toBe(
    '  archiveId: "6d1f0a52" is neither "" nor the id of an archive. Copy the archiveId in archive.json, or leave it empty.',
  );
});

test("a night over midnight is written in two parts", () => {
  const hours = new Map([
    ["nightHours", "22,23,0-4"],
    ["dayHours", "5-21"],
  ]);
  expect(problemsOf("prod", hours)).toEqual([]);
});

test("what a kind of store needs is asked for", () => {
  expect(problemsOf("prod", given("store", "s3-kms"))).toEqual([
    "kmsKeyArn: is missing, and store is s3-kms",
  ]);
  expect(problemsOf("prod", given("store", "obs")).map((problem) => problem.split(":")[0])).toEqual([
    "obsEndpoint",
    "obsBucket",
  ]);
  expect(problemsOf("obs", given("archiveConcurrency", "2"))).toEqual([
    expect.stringMatching(/^archiveConcurrency: /),
  ]);
  expect(problemsOf("kms", given("awsRegion", "eu-west-1"))).toEqual([
    "kmsKeyArn: names a key in eu-central-1, and awsRegion is eu-west-1",
  ]);
});

test("mistyped names are refused, with the one that was meant", () => {
  const text = `${filled}\ntest:\n  deletoin: after-verify\n`;
  const checked = checkStage(text, "tset", given("nighthours", "0-5"));
  expect(checked.kind === "refused" && refusalLines("tset", checked.problems)).toEqual([
    'The stage "tset" has 3 problems; nothing was packaged:',
    '  --stage "tset": is not a stage of deploy/stages.yml (there: prod, kms, obs, test). Did you mean test?',
    '  test, "deletoin": is not a parameter of a stage. Did you mean deletion?',
    '  --param, "nighthours": is not a parameter of a stage. Did you mean nightHours?',
    "The parameters are in deploy/stages.yml; docs/deploy.md explains them.",
  ]);
  expect(problemsOf("default")).toHaveLength(1);
  expect(problemsOf("constructor")).toHaveLength(1);
});

test.each(["Prod", "my_stage", "a".repeat(31)])(
  "the stage %s cannot be part of a function's name",
  (stage) => {
    expect(problemsOf(stage, undefined, `${filled}\n${stage}: {}\n`)).toEqual([
      `--stage "${stage}": is not a name for a stack and its functions`,
    ]);
  },
);

test("a file that is none, and one without a parameter, are refused", () => {
  expect(problemsOf("prod", undefined, "default: [")).toHaveLength(1);
  expect(problemsOf("prod", undefined, "")).toHaveLength(1);
  expect(problemsOf("prod", undefined, filled.replace(/^ {2}deletion: .*$/m, ""))).toEqual([
    "deletion: is missing",
  ]);
});

test("a reference that only the deployment program knows is passed on, and said", () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in the file.
  const checked = checkStage(filled, "prod", given("alarmEmail", "${env:ALARM_EMAIL}"));
  expect(checked).toMatchObject({ kind: "stage", unchecked: ["alarmEmail"] });
});

test("the schema has every parameter that the templates use, and no other", async () => {
  const { glob } = await import("node:fs/promises");
  const used = new Set<string>();
  for await (const file of glob("{serverless.yml,deploy/*.yml}", { cwd: ROOT })) {
    const text = await readFile(new URL(file, ROOT), "utf8");
    for (const [, name = ""] of text.matchAll(/\$\{param:(\w+)\}/g)) {
      used.add(name);
    }
  }
  expect([...used].sort()).toEqual([...PARAMETER_NAMES].sort());
});

test("the summary says in words what is deployed", () => {
  const checked = checkStage(filled, "prod", given("nightHours", "0-5"));
  expect(checked.kind === "stage" && summaryLines("prod", checked.stage, [])).toEqual([
    "Stage prod:",
    "  stack      iotda-archiver-prod in eu-central-1",
    "  platform   https://iotda.cn-north-4.myhuaweicloud.com, project 0a1b2c3d4e5f60718293a4b5c6d7e8f9, default instance",
    "  access key secret iotda-archiver/prod",
    "  store      S3 bucket of this stack, without object lock",
    "  archive id not set: takes the archive that is there, or begins one",
    "  deletion   never: what is archived stays on the platform",
    "  discover   every 10 minutes",
    "  archive    every 15 minutes in the hours 0 to 5",
    "             hourly in the hours 6 to 23, from 35 export slots used",
    "  retain     daily at 07:50",
    "  expire     daily at 02:05; removes at most 100 exports a run",
    "  inventory  daily at 07:20; reads every copy again within 90 days, 10.0 GiB a day at most",
    "  report     daily at 08:10, in English",
    "             no exports are expected by name",
    "  time zone  Europe/Berlin",
    "  retention  kept for ever, not locked",
    "  alarms     by e-mail to night.shift@factory.de",
    "  told       of every night: the alarms' topic",
    "  heartbeat  NONE",
    "  logs       kept for 90 days",
  ]);
});

test.each<[stage: string, params: readonly (readonly [string, string])[], said: string]>([
  [
    "prod",
    [],
    "kept for 30 days, then removed, governance lock; NO locks unless object lock was switched on in S3, since objectLock is false",
  ],
  ["prod", [["objectLock", "true"]], "kept for 30 days, then removed, governance lock"],
  ["obs", [], "kept for 30 days, then removed, governance lock; OBS gives NO locks"],
])("the summary of %s with %j says which locks there will be", (stage, params, said) => {
  const policy = '{"schemaVersion":1,"default":{"keepDays":30,"lock":"governance"}}';
  const checked = checkStage(filled, stage, new Map([...params, ["retentionPolicy", `'${policy}'`]]));
  expect(checked.kind === "stage" && summaryLines(stage, checked.stage, [])).toContain(
    `  retention  ${said}`,
  );
});

test("the summary says when no copy is read again", () => {
  const checked = checkStage(filled, "prod", given("verifyWithinDays", "0"));
  expect(checked.kind === "stage" && summaryLines("prod", checked.stage, [])).toContain(
    "  inventory  daily at 07:20; reads NO copy again",
  );
});

test.each<[params: Readonly<Record<string, string>>, said: string]>([
  [{ notificationSecret: "it/told" }, "  heartbeat  that of the secret it/told"],
  [
    { notificationSecret: "it/told", notifyOn: "problems" },
    "  told       of bad nights only: the alarms' topic, and the targets of the secret it/told",
  ],
  [{ language: "zh" }, "  report     daily at 08:10, in Chinese"],
  [{ expectedExports: "store:expected/a.json" }, "             expected exports by store:expected/a.json"],
  [
    { expectedExports: `'{"rules":[{"name":"a","by":"06:00"},{"name":"b","by":"06:00"}]}'` },
    "             expects exports of a, b",
  ],
])("the summary of %j says what is reported, and to whom", (params, said) => {
  const checked = checkStage(filled, "prod", new Map(Object.entries(params)));
  expect(checked.kind === "stage" && summaryLines("prod", checked.stage, [])).toContain(said);
});

test.each<[params: readonly (readonly [string, string])[], said: string]>([
  [[["deletion", "after-verify"]], "not set: takes whichever archive is there, and begins none"],
  [[["archiveId", LAB_ARCHIVE_ID]], `${LAB_ARCHIVE_ID}, and no other`],
])("the summary with %j says which archive is meant", (params, said) => {
  const checked = checkStage(filled, "prod", new Map(params));
  expect(checked.kind === "stage" && summaryLines("prod", checked.stage, [])).toContain(
    `  archive id ${said}`,
  );
});

test("the stage and parameters are found among the deployment program's words", () => {
  expect(readArguments([])).toEqual({ stage: "prod", params: new Map() });
  expect(readArguments(["--stage", "test", "--force", "--param=a=b=c", "--param", "d=e"])).toEqual({
    stage: "test",
    params: new Map([
      ["a", "b=c"],
      ["d", "e"],
    ]),
  });
  expect(readArguments(["--verbose", "-s", "kms"]).stage).toBe("kms");
  expect(readArguments(["--stage=obs"]).stage).toBe("obs");
  expect(readArguments(["-r", "eu-west-1", "--param=awsRegion=eu-central-1"]).params.get("awsRegion")).toBe(
    "eu-west-1",
  );
});

test.each<[string, number, readonly number[] | undefined]>([
  ["0/15", 59, [0, 15, 30, 45]],
  ["*", 3, [0, 1, 2, 3]],
  ["1-5/2,2", 23, [1, 2, 3, 5]],
  ["22-4", 23, undefined],
  ["", 23, undefined],
  ["a", 23, undefined],
  ["1--2", 23, undefined],
])("the cron field %j up to %i", (field, most, values) => {
  expect(cronValues(field, most)).toEqual(values);
});

test("messages on bad nights only need a secret with a heartbeat, and the check says which parameter names it", () => {
  const checked = checkStage(filled, "prod", given("notifyOn", "problems"));
  expect(checked.kind === "refused" && checked.problems).toEqual([
    expect.objectContaining({
      name: "notifyOn",
      fix: "Set notificationSecret too, or set it to every-night.",
    }),
  ]);
  const watched = new Map([
    ["notifyOn", "problems"],
    ["notificationSecret", "it/told"],
  ]);
  expect(problemsOf("prod", watched)).toEqual([]);
});
