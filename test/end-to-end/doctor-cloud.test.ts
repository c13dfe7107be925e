import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { S3SettingsInput } from "../../sandbox/s3/start.ts";
import { type CloudLab, openCloudLab } from "./cloud-lab.ts";
import { type Examined, examineFile } from "./doctor-lab.ts";
import { callFresh } from "./function-host.ts";
import { finishedExports } from "./lab.ts";

const FOREVER_SECONDS = 14 * 86_400;
const WITHIN_LIMIT = { timeout: 300_000 };

/** One deployment for all tests: each fault is taken back. */
let lab: CloudLab;
let folder: string;
const ended: (() => unknown)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "archiver-doctor-cloud-"));
  ended.push(() => rm(folder, { recursive: true, force: true }));
  lab = await openCloudLab(
    { onTestFinished: (end) => void ended.push(end as () => unknown) },
    { intervalMs: 100, s3: { profile: "aws" }, storeProfile: "aws", longestPollSeconds: 1 },
  );
  await keepLetters(FOREVER_SECONDS);
  await lab.control.addTasks(finishedExports(1));
  for (const command of ["run", "inventory"]) {
    const { exitCode, stderr } = await lab.archiver(command);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  }
}, WITHIN_LIMIT.timeout);
afterAll(async () => {
  for (const end of ended.reverse()) {
    await end();
  }
});

async function keepLetters(seconds: number): Promise<void> {
  const credentials = {
    accessKeyId: lab.awsKeys.AWS_ACCESS_KEY_ID,
    secretAccessKey: lab.awsKeys.AWS_SECRET_ACCESS_KEY,
  };
  const client = new SQSClient({ endpoint: lab.queue.endpoint, region: "eu-central-1", credentials });
  const Attributes = { MessageRetentionPeriod: String(seconds) };
  await client.send(new SetQueueAttributesCommand({ QueueUrl: lab.queue.lettersUrl, Attributes }));
  client.destroy();
}

async function examined(changes: Readonly<Record<string, string>> = {}): Promise<Examined> {
  const file = join(folder, "doctor.env");
  const lines = Object.entries({ ...lab.settings, ...changes }).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(file, lines.join(""), { mode: 0o600 });
  return await examineFile(file, { environment: lab.awsKeys });
}

/** The bucket behaves so until the test is over. */
async function withBucket(changes: Partial<NonNullable<S3SettingsInput["buckets"]>[number]>): Promise<void> {
  const { control, bucket: name } = lab.bucket.server;
  await control.changeSettings({ buckets: [{ name, ...changes }] });
  onTestFinished(() => control.changeSettings({ buckets: [{ name }] }));
}

async function withRefused(
  operation: "GetBucketLifecycleConfiguration" | "GetBucketVersioning",
): Promise<void> {
  const { control } = lab.bucket.server;
  const fault = { kind: "status", status: 403, code: "AccessDenied" } as const;
  await control.scriptFaults({ operation, fault });
  onTestFinished(() => control.clearFaults());
}

function failedOf({ checks }: Examined) {
  return checks.filter(({ status }) => status === "hurts" || status === "broken");
}

async function wholeWorld() {
  const { objects, openUploads } = await lab.bucket.server.control.state();
  const { tasks, removals, lastDownloadMs } = await lab.control.state();
  return {
    objects,
    openUploads,
    tasks,
    removals,
    lastDownloadMs,
    messages: lab.queue.messages(),
    letters: lab.queue.letters(),
  };
}

describe("a healthy deployment in a bucket", () => {
  test("is well; nothing is changed, received or downloaded", async () => {
    const before = await wholeWorld();
    const seen = (await lab.bucket.server.control.requests()).length;
    const result = await examined();
    expect(failedOf(result)).toEqual([]);
    expect(result.verdict).toBe("well");
    // What cannot be told here: whether alarms watch the runs.
    expect(result.checks.filter(({ status }) => status === "unknown").map(({ id }) => id)).toEqual([
      "heartbeat",
    ]);
    expect(await wholeWorld()).toEqual(before);
    const requests = (await lab.bucket.server.control.requests()).slice(seen);
    expect(new Set(requests.map(({ method }) => method))).toEqual(new Set(["GET"]));
  });
});

describe("the function doctor, with the settings of a deployment", () => {
  const called = async () =>
    (await callFresh({ ...lab.settings, ...lab.awsKeys }, "doctor")).returned as Examined;

  test("finds a healthy one well, and changes nothing", async () => {
    const before = await wholeWorld();
    const result = await called();
    expect(failedOf(result)).toEqual([]);
    expect(result.verdict).toBe("well");
    expect(await wholeWorld()).toEqual(before);
  });

  test("names what is broken", async () => {
    await withBucket({ lifecycle: [{ id: "tidy", prefix: "nightly/records/", expireAfterDays: 30 }] });
    const result = await called();
    expect(result.verdict).toBe("broken");
    expect(failedOf(result).map(({ id }) => id)).toEqual(["store-lifecycle"]);
  });
});

type FaultOfCloud = readonly [
  fault: string,
  check: string,
  status: "hurts" | "broken",
  remedy: string,
  put: () => Promise<Readonly<Record<string, string>> | undefined>,
];

const FAULTS: readonly FaultOfCloud[] = [
  [
    "a rule that removes exports",
    "store-lifecycle",
    "broken",
    'Remove the rule "tidy"',
    async () =>
      void (await withBucket({
        lifecycle: [{ id: "tidy", prefix: "nightly/exports/", expireAfterDays: 30 }],
      })),
  ],
  [
    "a rule for the whole bucket",
    "store-lifecycle",
    "broken",
    'Remove the rule "all"',
    async () => void (await withBucket({ lifecycle: [{ id: "all", expireAfterDays: 365 }] })),
  ],
  [
    "a rule that removes what has a tag",
    "store-lifecycle",
    "hurts",
    'Remove the rule "tagged"',
    async () => {
      const tag = { key: "temporary", value: "yes" };
      await withBucket({
        lifecycle: [{ id: "tagged", prefix: "nightly/records/", tag, expireAfterDays: 30 }],
      });
      return undefined;
    },
  ],
  [
    "versions were switched off",
    "store-versions",
    "hurts",
    "Switch versioning",
    async () => void (await withBucket({ versioningSuspended: true })),
  ],
  [
    "the bucket is another one",
    "store-archive",
    "broken",
    "ARCHIVER_STORE",
    async () => ({ ARCHIVER_STORE: "s3://no-such-bucket/nightly" }),
  ],
  [
    "the prefix is mistyped",
    "store-archive",
    "broken",
    "mistyped",
    async () => ({ ARCHIVER_STORE: `s3://${lab.bucket.server.bucket}/nigthly` }),
  ],
  [
    "dead letters are forgotten after four days",
    "queue-letters-kept",
    "hurts",
    "MessageRetentionPeriod",
    async () => {
      await keepLetters(4 * 86_400);
      onTestFinished(() => keepLetters(FOREVER_SECONDS));
      return undefined;
    },
  ],
  [
    "the queue does not exist",
    "queue-use",
    "broken",
    "ARCHIVER_QUEUE",
    async () => ({ ARCHIVER_QUEUE: `${lab.queue.tasksUrl}-gone` }),
  ],
];

describe("one check names", () => {
  test.each(FAULTS)("%s: %s", async (_fault, check, status, remedy, put) => {
    const result = await examined(await put());
    expect(failedOf(result)).toEqual([
      expect.objectContaining({ id: check, status, remedy: expect.stringContaining(remedy) }),
    ]);
  });
});

describe("no check accuses", () => {
  test.each<[string, Partial<NonNullable<S3SettingsInput["buckets"]>[number]>]>([
    ["a rule that is off", { lifecycle: [{ id: "off", status: "Disabled", expireAfterDays: 1 }] }],
    ["a rule for another folder", { lifecycle: [{ id: "other", prefix: "logs/", expireAfterDays: 1 }] }],
    ["a rule that only ends uploads", { lifecycle: [{ id: "uploads", prefix: "nightly/exports/" }] }],
    ["a bucket that keeps versions", { versioning: true }],
  ])("%s", async (_what, changes) => {
    await withBucket(changes);
    expect(failedOf(await examined())).toEqual([]);
  });

  test.each(["GetBucketLifecycleConfiguration", "GetBucketVersioning"] as const)(
    "a missing permission of the doctor itself: %s",
    async (operation) => {
      await withRefused(operation);
      const result = await examined();
      expect(failedOf(result)).toEqual([]);
      expect(result.checks).toContainEqual(
        expect.objectContaining({ status: "unknown", text: expect.stringContaining("AccessDenied") }),
      );
    },
  );
});
