import { describe, expect, test } from "vitest";
import { readConfiguration } from "./configuration.ts";
import { ALL, AWS, LOCAL, problemsOf, type Variables } from "./testing/variables.ts";

describe("a single value", () => {
  const refused: readonly (readonly [string, Variables, string])[] = [
    ...["…", "...", "your-secret-key", "<secret key>"].map(
      (text) =>
        [
          `a secret that is still ${text}`,
          { HUAWEICLOUD_SDK_SK: text },
          "HUAWEICLOUD_SDK_SK: its value (not shown) is the placeholder of an example",
        ] as const,
    ),
    [
      "endpoint without TLS",
      { ARCHIVER_IOTDA_ENDPOINT: "http://iotda.cn-north-4.myhuaweicloud.com" },
      "ARCHIVER_IOTDA_ENDPOINT: begins with http://",
    ],
    [
      "endpoint with a path",
      { ARCHIVER_IOTDA_ENDPOINT: "https://h.cn-north-4.myhuaweicloud.com/v5" },
      "ARCHIVER_IOTDA_ENDPOINT: ",
    ],
    [
      "endpoint with a query",
      { ARCHIVER_IOTDA_ENDPOINT: "https://h.cn-north-4.myhuaweicloud.com?x" },
      "ARCHIVER_IOTDA_ENDPOINT: ",
    ],
    [
      "endpoint of another scheme",
      { ARCHIVER_IOTDA_ENDPOINT: "ftp://h.cn-north-4.myhuaweicloud.com" },
      "ARCHIVER_IOTDA_ENDPOINT: ",
    ],
    [
      "almost loopback",
      { ARCHIVER_IOTDA_ENDPOINT: "http://127.0.0.1.example.com", ARCHIVER_IOTDA_REGION: "cn-north-4" },
      "ARCHIVER_IOTDA_ENDPOINT: begins with http://",
    ],
    ["project id with a slash", { ARCHIVER_IOTDA_PROJECT_ID: "a/../b" }, "ARCHIVER_IOTDA_PROJECT_ID: "],
    ["project id of 65", { ARCHIVER_IOTDA_PROJECT_ID: "a".repeat(65) }, "ARCHIVER_IOTDA_PROJECT_ID: "],
    ["project id with a line end", { ARCHIVER_IOTDA_PROJECT_ID: "abc\n" }, "ARCHIVER_IOTDA_PROJECT_ID: "],
    ["instance id in upper case", { ARCHIVER_IOTDA_INSTANCE_ID: "ABCD" }, "ARCHIVER_IOTDA_INSTANCE_ID: "],
    ["instance id of 37", { ARCHIVER_IOTDA_INSTANCE_ID: "a".repeat(37) }, "ARCHIVER_IOTDA_INSTANCE_ID: "],
    [
      "fast pace",
      { ARCHIVER_DOWNLOAD_INTERVAL_MS: "29999" },
      "ARCHIVER_DOWNLOAD_INTERVAL_MS: 29999 is below 30000",
    ],
    ["no pace", { ARCHIVER_DOWNLOAD_INTERVAL_MS: "0" }, "ARCHIVER_DOWNLOAD_INTERVAL_MS: "],
    [
      "unit in a number",
      { ARCHIVER_VISIBILITY_MS: "120s" },
      'ARCHIVER_VISIBILITY_MS: "120s" is not a whole number from 1000 to 43200000',
    ],
    ["negative number", { ARCHIVER_MAX_ATTEMPTS: "-1" }, "ARCHIVER_MAX_ATTEMPTS: "],
    ["exponent", { ARCHIVER_MAX_ATTEMPTS: "1e2" }, "ARCHIVER_MAX_ATTEMPTS: "],
    ["one part in flight", { ARCHIVER_PARTS_IN_FLIGHT: "1" }, "ARCHIVER_PARTS_IN_FLIGHT: "],
    ["small parts", { ARCHIVER_PART_SIZE_BYTES: "5242879" }, "ARCHIVER_PART_SIZE_BYTES: "],
    [
      "a pool of 32 GiB",
      { ARCHIVER_PART_SIZE_BYTES: "536870912", ARCHIVER_PARTS_IN_FLIGHT: "64" },
      "ARCHIVER_PART_SIZE_BYTES: times",
    ],
    ["stored for a folder", { ARCHIVER_VERIFY: "stored" }, "ARCHIVER_VERIFY: is stored, but a file:// store"],
    [
      "an archive class where copies are read back",
      { ARCHIVER_STORE: "s3://bucket", ARCHIVER_STORE_PROFILE: "obs", ARCHIVER_STORE_STORAGE_CLASS: "COLD" },
      "ARCHIVER_STORE_STORAGE_CLASS: is COLD, but copies are proved by reading them back",
    ],
    [
      "an archive class on AWS where reading back is asked for",
      {
        ARCHIVER_STORE: "s3://bucket",
        ARCHIVER_STORE_STORAGE_CLASS: "GLACIER",
        ARCHIVER_VERIFY: "read-back",
      },
      "ARCHIVER_STORE_STORAGE_CLASS: is GLACIER, but",
    ],
    ["encryption for a folder", { ARCHIVER_STORE_SSE: "AES256" }, "ARCHIVER_STORE_SSE: has no effect"],
    [
      "dead-letter queue for sqlite",
      { ARCHIVER_DEAD_LETTER_QUEUE: AWS.ARCHIVER_DEAD_LETTER_QUEUE },
      "ARCHIVER_DEAD_LETTER_QUEUE: is set, but",
    ],
    [
      "dead-letter queue for a queue in the store",
      { ARCHIVER_QUEUE: "store:", ARCHIVER_DEAD_LETTER_QUEUE: AWS.ARCHIVER_DEAD_LETTER_QUEUE },
      "ARCHIVER_DEAD_LETTER_QUEUE: is set, but the queue in the store",
    ],
    [
      "SQS without dead-letter queue",
      { ARCHIVER_QUEUE: AWS.ARCHIVER_QUEUE },
      "ARCHIVER_DEAD_LETTER_QUEUE: is not set",
    ],
    [
      "one SQS queue for both",
      { ARCHIVER_QUEUE: AWS.ARCHIVER_QUEUE, ARCHIVER_DEAD_LETTER_QUEUE: AWS.ARCHIVER_QUEUE },
      "ARCHIVER_DEAD_LETTER_QUEUE: is the same",
    ],
    ["FIFO queue", { ...AWS, ARCHIVER_QUEUE: `${AWS.ARCHIVER_QUEUE}.fifo` }, "ARCHIVER_QUEUE: "],
    [
      "word not in the list",
      { ARCHIVER_DELETE: "yes" },
      'ARCHIVER_DELETE: "yes" is not one of after-verify, never',
    ],
    [
      "minimum above the limit",
      { ARCHIVER_MIN_TASK_MS: "600001" },
      "ARCHIVER_MIN_TASK_MS: 600001 is more than",
    ],
    [
      "keys from two sources",
      { ARCHIVER_CREDENTIALS_SECRET: "iotda" },
      "ARCHIVER_CREDENTIALS_SECRET: is set together with HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK",
    ],
    ["AK alone", { HUAWEICLOUD_SDK_SK: "" }, "HUAWEICLOUD_SDK_SK: is not set, but HUAWEICLOUD_SDK_AK is"],
    [
      "SK alone",
      { HUAWEICLOUD_SDK_AK: undefined },
      "HUAWEICLOUD_SDK_AK: is not set, but HUAWEICLOUD_SDK_SK is",
    ],
    [
      "proxy without a scheme",
      { HTTPS_PROXY: "proxy:3128" },
      "HTTPS_PROXY: its value (not shown) is not an https:// or http:// URL",
    ],
    [
      "a time zone of nowhere",
      { ARCHIVER_TIME_ZONE: "Mars/Olympus" },
      'ARCHIVER_TIME_ZONE: "Mars/Olympus" is',
    ],
    ["an offset for a time zone", { ARCHIVER_TIME_ZONE: "+08:00" }, "ARCHIVER_TIME_ZONE: "],
    ["another language", { ARCHIVER_LANGUAGE: "de" }, 'ARCHIVER_LANGUAGE: "de" is not one of en, zh'],
    ["expected exports without a place", { ARCHIVER_EXPECT: "expected.json" }, "ARCHIVER_EXPECT: "],
    [
      "a link without TLS",
      { ARCHIVER_REPORT_URL: "http://reports.example/" },
      'ARCHIVER_REPORT_URL: "http://reports.example/" begins with http://',
    ],
    ["a link with a query", { ARCHIVER_REPORT_URL: "https://h.example/?a=1" }, "ARCHIVER_REPORT_URL: "],
    ["a link with a user", { ARCHIVER_REPORT_URL: "https://u:p@h.example/" }, "ARCHIVER_REPORT_URL: "],
    [
      "derived signing, unknown region",
      { ARCHIVER_IOTDA_ENDPOINT: "https://iotda.example.eu" },
      "ARCHIVER_IOTDA_REGION: is not set",
    ],
    [
      "derived signing on loopback, no region",
      { ARCHIVER_IOTDA_ENDPOINT: "http://localhost:1", ARCHIVER_IOTDA_SIGNING: "derived" },
      "ARCHIVER_IOTDA_REGION: is not set",
    ],
  ];
  test.each(refused)("is refused: %s", (_what, extra, problem) => {
    const found = problemsOf({ ...LOCAL, ...extra });
    expect(found).toEqual([expect.stringContaining(problem)]);
  });

  const accepted: readonly (readonly [string, Variables, object])[] = [
    [
      "http and a fast pace on loopback",
      { ARCHIVER_IOTDA_ENDPOINT: "http://127.0.0.1:8080", ARCHIVER_DOWNLOAD_INTERVAL_MS: "200" },
      { archive: { downloadIntervalMs: 200 }, platform: { regionId: undefined, guessedRegion: undefined } },
    ],
    ["IPv6 loopback", { ARCHIVER_IOTDA_ENDPOINT: "http://[::1]:8080" }, { platform: { signing: "auto" } }],
    [
      "region from an instance's host",
      { ARCHIVER_IOTDA_ENDPOINT: "https://abc.st1.iotda-app.ap-southeast-1.myhuaweicloud.com" },
      { platform: { regionId: "ap-southeast-1", guessedRegion: "ap-southeast-1" } },
    ],
    [
      "region as set",
      { ARCHIVER_IOTDA_ENDPOINT: "https://iotda.example.eu", ARCHIVER_IOTDA_REGION: "eu-west-101" },
      { platform: { regionId: "eu-west-101", guessedRegion: undefined } },
    ],
    [
      "standard signing without a region",
      { ARCHIVER_IOTDA_ENDPOINT: "https://iotda.example.eu", ARCHIVER_IOTDA_SIGNING: "standard" },
      { platform: { regionId: undefined } },
    ],
    [
      "keys from a secret",
      { HUAWEICLOUD_SDK_AK: "", HUAWEICLOUD_SDK_SK: "", ARCHIVER_CREDENTIALS_SECRET: "iotda/keys" },
      { platform: { credentials: { kind: "secret", secretId: "iotda/keys" } } },
    ],
    ["no settings of reports", {}, { report: { timeZone: "UTC", language: "en", expect: undefined } }],
    [
      "settings of reports",
      {
        ARCHIVER_TIME_ZONE: "Asia/Shanghai",
        ARCHIVER_LANGUAGE: "zh",
        ARCHIVER_EXPECT: "store:expected/nightly.json",
        ARCHIVER_REPORT_URL: "https://files.example.org/iotda/",
      },
      {
        report: {
          timeZone: "Asia/Shanghai",
          language: "zh",
          expect: { kind: "store", key: "expected/nightly.json" },
          url: "https://files.example.org/iotda",
        },
      },
    ],
    ["log level in lower case", { ARCHIVER_LOG_LEVEL: "debug" }, { logLevel: "DEBUG" }],
    ["lower-case no_proxy before NO_PROXY", { no_proxy: "a", NO_PROXY: "b" }, { proxy: { noProxy: "a" } }],
    [
      "a folder with escapes",
      { ARCHIVER_STORE: "file:///srv/my%20files/100%25/" },
      { store: { folder: "/srv/my files/100%" } },
    ],
    [
      "an archive class on AWS, which keeps a digest",
      { ARCHIVER_STORE: "s3://bucket", ARCHIVER_STORE_STORAGE_CLASS: "GLACIER" },
      { store: { storageClass: "GLACIER" } },
    ],
    [
      "a bucket without prefix",
      { ARCHIVER_STORE: "s3://bucket" },
      { store: { bucket: "bucket", prefix: "" } },
    ],
  ];
  test.each(accepted)("is accepted: %s", (_what, extra, expected) => {
    expect(readConfiguration({ ...LOCAL, ...extra }, ALL)).toMatchObject(expected);
  });

  test.each([
    "file://srv/archive",
    "file:archive",
    "file:///",
    "file:///a%2Fb",
    "file:///a%zz",
    "file:///a?b",
    "file:///a%00b",
    "s3://",
    "s3://UPPER/x",
    "s3://bucket//x",
    "s3://bucket/a/../b",
    "s3:///x",
    "/srv/archive",
    "https://bucket",
  ])("is refused as a store: %s", (location) => {
    expect(problemsOf({ ...LOCAL, ARCHIVER_STORE: location })).toEqual([
      expect.stringMatching(/^ARCHIVER_STORE: "/),
    ]);
  });

  test.each([
    "sqlite://queue.db",
    "sqlite:queue.db",
    "sqlite:///",
    "sqlite:///srv/",
    `sqlite:///srv/${"é".repeat(124)}`,
    "https://sqs.example.com",
    "store:queue",
    "store://bucket",
    "queue",
  ])("is refused as a queue: %s", (location) => {
    expect(problemsOf({ ...LOCAL, ARCHIVER_QUEUE: location })).toEqual([
      expect.stringMatching(/^ARCHIVER_QUEUE: "/),
    ]);
  });
});
