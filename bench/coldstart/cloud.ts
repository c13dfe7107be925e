import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type S3Process, spawnS3 } from "../../sandbox/s3/start.ts";
import { type SandboxProcess, spawnSandbox } from "../../sandbox/start.ts";
import { markBucket } from "../../test/end-to-end/archive-marker.ts";
import { CloudQueue } from "../../test/end-to-end/cloud-queue.ts";

const ACCOUNT = { ak: "BENCHAK0000000000000", sk: "benchSecretKey0123456789abcdefghijklmnopq" };
const PROJECT_ID = "0123456789abcdef0123456789abcdef";
const INTERVAL_MS = 1_000;
const PREFIX = "bench";

/** A platform, a bucket and two queues, and the settings of a function that works with them. */
export interface Cloud {
  readonly sandbox: SandboxProcess;
  readonly queue: CloudQueue;
  readonly settings: Readonly<Record<string, string>>;
}

/** Gives `work` a cloud and takes it down afterwards. */
export async function inCloud<T>(work: (cloud: Cloud) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "archiver-bench-"));
  const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    const sandbox = await spawnSandbox({
      stateFolder: join(folder, "platform"),
      settings: { projectId: PROJECT_ID, accounts: [ACCOUNT], downloadIntervalMs: INTERVAL_MS },
    });
    closing.unshift(() => sandbox.stop());
    const store = await spawnS3();
    closing.unshift(() => store.stop());
    await markBucket(store, PREFIX);
    // The poll that finds nothing, and ends a run, is 20 s long at SQS.
    const queue = await CloudQueue.start(1);
    closing.unshift(() => queue.stop());
    return await work({ sandbox, queue, settings: settingsOf(sandbox, store, queue) });
  } finally {
    for (const close of closing) {
      await close();
    }
  }
}

function settingsOf(sandbox: SandboxProcess, store: S3Process, queue: CloudQueue): Cloud["settings"] {
  return {
    ARCHIVER_IOTDA_ENDPOINT: sandbox.endpoint,
    ARCHIVER_IOTDA_PROJECT_ID: PROJECT_ID,
    HUAWEICLOUD_SDK_AK: ACCOUNT.ak,
    HUAWEICLOUD_SDK_SK: ACCOUNT.sk,
    ARCHIVER_STORE: `s3://${store.bucket}/${PREFIX}`,
    ARCHIVER_STORE_PROFILE: "aws",
    ARCHIVER_STORE_PATH_STYLE: "true",
    AWS_REGION: store.region,
    AWS_ENDPOINT_URL_S3: store.endpoint,
    AWS_ENDPOINT_URL_SQS: queue.endpoint,
    AWS_ACCESS_KEY_ID: store.account.accessKeyId,
    AWS_SECRET_ACCESS_KEY: store.account.secretAccessKey,
    ARCHIVER_QUEUE: queue.tasksUrl,
    ARCHIVER_DEAD_LETTER_QUEUE: queue.lettersUrl,
    ARCHIVER_DOWNLOAD_INTERVAL_MS: String(INTERVAL_MS),
  };
}
