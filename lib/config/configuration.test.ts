import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ConfigurationPart } from "./configuration.ts";
import { readConfiguration } from "./configuration.ts";
import { SETTINGS } from "./names.ts";
import { ALL, AWS, LOCAL, problemsOf, refusal } from "./testing/variables.ts";

describe("a local configuration", () => {
  const configuration = readConfiguration(LOCAL, ALL);

  test("has the documented defaults", () => {
    expect(configuration.archive).toEqual({
      deletion: "after-verify",
      verify: "auto",
      accept: "zip",
      downloadIntervalMs: 31_000,
      maxAttempts: 5,
      giveUpAfterMs: 172_800_000,
      maxReceives: 20,
      absenceConfirmMs: 60_000,
      taskTimeoutMs: 600_000,
      minTaskMs: 60_000,
      pressure: 35,
      exportPlaces: 50,
      requestAttempts: 3,
      membersLimitBytes: 5_242_880,
    });
    expect(configuration.logLevel).toBe("INFO");
    expect(configuration.proxy).toEqual({ httpProxy: undefined, httpsProxy: undefined, noProxy: undefined });
  });

  test("knows platform, folder and file", () => {
    const { credentials, ...platform } = configuration.platform;
    expect(platform).toEqual({
      endpoint: new URL("https://iotda.cn-north-4.myhuaweicloud.com"),
      regionId: "cn-north-4",
      guessedRegion: "cn-north-4",
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

  test("takes a queue in the store, which needs the store whatever the command works with", () => {
    const inStore = { ...LOCAL, ARCHIVER_QUEUE: "store:" };
    const { queue, identity } = readConfiguration(inStore, ALL);
    expect(queue).toEqual({ kind: "store", visibilityMs: 120_000 });
    expect(identity.queueFile).toBeUndefined();
    expect(problemsOf({ ...inStore, ARCHIVER_STORE: undefined }, new Set(["queue"]))).toEqual([
      "ARCHIVER_STORE: is not set, but ARCHIVER_QUEUE is store:",
    ]);
  });

  test("shows no secret when printed, and tells the redaction which there are", () => {
    const withProxy = readConfiguration({ ...LOCAL, https_proxy: "http://user:PLANTEDPW@proxy:3128" }, ALL);
    for (const shown of [JSON.stringify(withProxy), inspect(withProxy, { depth: 9, showHidden: true })]) {
      expect(shown).not.toContain("PLANTED");
    }
    expect(withProxy.secrets.map((secret) => secret.reveal())).toEqual([
      "PLANTEDAK",
      "PLANTEDSK",
      "http://user:PLANTEDPW@proxy:3128",
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
      partSizeBytes: 5_242_880,
      partsInFlight: 3,
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

  test.each(["obs.cn-north-4.myhuaweicloud.com", "obs.eu-west-101.myhuaweicloud.eu"])(
    "refuses path-style addresses at %s, and a bucket there, with what to do, in one message",
    (domain) => {
      const byPath = { ...AWS, ARCHIVER_STORE_PATH_STYLE: "true" };
      const path = `ARCHIVER_STORE_PATH_STYLE: is true, but ${domain} takes no path-style addresses`;
      const bucket = "AWS_ENDPOINT_URL_S3: names a bucket, which the archiver puts there itself";
      const one = { ...byPath, AWS_ENDPOINT_URL_S3: `https://${domain}` };
      expect(problemsOf(one)).toEqual([path]);
      expect(refusal(one).message).toContain("Remove it: the bucket then stands before the host's name.");
      const both = { ...byPath, AWS_ENDPOINT_URL_S3: `https://exports-bucket.${domain}` };
      expect(problemsOf(both)).toEqual([path, bucket]);
      expect(refusal(both).message).toContain(`Write https://${domain}, and the bucket into ARCHIVER_STORE.`);
    },
  );

  test("takes path-style addresses at other stores, and OBS without them", () => {
    const path = { ARCHIVER_STORE_PATH_STYLE: "true", AWS_ENDPOINT_URL_S3: "https://obs.example.com" };
    expect(readConfiguration({ ...AWS, ...path }, ALL).store).toMatchObject({ pathStyle: true });
    const obs = { AWS_ENDPOINT_URL_S3: "https://obs.cn-north-4.myhuaweicloud.com" };
    expect(readConfiguration({ ...AWS, ...obs }, ALL).store).toMatchObject({ pathStyle: false });
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
    const parts = [
      "archive",
      "identity",
      "logLevel",
      "notification",
      "proxy",
      "report",
      "secrets",
      "store",
      "verification",
    ];
    expect(Object.keys(configuration).sort()).toEqual(parts);
    expect(() => readConfiguration({}, new Set<ConfigurationPart>())).not.toThrow();
  });

  test("does not excuse a malformed value elsewhere", () => {
    expect(problemsOf({ ARCHIVER_QUEUE: "rabbit" }, new Set())).toHaveLength(1);
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
        "  ARCHIVER_QEUE: is not a setting of this program. Did you mean ARCHIVER_QUEUE?",
        '  ARCHIVER_ACCEPT: "all" is not one of zip, any. Set it to zip or any.',
        "  ARCHIVER_STORE: is not set. Set it to s3://bucket/prefix or file:///absolute/folder.",
      ].join("\n"),
    );
    expect(error).toMatchObject({ code: "configuration", scope: "system", retry: "never" });
  });

  test.each(["archiver_accept", "ARCHIVE_ACCEPT", "ARCHIVER-ACCEPT"])("knows %s for a slip", (name) => {
    expect(refusal({ ...LOCAL, [name]: "any" }).problems).toMatchObject([
      { name, fix: "Did you mean ARCHIVER_ACCEPT?" },
    ]);
  });

  test("leaves other programs' names alone, and proxies in lower case", () => {
    const others = { ARCHIVE_FOLDER: "/x", archive: "y", https_proxy: "http://127.0.0.1:3128" };
    expect(() => readConfiguration({ ...LOCAL, ...others }, new Set<ConfigurationPart>())).not.toThrow();
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
