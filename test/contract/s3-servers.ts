import { randomBytes } from "node:crypto";
import { CreateBucketCommand, DeleteBucketCommand, S3Client } from "@aws-sdk/client-s3";
import type { ProxySettings } from "../../lib/network/proxy-rules.ts";
import type { Clock } from "../../lib/ports/clock.ts";
import type { S3StoreOptions } from "../../lib/store/s3/client.ts";
import { S3Store } from "../../lib/store/s3/s3-store.ts";
import type { S3StandIn } from "../../sandbox/s3/start.ts";
import { realClock, realRandom } from "./clocks.ts";
import { collect, keysBelow } from "./store-helpers.ts";

const { signal } = new AbortController();

/** Where an S3 server listens, and who may use it. */
export interface S3Server {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly account: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string | undefined;
  };
}

/** A store on a server, below a prefix that no other test uses. */
export function storeOn(
  server: S3Server | S3StandIn,
  options: Partial<S3StoreOptions> & Pick<S3StoreOptions, "profile">,
  clock: Clock = realClock,
  proxy: ProxySettings = {},
): S3Store {
  return new S3Store(
    {
      bucket: server.bucket,
      prefix: newPrefix(),
      credentials: { kind: "huawei" },
      pathStyle: true,
      sse: undefined,
      kmsKeyId: undefined,
      storageClass: undefined,
      endpoint: new URL(server.endpoint),
      region: server.region,
      partSizeBytes: 5 * 1024 * 1024,
      partsInFlight: 3,
      ...options,
    },
    {
      clock,
      random: realRandom,
      // Those of this moment: a server may have an account that changes.
      async huaweiCredentials() {
        const { accessKeyId, secretAccessKey, sessionToken } = server.account;
        return {
          ak: accessKeyId,
          sk: secretAccessKey,
          ...(sessionToken === undefined ? {} : { securityToken: sessionToken }),
        };
      },
      proxy,
    },
  );
}

/** Waits between attempts, but hardly. */
export const impatientClock: Clock = {
  ...realClock,
  sleep: async (ms, sleepSignal) => await realClock.sleep(Math.min(ms, 2), sleepSignal),
};

export function newPrefix(): string {
  return `test-${randomBytes(6).toString("hex")}`;
}

/** The real server that the environment names as `tools/start-rgw.sh` prints it; `undefined` without one. */
export function realServer(): S3Server | undefined {
  const { S3_ENDPOINT, S3_REGION, S3_BUCKET, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
  if (S3_ENDPOINT === undefined || AWS_ACCESS_KEY_ID === undefined || AWS_SECRET_ACCESS_KEY === undefined) {
    return undefined;
  }
  return {
    endpoint: S3_ENDPOINT,
    region: S3_REGION ?? "us-east-1",
    bucket: S3_BUCKET ?? `archiver-test-${randomBytes(6).toString("hex")}`,
    account: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
  };
}

/** Makes the server's bucket, and gives what removes it with all that is in it. */
export async function makeBucket(server: S3Server): Promise<() => Promise<void>> {
  const { endpoint, region, bucket, account } = server;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId: account.accessKeyId, secretAccessKey: account.secretAccessKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return async () => {
    const store = storeOn(server, { profile: "generic", prefix: "" });
    await store.abortUploadsUnder("", { signal });
    for (const key of await keysBelow(store, "")) {
      await store.removeObject(key, { signal });
    }
    await client.send(new DeleteBucketCommand({ Bucket: bucket }));
    store.close();
    client.destroy();
  };
}

/** The uploads open below a store's prefix. */
export async function openUploads(store: S3Store): Promise<readonly string[]> {
  return (await collect(store.listUploads("", { signal }))).map(({ key }) => key);
}
