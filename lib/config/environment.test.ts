import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ConfigurationPart } from "./configuration.ts";
import { readConfiguration } from "./environment.ts";
import { ConfigurationError } from "./errors.ts";
import { knownSecrets } from "./known-secrets.ts";
import { SETTINGS } from "./settings.ts";

const ALL: ReadonlySet<ConfigurationPart> = new Set<ConfigurationPart>(["platform", "store", "queue"]);

const LOCAL = {
  ARCHIVER_IOTDA_ENDPOINT: "https://iotda.cn-north-4.myhuaweicloud.com",
  ARCHIVER_IOTDA_PROJECT_ID: "0123456789abcdef0123456789abcdef",
  HUAWEICLOUD_SDK_AK: "PLANTEDAK",
  HUAWEICLOUD_SDK_SK: "PLANTEDSK",
  ARCHIVER_STORE: "file:///srv/archive",
  ARCHIVER_QUEUE: "sqlite:///srv/queue.db",
};

const AWS = {
  ...LOCAL,
  ARCHIVER_STORE: "s3://exports-bucket/iotda/prod/",
  ARCHIVER_QUEUE: "https://sqs.eu-west-1.amazonaws.com/123456789012/exports",
  ARCHIVER_DEAD_LETTER_QUEUE: "https://sqs.eu-west-1.amazonaws.com/123456789012/dead",
};

type Variables = Record<string, string | undefined>;

function refusal(env: Variables, need: ReadonlySet<ConfigurationPart> = ALL): ConfigurationError {
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
function problemsOf(env: Variables, need?: ReadonlySet<ConfigurationPart>): string[] {
  return refusal(env, need).problems.map(({ name, problem }) => `${name}: ${problem}`);
}

describe("a local configuration", () => {
  const configuration = readConfiguration(LOCAL, ALL);

  test("has the documented defaults", () => {
    expect(configuration.archive).toEqual({
      delete: "after-verify",
      verify: "auto",
      accept: "zip",
      downloadIntervalMs: 31_000,
      maxAttempts: 5,
      giveUpAfterMs: 172_800_000,
      maxReceives: 20,
      absenceConfirmMs: 60_000,
      taskTimeoutMs: 600_000,
      minTaskMs: 60_000,
      partSizeBytes: 5_242_880,
      partsInFlight: 3,
      pressure: 35,
    });
    expect(configuration.logLevel).toBe("INFO");
    expect(configuration.proxy).toEqual({ httpProxy: undefined, httpsProxy: undefined, noProxy: undefined });
  });

  test("knows platform, folder and file", () => {
    const { credentials, ...platform } = configuration.platform;
    expect(platform).toEqual({
      endpoint: new URL("https://iotda.cn-north-4.myhuaweicloud.com"),
      region: "cn-north-4",
      regionSource: "host",
      projectId: "0123456789abcdef0123456789abcdef",
      instanceId: undefined,
      signing: "auto",
    });
    expect(credentials.kind === "static" && [credentials.ak.reveal(), credentials.sk.reveal()]).toEqual([
      "PLANTEDAK",
      "PLANTEDSK",
    ]);
    expect(configuration.store).toEqual({ kind: "file", folder: "/srv/archive" });
    expect(configuration.queue).toEqual({ kind: "sqlite", file: "/srv/queue.db", visibilityMs: 120_000 });
  });

  test("shows no secret when printed, and tells the redaction which there are", () => {
    const withProxy = readConfiguration({ ...LOCAL, https_proxy: "http://user:PLANTEDPW@proxy:3128" }, ALL);
    for (const shown of [JSON.stringify(withProxy), inspect(withProxy, { depth: 9, showHidden: true })]) {
      expect(shown).not.toContain("PLANTED");
    }
    expect(knownSecrets(withProxy).map((secret) => secret.reveal())).toEqual([
      "PLANTEDAK",
      "PLANTEDSK",
      "http://user:PLANTEDPW@proxy:3128/",
    ]);
  });
});

describe("an AWS configuration", () => {
  test("is parsed fully", () => {
    const { store, queue } = readConfiguration(
      { ...AWS, AWS_REGION: "eu-west-1", ARCHIVER_STORE_SSE: "aws:kms", ARCHIVER_STORE_PATH_STYLE: "true" },
      ALL,
    );
    expect(store).toEqual({
      kind: "s3",
      bucket: "exports-bucket",
      prefix: "iotda/prod",
      profile: "aws",
      credentials: { kind: "aws" },
      pathStyle: true,
      sse: "aws:kms",
      kmsKeyId: undefined,
      storageClass: undefined,
      endpoint: undefined,
      region: "eu-west-1",
    });
    expect(queue).toEqual({
      kind: "sqs",
      queueUrl: new URL(AWS.ARCHIVER_QUEUE),
      deadLetterQueueUrl: new URL(AWS.ARCHIVER_DEAD_LETTER_QUEUE),
      visibilityMs: 120_000,
      endpoint: undefined,
      region: "eu-west-1",
    });
  });

  test.each([
    [{}, "aws"],
    [{ AWS_ENDPOINT_URL_S3: "https://s3.eu-west-1.amazonaws.com" }, "aws"],
    [{ AWS_ENDPOINT_URL_S3: "https://obs.cn-north-4.myhuaweicloud.com" }, "obs"],
    [{ AWS_ENDPOINT_URL: "https://obs.cn-north-4.myhuaweicloud.com" }, "obs"],
    [{ AWS_ENDPOINT_URL_S3: "http://127.0.0.1:9000" }, "generic"],
    [{ AWS_ENDPOINT_URL_S3: "https://notamazonaws.com" }, "generic"],
    [{ ARCHIVER_STORE_PROFILE: "generic" }, "generic"],
  ])("with %o has the profile %s", (extra, profile) => {
    expect(readConfiguration({ ...AWS, ...extra }, ALL).store).toMatchObject({ profile });
  });

  test("may use the Huawei keys for the store, then needs them without the platform too", () => {
    const env = { ...AWS, ARCHIVER_STORE_CREDENTIALS: "huawei" };
    const { store } = readConfiguration(env, new Set(["store"] as const));
    expect(store).toMatchObject({ credentials: { kind: "huawei", keys: { kind: "static" } } });
    const without = { ...env, HUAWEICLOUD_SDK_AK: "", HUAWEICLOUD_SDK_SK: undefined };
    expect(problemsOf(without)).toEqual([
      "HUAWEICLOUD_SDK_AK: is not set, and neither is another source of access keys",
    ]);
  });
});

describe("what a command needs", () => {
  test("must be set; an empty variable is not", () => {
    expect(problemsOf({ ARCHIVER_STORE: "" })).toEqual([
      "ARCHIVER_IOTDA_ENDPOINT: is not set",
      "ARCHIVER_IOTDA_PROJECT_ID: is not set",
      "HUAWEICLOUD_SDK_AK: is not set, and neither is another source of access keys",
      "ARCHIVER_STORE: is not set",
      "ARCHIVER_QUEUE: is not set",
    ]);
  });

  test("is all that must be set, and all that is handed out", () => {
    const configuration = readConfiguration(
      { ARCHIVER_STORE: "file:///srv/archive" },
      new Set(["store"] as const),
    );
    expect(Object.keys(configuration).sort()).toEqual(["archive", "logLevel", "proxy", "store"]);
    expect(() => readConfiguration({}, new Set<ConfigurationPart>())).not.toThrow();
  });

  test("does not excuse a malformed value elsewhere", () => {
    expect(problemsOf({ ARCHIVER_QUEUE: "rabbit" }, new Set())).toHaveLength(1);
  });
});

describe("a single value", () => {
  const refused: readonly (readonly [string, Variables, string])[] = [
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
    ["encryption for a folder", { ARCHIVER_STORE_SSE: "AES256" }, "ARCHIVER_STORE_SSE: has no effect"],
    [
      "dead-letter queue for sqlite",
      { ARCHIVER_DEAD_LETTER_QUEUE: AWS.ARCHIVER_DEAD_LETTER_QUEUE },
      "ARCHIVER_DEAD_LETTER_QUEUE: is set, but",
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
      'ARCHIVER_DELETE: "yes" is none of after-verify, never',
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
      { archive: { downloadIntervalMs: 200 }, platform: { region: undefined, regionSource: undefined } },
    ],
    ["IPv6 loopback", { ARCHIVER_IOTDA_ENDPOINT: "http://[::1]:8080" }, { platform: { signing: "auto" } }],
    [
      "region from an instance's host",
      { ARCHIVER_IOTDA_ENDPOINT: "https://abc.st1.iotda-app.ap-southeast-1.myhuaweicloud.com" },
      { platform: { region: "ap-southeast-1", regionSource: "host" } },
    ],
    [
      "region as set",
      { ARCHIVER_IOTDA_ENDPOINT: "https://iotda.example.eu", ARCHIVER_IOTDA_REGION: "eu-west-101" },
      { platform: { region: "eu-west-101", regionSource: "setting" } },
    ],
    [
      "standard signing without a region",
      { ARCHIVER_IOTDA_ENDPOINT: "https://iotda.example.eu", ARCHIVER_IOTDA_SIGNING: "standard" },
      { platform: { region: undefined } },
    ],
    [
      "keys from a secret",
      { HUAWEICLOUD_SDK_AK: "", HUAWEICLOUD_SDK_SK: "", ARCHIVER_CREDENTIALS_SECRET: "iotda/keys" },
      { platform: { credentials: { kind: "secret", secretId: "iotda/keys" } } },
    ],
    ["log level in lower case", { ARCHIVER_LOG_LEVEL: "debug" }, { logLevel: "DEBUG" }],
    ["lower-case no_proxy before NO_PROXY", { no_proxy: "a", NO_PROXY: "b" }, { proxy: { noProxy: "a" } }],
    [
      "a folder with escapes",
      { ARCHIVER_STORE: "file:///srv/my%20files/100%25/" },
      { store: { folder: "/srv/my files/100%" } },
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
    "https://sqs.example.com",
    "queue",
  ])("is refused as a queue: %s", (location) => {
    expect(problemsOf({ ...LOCAL, ARCHIVER_QUEUE: location })).toEqual([
      expect.stringMatching(/^ARCHIVER_QUEUE: "/),
    ]);
  });
});

describe("the message", () => {
  test("lists every problem, one for each line, with what to do", () => {
    const error = refusal({
      ...LOCAL,
      ARCHIVER_STORE: undefined,
      ARCHIVER_QEUE: "x",
      ARCHIVER_ACCEPT: "all",
    });
    expect(error.message).toBe(
      [
        "The configuration has 3 problems:",
        "  ARCHIVER_QEUE: is no setting of this program. Did you mean ARCHIVER_QUEUE?",
        '  ARCHIVER_ACCEPT: "all" is none of zip, any. Set it to zip or any.',
        "  ARCHIVER_STORE: is not set. Set it to s3://bucket/prefix or file:///absolute/folder.",
      ].join("\n"),
    );
    expect(error).toMatchObject({ code: "configuration", scope: "system", retry: "never" });
  });

  test("suggests nothing for a name far from all", () => {
    expect(refusal({ ...LOCAL, ARCHIVER_WHATEVER_ELSE: "x" }).problems[0]?.fix).toBe("Remove it.");
  });

  test("never shows a secret, wherever it was put, and always fits on one line for each problem", () => {
    const names = [...SETTINGS.map(({ name }) => name), "ARCHIVER_UNKNOWN"];
    const secret = fc.stringMatching(/^Z9[A-Za-z0-9+/=.$ \n]{6,100}q7$/);
    fc.assert(
      fc.property(secret, fc.constantFrom(...names), (value, wrongPlace) => {
        const error = refusal({
          ...LOCAL,
          HUAWEICLOUD_SDK_SK: value,
          ARCHIVER_DELETE: "?",
          [wrongPlace]: `x${value}`,
        });
        const shown = inspect(error) + JSON.stringify(error);
        expect(shown).not.toContain(value);
        expect(shown).not.toContain(value.slice(0, 9));
        expect(error.message.split("\n")).toHaveLength(error.problems.length + 1);
      }),
      { numRuns: 300 },
    );
  });
});

test("the table for the documentation has every row once, with a default and a meaning", () => {
  const names = SETTINGS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const setting of SETTINGS) {
    expect(setting.meaning).not.toBe("");
    expect(setting.default).not.toBe("");
  }
  expect(SETTINGS).toContainEqual(
    expect.objectContaining({ name: "ARCHIVER_VISIBILITY_MS", default: "120000" }),
  );
});
