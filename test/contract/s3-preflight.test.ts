import { describe, expect, onTestFinished, test } from "vitest";
import { StoreError } from "../../lib/ports/object-store.ts";
import type { S3StoreOptions } from "../../lib/store/s3/client.ts";
import { S3Store } from "../../lib/store/s3/s3-store.ts";
import { BARE_OPTIONS } from "../../lib/store/s3/testing/options.ts";
import { type S3Options, type S3StandIn, startS3 } from "../../sandbox/s3/start.ts";
import { realClock, realRandom } from "./clocks.ts";
import { impatientClock, openUploads, type S3Server, storeOn } from "./s3-servers.ts";
import { bytesOf, collect, KEY, keysBelow, put, readAll } from "./store-helpers.ts";

const { signal } = new AbortController();
const PART_BYTES = 128 * 1024;
const LARGE = bytesOf(PART_BYTES + 1);

async function start(options: S3Options): Promise<S3StandIn> {
  const standIn = await startS3({ ...options, settings: { minPartBytes: PART_BYTES, ...options.settings } });
  onTestFinished(() => standIn.stop());
  return standIn;
}

function openStore(
  server: S3Server | S3StandIn,
  profile: S3StoreOptions["profile"],
  options: Partial<S3StoreOptions> = {},
): S3Store {
  const store = storeOn(server, { profile, partSizeBytes: PART_BYTES, ...options }, impatientClock);
  onTestFinished(() => store.close());
  return store;
}

describe("what a generic store can do is tried out", () => {
  const SUPPORT = ["supported", "ignored", "not-implemented"] as const;
  test.each(
    SUPPORT.flatMap((put) =>
      SUPPORT.flatMap((completion) => SUPPORT.map((swap) => [put, completion, swap] as const)),
    ),
  )("PUT %s, completion %s, swap %s", async (createOncePut, createOnceCompletion, compareAndSwap) => {
    const standIn = await start({ settings: { createOncePut, createOnceCompletion, compareAndSwap } });
    const store = openStore(standIn, "generic");
    expect(await store.preflight({ signal })).toEqual({
      createOnce: createOncePut === "supported",
      compareAndSwap: compareAndSwap === "supported",
      verification: "read-back",
      createOnceAtCompletion: createOnceCompletion === "supported",
    });
    expect(await openUploads(store)).toEqual([]);
    expect(await keysBelow(store, "")).toEqual([]);
    await standIn.control.clearRequests();
    await put(store, KEY, LARGE);
    const completion = (await standIn.control.requests()).find(
      ({ operation }) => operation === "CompleteMultipartUpload",
    );
    expect(completion?.headers["if-none-match"]).toBe(createOnceCompletion === "supported" ? "*" : undefined);
  });
});

test("eight runners that begin at once find the same, and an abandoned probe is cleared away", async () => {
  const standIn = await start({ profile: "generic-rich" });
  const stores = Array.from({ length: 8 }, () => openStore(standIn, "generic", { prefix: "p" }));
  const found = await Promise.all(stores.map((store) => store.preflight({ signal })));
  const abilities = {
    createOnce: true,
    createOnceAtCompletion: true,
    compareAndSwap: true,
    verification: "read-back",
  };
  expect(found).toEqual(stores.map(() => abilities));
  const [store] = stores;
  const upload = await store?.openUpload("state/preflight.json", {
    metadata: {},
    expectedSizeBytes: undefined,
    signal,
  });
  await upload?.write(LARGE);
  const openCount = async () => (await standIn.control.state()).openUploads.length;
  await expect.poll(openCount).toBe(1);
  await store?.preflight({ signal });
  expect(await openCount()).toBe(0);
  await upload?.abort();
});

test("a conditional write that the store would ignore is refused, not sent", async () => {
  const store = openStore(await start({ profile: "obs" }), "obs");
  await store.preflight({ signal });
  await expect(store.putDocument("x", "1", { kind: "if-absent" }, { signal })).rejects.toMatchObject({
    code: "store-misconfigured",
  });
});

test("the probe is one key, overwritten, and nothing is ever deleted", async () => {
  const standIn = await start({ profile: "generic-rich" });
  const store = openStore(standIn, "generic", { prefix: "p" });
  await store.preflight({ signal });
  await store.preflight({ signal });
  const { objects } = await standIn.control.state();
  expect(objects.map(({ key }) => key)).toEqual(["p/state/preflight.json"]);
  const requests = await standIn.control.requests();
  expect(requests.filter(({ operation }) => operation === "DeleteObject")).toEqual([]);
});

test("a store that keeps no CRC32 cannot have profile aws", async () => {
  const store = openStore(await start({ settings: { checksums: false } }), "aws");
  await expect(store.preflight({ signal })).rejects.toMatchObject({
    code: "store-misconfigured",
    hint: expect.stringContaining("generic"),
  });
});

describe("what the store refuses is told with what to do, and without a secret", () => {
  const AK = "AKIDSANDBOX000000001";
  const SK = "secretSecretSecret0123456789abcdefghijkl";
  const TOKEN = "tokenTokenToken0123456789";

  async function refusalOf(
    server: S3Server,
    profile: S3StoreOptions["profile"] = "aws",
  ): Promise<StoreError> {
    const thrown: unknown = await openStore(server, profile)
      .preflight({ signal })
      .then(
        () => "no refusal",
        (error: unknown) => error,
      );
    expect(thrown).toBeInstanceOf(StoreError);
    const shown = `${String(thrown)} ${JSON.stringify(thrown)} ${thrown instanceof Error ? thrown.stack : ""}`;
    for (const secret of [AK, SK, TOKEN]) {
      expect(shown).not.toContain(secret);
    }
    return thrown as StoreError;
  }

  test.each<[string, S3Options["settings"], Partial<S3Server>, string, string]>([
    ["an unknown key", {}, {}, "store-unauthenticated", "ARCHIVER_STORE_CREDENTIALS"],
    [
      "a wrong secret",
      { accounts: [{ accessKeyId: AK, secretAccessKey: "another" }] },
      {},
      "store-unauthenticated",
      "ARCHIVER_STORE_CREDENTIALS",
    ],
    [
      "an expired token",
      { accounts: [{ accessKeyId: AK, secretAccessKey: SK, sessionToken: TOKEN, expired: true }] },
      { account: { accessKeyId: AK, secretAccessKey: SK, sessionToken: TOKEN } },
      "store-unauthenticated",
      "temporary credentials",
    ],
    [
      "a missing bucket",
      { accounts: [{ accessKeyId: AK, secretAccessKey: SK }] },
      { bucket: "elsewhere" },
      "store-missing",
      "Create the bucket",
    ],
    [
      "another region",
      { accounts: [{ accessKeyId: AK, secretAccessKey: SK }], region: "eu-west-1" },
      { region: "us-east-1" },
      "store-misconfigured",
      "AWS_REGION",
    ],
    [
      "a clock an hour off",
      { accounts: [{ accessKeyId: AK, secretAccessKey: SK }], clockSkewMs: 3_600_000 },
      {},
      "store-misconfigured",
      "clock",
    ],
  ])("%s", async (_name, settings, changes, code, hint) => {
    const standIn = await start({ ...(settings === undefined ? {} : { settings }) });
    const account = { accessKeyId: AK, secretAccessKey: SK };
    const { endpoint, bucket, region } = standIn;
    const error = await refusalOf({ endpoint, bucket, region, account, ...changes });
    expect(error).toMatchObject({ code, scope: "system", hint: expect.stringContaining(hint) });
  });

  test("no server listens", async () => {
    const standIn = await startS3();
    await standIn.stop();
    expect(await refusalOf(standIn)).toMatchObject({ code: "store-unavailable", scope: "task" });
  });
});

test("a temporary key's token is sent and signed", async () => {
  const account = { accessKeyId: "AKIDSANDBOX000000001", secretAccessKey: "secret", sessionToken: "token" };
  const store = openStore(await start({ settings: { accounts: [account] } }), "aws");
  await expect(store.preflight({ signal })).resolves.toMatchObject({ verification: "stored" });
});

test("Huawei credentials that were not given are asked for at once", () => {
  expect(() => new S3Store(BARE_OPTIONS, { clock: realClock, random: realRandom })).toThrow(StoreError);
});

describe.each(["aws", "obs", "generic"] as const)(
  "a bucket with object lock and versions, profile %s",
  (profile) => {
    test("takes objects, documents and their next versions", async () => {
      const objectLock = { defaultRetention: { mode: "COMPLIANCE", days: 1 } } as const;
      const standIn = await start({
        settings: { buckets: [{ name: "locked", versioning: true, objectLock }] },
      });
      const store = openStore(standIn, profile);
      await store.preflight({ signal });
      const stored = await put(store, KEY, LARGE);
      expect(stored.versionId).toBeDefined();
      expect(await store.head(KEY, { signal })).toMatchObject({
        versionId: stored.versionId,
        etag: stored.etag,
      });
      await put(store, `${KEY}2`, LARGE.subarray(0, 1_000));
      for (const text of ["1", "2"]) {
        await store.putDocument("state/x.json", text, { kind: "always" }, { signal });
        expect((await store.getDocument("state/x.json", { signal }))?.text).toBe(text);
      }
      expect((await readAll(store, KEY)).equals(LARGE)).toBe(true);
    });
  },
);

test.each([0, 42_000, -250_400])(
  "the store's clock is read within the call's own time (skew %i)",
  async (clockSkewMs) => {
    const standIn = await start({ settings: { clockSkewMs } });
    const store = storeOn(standIn, { profile: "aws" });
    onTestFinished(() => store.close());
    const startedMs = Date.now();
    const storeMs = await store.readClockMs({ signal });
    // How exact it is, is tested on a clock of the test's own (lib/store/s3/store-clock.test.ts).
    expect(storeMs - clockSkewMs).toBeGreaterThan(startedMs - 1_000);
    const endedMs = Date.now();
    expect(storeMs - clockSkewMs).toBeLessThan(endedMs + 1_000 + (endedMs - startedMs));
    expect((await standIn.control.requests()).length).toBeLessThanOrEqual(24);
  },
);

test("a prefix is kept to: neighbours are neither listed nor aborted", async () => {
  const standIn = await start({});
  const [ours, theirs] = [
    openStore(standIn, "aws", { prefix: "a" }),
    openStore(standIn, "aws", { prefix: "ab" }),
  ];
  await put(theirs, KEY, bytesOf(10));
  const upload = await theirs.openUpload(`${KEY}2`, { metadata: {}, expectedSizeBytes: undefined, signal });
  await upload.write(LARGE);
  await expect.poll(() => openUploads(theirs)).toHaveLength(1);
  expect(await keysBelow(ours, "")).toEqual([]);
  expect(await ours.abortUploadsUnder("", { signal })).toBe(0);
  expect(await collect(ours.listUploads("", { signal }))).toEqual([]);
  await upload.abort();
});
