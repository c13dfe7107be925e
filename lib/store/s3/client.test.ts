import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { expect, onTestFinished, test } from "vitest";
import { ManualClock, realRandom } from "../../../test/contract/clocks.ts";
import { withoutRegion } from "../../network/testing/no-region.ts";
import { makeS3Client } from "./client.ts";
import { S3Store } from "./s3-store.ts";
import { BARE_OPTIONS } from "./testing/options.ts";

const OPTIONS = { ...BARE_OPTIONS, credentials: { kind: "aws" } } as const;

const OBS = new URL("https://obs.cn-north-4.myhuaweicloud.com");
const OTHER = new URL("https://s3.example.com");

test.each([
  ["OBS, in a function of another cloud's region", "obs", OBS, "eu-central-1", "cn-north-4"],
  ["OBS, without a region", "obs", OBS, undefined, "cn-north-4"],
  ["another store with a region", "generic", OTHER, "eu-central-1", "eu-central-1"],
  ["another store without one", "generic", OTHER, undefined, "us-east-1"],
  ["AWS", "aws", undefined, "eu-west-1", "eu-west-1"],
] as const)("the region of %s", async (_what, profile, endpoint, region, signed) => {
  const client = makeS3Client(
    { ...OPTIONS, profile, endpoint, region },
    { clock: new ManualClock(), random: realRandom },
  );
  expect(await client.config.region()).toBe(signed);
  client.destroy();
});

test("on OBS the bucket stands before the host's name", async () => {
  const client = makeS3Client(
    { ...BARE_OPTIONS, bucket: "my-archive", profile: "obs", endpoint: OBS, pathStyle: false },
    { clock: new ManualClock(), random: realRandom, huaweiCredentials: async () => ({ ak: "ak", sk: "sk" }) },
  );
  onTestFinished(() => client.destroy());
  const asked: unknown[] = [];
  client.middlewareStack.add(
    () => async (args) => {
      const { hostname, path } = args.request as { readonly hostname?: unknown; readonly path?: unknown };
      asked.push(hostname, path);
      throw new Error("sent nowhere");
    },
    { step: "finalizeRequest", priority: "low" },
  );
  const command = new HeadObjectCommand({ Bucket: "my-archive", Key: "archive.json" });
  await expect(client.send(command)).rejects.toThrow("sent nowhere");
  expect(asked).toEqual(["my-archive.obs.cn-north-4.myhuaweicloud.com", "/archive.json"]);
});

test("without any region the first request asks for AWS_REGION, whichever it is", async () => {
  withoutRegion();
  const store = new S3Store(
    { ...OPTIONS, profile: "aws", endpoint: undefined, region: undefined },
    { clock: new ManualClock(), random: realRandom },
  );
  onTestFinished(() => store.close());
  const { signal } = new AbortController();
  const refused = {
    code: "store-misconfigured",
    scope: "system",
    hint: expect.stringContaining("AWS_REGION"),
  };
  await expect(store.getDocument("archive.json", { signal })).rejects.toMatchObject(refused);
  await expect(store.readClockMs({ signal })).rejects.toMatchObject(refused);
  await expect(store.list("", { signal }).next()).rejects.toMatchObject(refused);
});
