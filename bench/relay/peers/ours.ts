// Our writer as an archive run uses it: body check, own parts, proof, then the copy proved by the profile's means.
import { createHash } from "node:crypto";
import { systemClock, systemRandom } from "../../../lib/config/system.ts";
import { BodyCheck, type BodyVerdict } from "../../../lib/integrity/body-check.ts";
import type { StoredObject } from "../../../lib/ports/object-store.ts";
import { S3Store } from "../../../lib/store/s3/s3-store.ts";
import { type Job, type JobTimes, keyOf } from "../job.ts";
import { runPeer } from "./program.ts";
import { fetchWhole, openBody } from "./source-body.ts";

/** The defaults of the configuration (architecture §6.1). */
const PART_SIZE_BYTES = 5 * 1024 * 1024;
const PARTS_IN_FLIGHT = 3;

interface Stored {
  readonly object: StoredObject;
  readonly sha256: string;
}

await runPeer(async (job, signal) => {
  const store = new S3Store(
    {
      bucket: job.bucket,
      prefix: "",
      profile: job.profile,
      credentials: { kind: "aws" },
      pathStyle: true,
      sse: undefined,
      kmsKeyId: undefined,
      storageClass: undefined,
      endpoint: new URL(job.endpoint),
      region: job.region,
      partSizeBytes: PART_SIZE_BYTES,
      partsInFlight: PARTS_IN_FLIGHT,
    },
    { clock: systemClock, random: systemRandom },
  );
  if (job.timed === "store") {
    await store.preflight({ signal });
  }
  const times = { workMs: 0, proofMs: 0 };
  for (let item = 0; item < job.items; item += 1) {
    await passOne(store, job, keyOf(job, item), times, signal);
  }
  store.close();
  return times;
});

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

async function passOne(
  store: S3Store,
  job: Job,
  key: string,
  times: Mutable<JobTimes>,
  signal: AbortSignal,
): Promise<void> {
  const bytes = job.timed === "store" ? await fetchWhole(job.body) : undefined;
  const startedAtMs = performance.now();
  const stored =
    bytes === undefined ? await relay(store, job, key, signal) : await put(store, key, bytes, signal);
  const storedAtMs = performance.now();
  if (job.proof) {
    await prove(store, job, stored, signal);
  }
  times.workMs += storedAtMs - startedAtMs;
  times.proofMs += performance.now() - storedAtMs;
}

/** As `lib/archive/transfer.ts` does it. */
async function relay(store: S3Store, job: Job, key: string, signal: AbortSignal): Promise<Stored> {
  const { stream, declaredBytes } = await openBody(job.body);
  signal.addEventListener("abort", () => stream.destroy(), { once: true });
  const upload = await store.openUpload(key, { metadata: {}, expectedSizeBytes: declaredBytes, signal });
  try {
    const check = new BodyCheck({
      accept: "zip",
      membersLimitBytes: PART_SIZE_BYTES,
      contentLengthBytes: declaredBytes,
    });
    for await (const chunk of stream) {
      check.update(chunk);
      await upload.write(chunk);
    }
    signal.throwIfAborted();
    const { sizeBytes, sha256 } = requireWhole(await check.finish({ signal }));
    return { object: await upload.complete({ sizeBytes, sha256 }), sha256 };
  } catch (error) {
    stream.destroy();
    await upload.abort();
    throw error;
  }
}

async function put(store: S3Store, key: string, bytes: Buffer, signal: AbortSignal): Promise<Stored> {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const upload = await store.openUpload(key, { metadata: {}, expectedSizeBytes: bytes.length, signal });
  await upload.write(bytes);
  return { object: await upload.complete({ sizeBytes: bytes.length, sha256 }), sha256 };
}

async function prove(
  store: S3Store,
  job: Job,
  { object, sha256 }: Stored,
  signal: AbortSignal,
): Promise<void> {
  switch (job.profile) {
    case "aws":
      return await store.confirmStored(object, { signal });
    case "generic": {
      const hash = createHash("sha256");
      for await (const chunk of store.read(object.key, { signal })) {
        hash.update(chunk);
      }
      if (hash.digest("hex") !== sha256) {
        throw new Error(`the stored copy of ${object.key} differs`);
      }
    }
  }
}

function requireWhole(verdict: BodyVerdict): BodyVerdict {
  if (verdict.kind !== "whole") {
    throw new Error(`${verdict.kind}: ${verdict.problem}`);
  }
  return verdict;
}
