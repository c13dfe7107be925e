import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { expect, type TestContext, vi } from "vitest";
import { type SandboxControl, startSandbox } from "../../sandbox/start.ts";
import { markBucket } from "./archive-marker.ts";
import { CloudQueue } from "./cloud-queue.ts";
import { type Ended, startArchiver } from "./command-line.ts";
import { type Call, callFresh, FunctionHost, metricsOf } from "./function-host.ts";
import { ACCOUNT, finishedExports, PROJECT_ID, UNPACED_MS } from "./lab.ts";
import { type LockedBucket, PREFIX, type StoredVersion } from "./locked-bucket.ts";
import { type SecretServer, startSecretServer } from "./secret-server.ts";

const DAY_MS = 86_400_000;
const SECRET_ID = "iotda/keys";
const INTERVAL_MS = 800;
const MAX_RUNS = 10;
const LOG_LIMIT = { interval: 5, timeout: 240_000 };

/** Where the deployment's policy lies. */
export const POLICY_KEY = "retention/policy.json";
export const KEEP_DAYS = 30;
/** Everything is kept for 30 days; the second export is locked meanwhile. */
export const SECOND_LOCKED = policyOf("none", [
  {
    name: "second",
    when: { condition: { task_id: "batch-02" } },
    keepDays: KEEP_DAYS,
    lock: "governance",
    storageClass: "GLACIER_IR",
  },
]);

export function policyOf(lock: "none" | "governance", rules: readonly object[] = []): object {
  return { schemaVersion: 1, rules, default: { keepDays: KEEP_DAYS, lock } };
}

const reportSchema = v.looseObject({
  // A report of a night has none, and its counts in the night.
  stopReason: v.optional(v.string(), ""),
  failure: v.optional(v.object({ code: v.string(), message: v.string(), hint: v.string() })),
  counts: v.optional(v.record(v.string(), v.number()), {}),
});

interface LabParts {
  readonly control: SandboxControl;
  readonly bucket: LockedBucket;
  readonly secrets: SecretServer;
  readonly queue: CloudQueue;
}

/** A deployment: platform, bucket with object lock, queues, a secret, and a policy in the bucket. */
export class RetentionLab {
  readonly control: SandboxControl;
  readonly bucket: LockedBucket;
  readonly secrets: SecretServer;
  /** What a function finds in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #queue: CloudQueue;
  /** Processes without work, by function and settings. */
  readonly #idle = new Map<string, FunctionHost[]>();

  constructor(parts: LabParts, environment: Readonly<Record<string, string>>) {
    this.control = parts.control;
    this.bucket = parts.bucket;
    this.secrets = parts.secrets;
    this.#queue = parts.queue;
    this.environment = environment;
  }

  /** One call of a built function, in a warm process where there is one: its report, its metrics and its log. */
  async call(
    name: "retain" | "expire" | "inventory" | "report",
    event?: unknown,
    more: Readonly<Record<string, string>> = {},
    timeLeftMs = 600_000,
  ) {
    const call: Call = event === undefined ? { timeLeftMs } : { event, timeLeftMs };
    const { host, free } = this.#warmHost(name, more);
    try {
      const loggedBefore = host.log.length;
      const { returned } = await host.call(name, call);
      const log = await vi.waitFor(() => {
        const ofCall = host.log.slice(loggedBefore);
        expect(metricsOf(ofCall)).toHaveLength(1);
        return ofCall;
      }, LOG_LIMIT);
      return { report: v.parse(reportSchema, returned), metrics: metricsOf(log)[0] ?? {}, log };
    } finally {
      free();
    }
  }

  /** As Lambda does: a warm process where there is one, and as many as there are calls at once. */
  #warmHost(name: string, more: Readonly<Record<string, string>>) {
    const kind = JSON.stringify([name, more]);
    const idle = this.#idle.get(kind) ?? [];
    this.#idle.set(kind, idle);
    const host = idle.pop() ?? FunctionHost.start({ ...this.environment, ...more });
    return { host, free: () => idle.push(host) };
  }

  /** Ends the processes. */
  async close(): Promise<void> {
    await Promise.all([...this.#idle.values()].flat().map((host) => host.end()));
  }

  /** Puts exports on the platform and lets the night's functions archive and, unless told otherwise, delete them. */
  async archive(count: number, more: Readonly<Record<string, string>> = {}): Promise<void> {
    const environment = { ...this.environment, ...more };
    await this.control.addTasks(finishedExports(count));
    await callFresh(environment, "discover");
    // A busy machine may miss a slot, which postpones the task.
    for (let runs = 0; runs < MAX_RUNS && (runs === 0 || this.#queue.messages().length > 0); runs += 1) {
      await callFresh(environment, "archive", { timeLeftMs: 600_000 });
    }
  }

  async archiver(...args: readonly string[]): Promise<Ended> {
    const { ARCHIVER_CREDENTIALS_SECRET: _, AWS_ENDPOINT_URL_SECRETS_MANAGER: __, ...own } = this.environment;
    const keys = { HUAWEICLOUD_SDK_AK: ACCOUNT.ak, HUAWEICLOUD_SDK_SK: ACCOUNT.sk };
    return await startArchiver(args, { ...own, ...keys }).ended;
  }

  /** The archived objects, by task. */
  async objects(): Promise<ReadonlyMap<string, StoredVersion>> {
    const versions = await this.bucket.versions("exports/");
    return new Map(versions.map((version) => [version.key.split("/").at(-2) ?? "", version]));
  }

  /** The names of a task's records. */
  async records(exportTaskId: string): Promise<readonly string[]> {
    const keys = await this.bucket.keys("records/");
    return keys
      .filter((key) => key.includes(`/${exportTaskId}/`))
      .map((key) => key.slice(key.lastIndexOf("/") + 1));
  }

  /** Makes everything recorded look as if it had happened this many days earlier. Locks stay as they are. */
  async age(days: number): Promise<void> {
    const times = ["archivedAt", "downloadedAt", "deletedAt", "confirmedAt", "retainedAt", "keepUntil"];
    for (const key of await this.bucket.keys("records/")) {
      const record = await this.bucket.json(key);
      for (const name of times.filter((one) => typeof record[one] === "string")) {
        record[name] = new Date(Date.parse(String(record[name])) - days * DAY_MS).toISOString();
      }
      await this.bucket.put(key, record);
    }
  }

  /** What EventBridge sends when an object was written. */
  created({ key, versionId }: Pick<StoredVersion, "key" | "versionId">): object {
    const { bucket } = this.bucket.server;
    return {
      version: "0",
      "detail-type": "Object Created",
      source: "aws.s3",
      region: "eu-central-1",
      resources: [`arn:aws:s3:::${bucket}`],
      detail: {
        version: "0",
        bucket: { name: bucket },
        object: { key: this.bucket.keyOf(key), "version-id": versionId, sequencer: "00" },
        reason: "CompleteMultipartUpload",
      },
    };
  }
}

/** A deployment of this test's own. One export of others is on the platform, so that its lists prove something. */
export async function openRetentionLab(
  context: Pick<TestContext, "onTestFinished">,
  openBucket: (context: Pick<TestContext, "onTestFinished">) => Promise<LockedBucket>,
  policy: object,
): Promise<RetentionLab> {
  const { onTestFinished } = context;
  const folder = await mkdtemp(join(tmpdir(), "archiver-retention-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const platform = await startSandbox({
    stateFolder: join(folder, "platform"),
    settings: { projectId: PROJECT_ID, accounts: [ACCOUNT], downloadIntervalMs: UNPACED_MS },
  });
  onTestFinished(() => platform.stop());
  const queue = await CloudQueue.start(1);
  onTestFinished(() => queue.stop());
  const secrets = await startSecretServer(context);
  secrets.secrets.set(SECRET_ID, { value: JSON.stringify(ACCOUNT) });
  const bucket = await openBucket(context);
  const { endpoint, region, account } = bucket.server;
  const lab = new RetentionLab(
    { control: platform.control, bucket, secrets, queue },
    {
      ARCHIVER_IOTDA_ENDPOINT: platform.endpoint,
      ARCHIVER_IOTDA_PROJECT_ID: PROJECT_ID,
      ARCHIVER_CREDENTIALS_SECRET: SECRET_ID,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
      ARCHIVER_STORE: bucket.url,
      ARCHIVER_STORE_PROFILE: bucket.profile,
      ARCHIVER_STORE_PATH_STYLE: "true",
      ARCHIVER_RETENTION_POLICY: `store:${POLICY_KEY}`,
      ARCHIVER_QUEUE: queue.tasksUrl,
      ARCHIVER_DEAD_LETTER_QUEUE: queue.lettersUrl,
      ARCHIVER_DOWNLOAD_INTERVAL_MS: String(INTERVAL_MS),
      ARCHIVER_MIN_TASK_MS: "2000",
      AWS_ACCESS_KEY_ID: account.accessKeyId,
      AWS_SECRET_ACCESS_KEY: account.secretAccessKey,
      AWS_REGION: region,
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ENDPOINT_URL_SQS: queue.endpoint,
    },
  );
  onTestFinished(() => lab.close());
  await markBucket(bucket.server, PREFIX);
  await bucket.put(POLICY_KEY, policy);
  const others = { exportTaskId: "others", condition: { task_id: "others" }, status: "Processing" };
  await platform.control.addTasks([others]);
  return lab;
}
