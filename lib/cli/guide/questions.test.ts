import { expect, test } from "vitest";
import { askSettings, problemsOf, type Settings } from "./questions.ts";
import { ScriptedTalk } from "./testing/scripted-talk.ts";

const PROPOSALS = {
  folder: "/srv/iotda-archive",
  queueFile: "/var/lib/iotda-archiver/queue.db",
  home: "/home/ann",
  timeZone: "Asia/Shanghai",
};
const AK = "PLANTEDAK0000000000A";
const SK = "plantedSecretKey0123456789abcdefghijklmn";
const PROJECT = "0123456789abcdef0123456789abcdef";
const HOST = "iotda.cn-north-4.myhuaweicloud.com";
const PLATFORM = ["https://iotda.cn-north-4.myhuaweicloud.com", PROJECT, AK, SK];
const PLATFORM_SETTINGS = {
  ARCHIVER_IOTDA_ENDPOINT: `https://${HOST}`,
  ARCHIVER_IOTDA_PROJECT_ID: PROJECT,
  HUAWEICLOUD_SDK_AK: AK,
  HUAWEICLOUD_SDK_SK: SK,
};

async function answered(answers: readonly string[], before: Settings = {}) {
  const talk = new ScriptedTalk(answers);
  const settings = await askSettings(talk, before, PROPOSALS);
  expect(talk.left, "every answer was asked for").toEqual([]);
  return { settings, talk };
}

test.each<[string, readonly string[], Settings]>([
  [
    "a folder and a queue file, as proposed",
    [...PLATFORM, "", "", "", "", ""],
    {
      ...PLATFORM_SETTINGS,
      ARCHIVER_STORE: "file:///srv/iotda-archive",
      ARCHIVER_QUEUE: "sqlite:///var/lib/iotda-archiver/queue.db",
      ARCHIVER_DELETE: "never",
      ARCHIVER_TIME_ZONE: "Asia/Shanghai",
    },
  ],
  [
    "paths with spaces, and one below the home folder",
    [HOST, PROJECT, AK, SK, "folder", "~/my archive", "/data/my queue.db", "yes", "UTC"],
    {
      ...PLATFORM_SETTINGS,
      ARCHIVER_STORE: "file:///home/ann/my%20archive",
      ARCHIVER_QUEUE: "sqlite:///data/my%20queue.db",
      ARCHIVER_DELETE: "after-verify",
      ARCHIVER_TIME_ZONE: "UTC",
    },
  ],
  [
    "AWS by the machine's role, and SQS",
    [
      ...PLATFORM,
      "s3",
      "exports/iotda",
      "",
      "eu-west-1",
      "",
      "https://sqs.eu-west-1.amazonaws.com/123456789012/exports",
      "https://sqs.eu-west-1.amazonaws.com/123456789012/dead",
      "",
      "",
    ],
    {
      ...PLATFORM_SETTINGS,
      ARCHIVER_STORE: "s3://exports/iotda",
      AWS_REGION: "eu-west-1",
      ARCHIVER_QUEUE: "https://sqs.eu-west-1.amazonaws.com/123456789012/exports",
      ARCHIVER_DEAD_LETTER_QUEUE: "https://sqs.eu-west-1.amazonaws.com/123456789012/dead",
      ARCHIVER_DELETE: "never",
      ARCHIVER_TIME_ZONE: "Asia/Shanghai",
    },
  ],
  [
    "another S3, its keys, and a queue in the store",
    [
      ...PLATFORM,
      "s3",
      "s3://exports",
      "https://minio.example:9000",
      "",
      "us-east-1",
      "KEY",
      "SECRET",
      "store:",
      "",
      "",
    ],
    {
      ...PLATFORM_SETTINGS,
      ARCHIVER_STORE: "s3://exports",
      AWS_ENDPOINT_URL_S3: "https://minio.example:9000",
      ARCHIVER_STORE_PATH_STYLE: "true",
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "KEY",
      AWS_SECRET_ACCESS_KEY: "SECRET",
      ARCHIVER_QUEUE: "store:",
      ARCHIVER_DELETE: "never",
      ARCHIVER_TIME_ZONE: "Asia/Shanghai",
    },
  ],
  [
    "OBS in the platform's region, with the platform's key",
    [...PLATFORM, "obs", "exports/iotda", "", "", "", ""],
    {
      ...PLATFORM_SETTINGS,
      ARCHIVER_STORE: "s3://exports/iotda",
      AWS_REGION: "cn-north-4",
      AWS_ENDPOINT_URL_S3: "https://obs.cn-north-4.myhuaweicloud.com",
      ARCHIVER_STORE_PROFILE: "obs",
      ARCHIVER_STORE_CREDENTIALS: "huawei",
      ARCHIVER_QUEUE: "sqlite:///var/lib/iotda-archiver/queue.db",
      ARCHIVER_DELETE: "never",
      ARCHIVER_TIME_ZONE: "Asia/Shanghai",
    },
  ],
])("%s", async (_title, answers, expected) => {
  const { settings } = await answered(answers);
  expect(settings).toEqual(expected);
  expect(problemsOf(settings)).toEqual([]);
});

test("the region is asked for where the address does not name it", async () => {
  const { settings } = await answered([
    "iotda.example.com",
    "cn-north-4",
    PROJECT,
    AK,
    SK,
    "",
    "",
    "",
    "",
    "",
  ]);
  expect(settings).toMatchObject({
    ARCHIVER_IOTDA_ENDPOINT: "https://iotda.example.com",
    ARCHIVER_IOTDA_REGION: "cn-north-4",
  });
});

test.each<[string, number, string]>([
  ["http://iotda.example.com", 0, "begins with http://, which is for loopback only"],
  ["nonsense", 0, "is not an https:// or http:// URL"],
  ["", 0, "An answer is needed."],
  ["bad id", 1, "is not a project id (1 to 64 letters, digits, _ and -)"],
  ["", 3, "An answer is needed; it is not shown."],
  ["tape", 4, "Answer folder, s3 or obs."],
  ["s3://bucket", 5, "is not absolute"],
  ["store:x", 6, "has something after store:"],
  ["perhaps", 7, "Answer yes or no."],
  ["Middle/Earth", 8, "Set it to"],
])("%j is refused at once at question %i, and asked for again", async (bad, position, said) => {
  const good = [...PLATFORM, "", "", "", "", ""];
  const { settings, talk } = await answered(good.toSpliced(position, 0, bad));
  expect(problemsOf(settings)).toEqual([]);
  expect(talk.said.filter((line) => line.startsWith("  "))).toEqual([expect.stringContaining(said)]);
});

test("what is set already is proposed, keys unseen; what is not asked about stays", async () => {
  const before = {
    ...PLATFORM_SETTINGS,
    ARCHIVER_STORE: "file:///mnt/exports",
    ARCHIVER_QUEUE: "store:",
    ARCHIVER_DELETE: "after-verify",
    ARCHIVER_TIME_ZONE: "Europe/Rome",
    ARCHIVER_NOTIFY: "mailto:ann@example.com",
    ARCHIVER_SMTP: "smtp://mail.example:587",
  };
  const { settings, talk } = await answered(
    Array.from({ length: 9 }, () => ""),
    before,
  );
  expect(settings).toEqual(before);
  expect(talk.asked.filter(({ isSecret }) => isSecret).map(({ text }) => text)).toEqual([
    "Access key id",
    "Secret key",
  ]);
  expect(JSON.stringify(talk.said)).not.toContain(SK);
});

test("settings of a place that was left do not stay", async () => {
  const before = {
    ...PLATFORM_SETTINGS,
    ARCHIVER_STORE: "s3://exports",
    AWS_ENDPOINT_URL_S3: "https://minio.example",
    AWS_ACCESS_KEY_ID: "KEY",
    ARCHIVER_QUEUE: "store:",
  };
  const { settings } = await answered(["", "", "", "", "folder", "/srv/x", "", "", ""], before);
  expect(Object.keys(settings).filter((name) => name.startsWith("AWS_"))).toEqual([]);
});
