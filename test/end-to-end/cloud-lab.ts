import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "vitest";
import { type S3Options, spawnS3, startS3 } from "../../sandbox/s3/start.ts";
import { type SandboxControl, type SettingsInput, spawnSandbox, startSandbox } from "../../sandbox/start.ts";
import { CloudBucket } from "./cloud-bucket.ts";
import { CloudQueue } from "./cloud-queue.ts";
import { type Ended, type Running, startArchiver } from "./command-line.ts";
import { ACCOUNT, PROJECT_ID, type SettingChanges, UNPACED_MS } from "./lab.ts";

export interface CloudLabOptions {
  readonly intervalMs: number;
  /** How the stand-in behaves. */
  readonly s3: S3Options;
  /** What the archiver is told that it is. */
  readonly storeProfile: "aws" | "obs" | "generic";
  /** When a poll that finds nothing ends. Default 3. */
  readonly longestPollSeconds?: number;
  /** Platform and store in processes of their own: where the pace is judged, which a busy process blurs. */
  readonly apart?: boolean;
  readonly sandbox?: SettingsInput;
  readonly settings?: SettingChanges;
  /** Whether there is an archive in the bucket already, as after `init`. Default true. */
  readonly begun?: boolean;
}

/** A platform, a bucket, two SQS queues and the settings of an operator with any number of machines. */
export class CloudLab {
  readonly control: SandboxControl;
  readonly bucket: CloudBucket;
  readonly queue: CloudQueue;
  /** What the archiver needs to be told, as environment variables. */
  readonly settings: Readonly<Record<string, string>>;
  /** What the SDK's own chain reads; it reads no env file. */
  readonly awsKeys: { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string };
  readonly #envFile: string;

  constructor(
    parts: { readonly control: SandboxControl; readonly bucket: CloudBucket; readonly queue: CloudQueue },
    settings: Readonly<Record<string, string>>,
    envFile: string,
  ) {
    this.control = parts.control;
    this.bucket = parts.bucket;
    this.queue = parts.queue;
    this.settings = settings;
    const { accessKeyId, secretAccessKey } = parts.bucket.server.account;
    this.awsKeys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    this.#envFile = envFile;
  }

  /** The bucket, as the audits look at it. */
  get store(): CloudBucket {
    return this.bucket;
  }

  start(...args: readonly string[]): Running {
    return startArchiver([...args, "--env-file", this.#envFile], this.awsKeys);
  }

  async archiver(...args: readonly string[]): Promise<Ended> {
    return await this.start(...args).ended;
  }
}

/** A lab of this test's own, taken down when the test is over. */
export async function openCloudLab(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  {
    intervalMs,
    s3,
    storeProfile,
    longestPollSeconds = 3,
    apart = false,
    sandbox = {},
    settings = {},
    begun = true,
  }: CloudLabOptions,
): Promise<CloudLab> {
  const folder = await mkdtemp(join(tmpdir(), "archiver-cloud-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const platform = await (apart ? spawnSandbox : startSandbox)({
    stateFolder: join(folder, "platform"),
    settings: {
      projectId: PROJECT_ID,
      accounts: [ACCOUNT],
      downloadIntervalMs: apart ? intervalMs : UNPACED_MS,
      ...sandbox,
    },
  });
  onTestFinished(() => platform.stop());
  const server = await (apart ? spawnS3 : startS3)(s3);
  onTestFinished(() => server.stop());
  const queue = await CloudQueue.start(longestPollSeconds);
  onTestFinished(() => queue.stop());
  const bucket = new CloudBucket(server);
  if (begun) {
    await bucket.mark();
    await server.control.clearRequests();
  }
  const envFile = join(folder, "archiver.env");
  const changed: SettingChanges = {
    ARCHIVER_IOTDA_ENDPOINT: platform.endpoint,
    ARCHIVER_IOTDA_PROJECT_ID: PROJECT_ID,
    HUAWEICLOUD_SDK_AK: ACCOUNT.ak,
    HUAWEICLOUD_SDK_SK: ACCOUNT.sk,
    ARCHIVER_STORE: bucket.url,
    ARCHIVER_STORE_PROFILE: storeProfile,
    ARCHIVER_STORE_PATH_STYLE: "true",
    AWS_REGION: server.region,
    AWS_ENDPOINT_URL_S3: server.endpoint,
    AWS_ENDPOINT_URL_SQS: queue.endpoint,
    ARCHIVER_QUEUE: queue.tasksUrl,
    ARCHIVER_DEAD_LETTER_QUEUE: queue.lettersUrl,
    ARCHIVER_DOWNLOAD_INTERVAL_MS: String(intervalMs),
    ...settings,
  };
  const set = Object.entries(changed).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const all = Object.fromEntries(set);
  const lines = Object.entries(all).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(envFile, lines.join(""), { mode: 0o600 });
  return new CloudLab({ control: platform.control, bucket, queue }, all, envFile);
}
