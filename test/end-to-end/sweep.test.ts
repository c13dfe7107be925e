import { mkdir, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CreateMultipartUploadCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import * as v from "valibot";
import { describe, expect, type TestContext, test } from "vitest";
import { type CloudLab, openCloudLab } from "./cloud-lab.ts";
import { type Ended, startArchiver } from "./command-line.ts";
import { failureDocumentSchema } from "./documents.ts";
import { finishedExports, openLab } from "./lab.ts";

const HOUR_MS = 3_600_000;
const OLD_MS = 25 * HOUR_MS;
const YOUNG_MS = 23 * HOUR_MS;
const INTERVAL_MS = 800;

const isoTime = v.pipe(v.string(), v.isoTimestamp());
const wholeNumber = v.pipe(v.number(), v.integer(), v.minValue(0));

/** What `sweep --json` prints, strictly. */
const sweepSchema = v.strictObject({
  abortedUploads: v.array(v.strictObject({ key: v.string(), initiatedAt: isoTime })),
  youngUploads: wholeNumber,
  orphans: v.array(
    v.strictObject({
      exportTaskId: v.string(),
      revision: v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/)),
      key: v.string(),
      sizeBytes: wholeNumber,
      modifiedAt: isoTime,
      onlyCopy: v.boolean(),
      removed: v.boolean(),
    }),
  ),
  checkedObjects: wholeNumber,
  damaged: wholeNumber,
});

/** One archive with a recorded copy, and how to leave things behind in it. */
interface Swept {
  readonly archiver: (...args: readonly string[]) => Promise<Ended>;
  /** Keys of exports, uploads of the file store left out. */
  readonly objects: () => Promise<readonly string[]>;
  readonly openUploads: () => Promise<readonly string[]>;
  readonly plantObject: (key: string, ageMs: number) => Promise<void>;
  readonly plantUpload: (key: string, ageMs: number) => Promise<void>;
}

async function onFolder(context: TestContext): Promise<Swept> {
  const lab = await openLab(context);
  await lab.control.addTasks(finishedExports(1));
  expect((await lab.archiver("run")).exitCode).toBe(0);
  const plant = async (key: string, ageMs: number) => {
    const file = join(lab.store.path, key);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, "left over");
    const writtenAt = new Date(Date.now() - ageMs);
    await utimes(file, writtenAt, writtenAt);
  };
  return {
    archiver: (...args) => lab.archiver(...args),
    objects: async () => (await lab.store.keys("exports")).filter((key) => key.endsWith(".zip")),
    openUploads: () => lab.store.unfinishedUploads(),
    plantObject: plant,
    plantUpload: (key, ageMs) => plant(key.replace(/([^/]+)$/, ".$1.0123456789ab.upload"), ageMs),
  };
}

async function onS3(context: TestContext): Promise<Swept> {
  const lab = await openCloudLab(context, {
    intervalMs: INTERVAL_MS,
    s3: { profile: "generic-rich" },
    storeProfile: "generic",
    longestPollSeconds: 1,
  });
  await lab.control.addTasks(finishedExports(1));
  expect((await lab.archiver("run")).exitCode).toBe(0);
  const { server } = lab.bucket;
  const client = clientOf(context, lab);
  const age = async (key: string, byMs: number) => {
    const done = await server.control.interfere({ kind: "age", key: lab.bucket.keyOf(key), byMs });
    expect(done).toBe(true);
  };
  const target = (key: string) => ({ Bucket: server.bucket, Key: lab.bucket.keyOf(key) });
  return {
    archiver: (...args) => lab.archiver(...args),
    objects: () => lab.bucket.keys("exports/"),
    openUploads: () => lab.bucket.openUploads(),
    plantObject: async (key, ageMs) => {
      await client.send(new PutObjectCommand({ ...target(key), Body: "left over" }));
      await age(key, ageMs);
    },
    plantUpload: async (key, ageMs) => {
      await client.send(new CreateMultipartUploadCommand(target(key)));
      await age(key, ageMs);
    },
  };
}

function clientOf({ onTestFinished }: TestContext, lab: CloudLab): S3Client {
  const { endpoint, region, account } = lab.bucket.server;
  const { accessKeyId, secretAccessKey } = account;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  onTestFinished(() => client.destroy());
  return client;
}

async function sweepJson({ archiver }: Swept, ...args: readonly string[]) {
  const ended = await archiver("sweep", ...args, "--json");
  expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
  return v.parse(sweepSchema, JSON.parse(ended.stdout));
}

describe.concurrent("sweep", () => {
  test.for([
    ["a folder", onFolder],
    ["S3", onS3],
  ] as const)("on %s", async ([, open], context) => {
    const swept = await open(context);
    const [recorded = ""] = await swept.objects();
    const clean = await swept.archiver("sweep");
    expect(clean).toMatchObject({ exitCode: 0, stderr: "" });
    expect(clean.stdout).toBe(
      [
        "Open uploads: 0 older than a day aborted, 0 younger left alone",
        "Objects: 1 checked, 0 orphans found, 0 removed",
        "",
      ].join("\n"),
    );

    const named = (nonce: string) => recorded.replace(/-[0-9a-f]{6}\.zip$/, `-${nonce}.zip`);
    const [oldOrphan, youngOrphan] = [named("0a0a0a"), named("0b0b0b")];
    const unrecorded = recorded.replace("/export-01/", "/export-99/");
    await swept.plantObject(oldOrphan, OLD_MS);
    await swept.plantObject(youngOrphan, YOUNG_MS);
    await swept.plantObject(unrecorded, OLD_MS);
    await swept.plantUpload(named("0c0c0c"), OLD_MS);
    await swept.plantUpload(named("0d0d0d"), YOUNG_MS);
    const planted = [recorded, oldOrphan, youngOrphan, unrecorded].sort();

    const listed = await swept.archiver("sweep");
    expect(listed).toMatchObject({ exitCode: 0, stderr: "" });
    expect(listed.stdout).toMatch(/^Open uploads: 1 older than a day aborted, 1 younger left alone$/m);
    expect(listed.stdout).toMatch(/^ {2}exports\/\S+-0c0c0c\.zip, started \d{4}-.*Z$/m);
    expect(listed.stdout).toMatch(/^Objects: 4 checked, 2 orphans found, 0 removed$/m);
    expect(listed.stdout).toMatch(/^ {2}exports\/\S+-0a0a0a\.zip, 9 B, modified \d{4}-[^,]*Z$/m);
    expect(listed.stdout).toMatch(/^ {2}\S+\/export-99\/\S+\.zip, .*, the only copy left$/m);
    expect(listed.stdout).toMatch(/^An orphan is .*--remove-orphans removes it where .* is there\.$/m);
    expect(await swept.objects()).toEqual(planted);
    const [left, ...others] = await swept.openUploads();
    expect(left).toContain("-0d0d0d.zip");
    expect(others).toEqual([]);

    const removing = await sweepJson(swept, "--remove-orphans");
    expect(removing).toMatchObject({ abortedUploads: [], youngUploads: 1, checkedObjects: 4 });
    const fates = new Map(removing.orphans.map(({ key, removed }) => [key, removed]));
    expect(fates).toEqual(
      new Map([
        [oldOrphan, true],
        [unrecorded, false],
      ]),
    );
    expect(await swept.objects()).toEqual(planted.filter((key) => key !== oldOrphan));
    expect(await swept.openUploads()).toEqual([left]);

    const last = await sweepJson(swept, "--remove-orphans");
    expect(last.orphans).toMatchObject([{ key: unrecorded, onlyCopy: true, removed: false }]);
    expect(last.checkedObjects).toBe(3);
  });

  test("needs no queue and no platform, and says what it cannot reach", async (context) => {
    const lab = await openCloudLab(context, {
      intervalMs: INTERVAL_MS,
      s3: { profile: "aws" },
      storeProfile: "aws",
    });
    const { ARCHIVER_QUEUE: _, ARCHIVER_DEAD_LETTER_QUEUE: __, ...settings } = lab.settings;
    const environment = { ...settings, ...lab.awsKeys, ARCHIVER_IOTDA_ENDPOINT: "http://127.0.0.1:1" };
    expect((await startArchiver(["sweep"], environment).ended).exitCode).toBe(0);

    const gone = { ...environment, ARCHIVER_STORE: "s3://no-such-bucket/nightly" };
    const failed = await startArchiver(["sweep", "--json"], gone).ended;
    expect(failed.exitCode).toBe(1);
    const { failure } = v.parse(failureDocumentSchema, JSON.parse(failed.stdout));
    expect(failure).toMatchObject({ code: "no-archive", message: expect.stringContaining("bucket") });
    expect(failure.hint).toContain("ARCHIVER_STORE");
    expect((await startArchiver(["sweep", "--remove"], environment).ended).exitCode, "misspelt").toBe(2);
  });
});
