import { type StoreAbilities, StoreError, type WriteCondition } from "../../ports/object-store.ts";
import { MISCONFIGURED } from "../store-errors.ts";
import type { S3Bucket } from "./bucket.ts";
import { digestOf } from "./checksums.ts";
import { abortUploads, listObjects } from "./listing.ts";
import { abortUpload, completeUpload, createUpload, isNoSuchUpload, uploadPart } from "./multipart.ts";
import { getDocument, headObject, isConditionRefused, putDocument, putObject } from "./objects.ts";
import type { ConditionSupport } from "./profiles.ts";
import { S3Error } from "./s3-error.ts";

/**
 * One fixed key, overwritten in each run and never removed: archive runs need no permission to delete
 * (promise I2). Listings leave it out.
 */
export const PROBE_KEY = "state/preflight.json";
const MISSING_KEY = "state/preflight-missing.json";
/** The same from every runner, so that two probes at once do not look like a store that loses writes. */
const PROBE_TEXT = '{"about":"written by iotda-archiver to try the store out; safe to delete"}';
const SWAP_ATTEMPTS = 5;
/** Each probe that begins meanwhile takes away one upload of a probe under way: so many begin at once nowhere. */
const COMPLETION_ATTEMPTS = 20;
const WRONG_ETAG = "00000000000000000000000000000000";

/** What the store was found able to do; both kinds of create-once apart. */
export interface S3Abilities extends StoreAbilities {
  readonly createOnceAtCompletion: boolean;
}

/**
 * Does once what archiving does all the time: put, get, list, ask for what is missing, list uploads; and
 * tries out the conditional writes that the profile neither relies on nor rules out.
 *
 * @throws StoreError of the first step that fails; the signal's reason.
 */
export async function probeS3Store(bucket: S3Bucket, signal: AbortSignal): Promise<S3Abilities> {
  await writeProbe(bucket, signal);
  demand(
    (await getDocument(bucket, PROBE_KEY, signal))?.text === PROBE_TEXT,
    "gives other bytes back than were put",
  );
  demand(await isListed(bucket, signal), "does not list what was put");
  await requireDigest(bucket, signal);
  // Without list permission this is where a missing object looks denied.
  demand((await headObject(bucket, MISSING_KEY, signal)) === undefined, "shows an object nobody put");
  // Needs the permissions to list and to abort. What a dead probe left goes, however young it is: nobody can tell it
  // from the upload of a probe under way, which begins again.
  await abortUploads(bucket, { key: PROBE_KEY }, signal);
  const { conditionalPut, conditionalCompletion, verification } = bucket.profile;
  return {
    createOnce: await supports(conditionalPut, () => isSecondPutRefused(bucket, signal)),
    compareAndSwap: await supports(conditionalPut, () => isSwapKept(bucket, signal)),
    createOnceAtCompletion: await supports(conditionalCompletion, () =>
      isSecondCompletionRefused(bucket, signal),
    ),
    verification,
  };
}

async function supports(support: ConditionSupport, probe: () => Promise<boolean>): Promise<boolean> {
  switch (support) {
    case "assumed":
      return true;
    case "off":
      return false;
    case "probed":
      return await probe();
  }
}

async function writeProbe(bucket: S3Bucket, signal: AbortSignal): Promise<string> {
  const written = await putDocument(bucket, PROBE_KEY, PROBE_TEXT, { kind: "always" }, signal);
  if (written === "conflict") {
    throw unusableError("refuses a write without a condition");
  }
  return written.etag;
}

async function isListed(bucket: S3Bucket, signal: AbortSignal): Promise<boolean> {
  for await (const { key } of listObjects(bucket, PROBE_KEY, signal)) {
    if (key === PROBE_KEY) {
      return true;
    }
  }
  return false;
}

/** Where copies are proved by the store's own digest, it has to keep one. */
async function requireDigest(bucket: S3Bucket, signal: AbortSignal): Promise<void> {
  if (!bucket.profile.keepsFullObjectCrc32) {
    return;
  }
  const head = await headObject(bucket, PROBE_KEY, signal);
  demand(
    head?.checksum !== undefined,
    "keeps no CRC32 of what was put",
    "Set ARCHIVER_STORE_PROFILE to generic: copies are then proved by reading them back.",
  );
}

/** The probe object is there: a store that takes it again ignores the condition. */
async function isSecondPutRefused(bucket: S3Bucket, signal: AbortSignal): Promise<boolean> {
  return await isProbeRefused(bucket, { kind: "if-absent" }, signal);
}

/** A swap is kept when a stale ETag is refused and the right one is not. */
async function isSwapKept(bucket: S3Bucket, signal: AbortSignal): Promise<boolean> {
  const isRefused = async (etag: string) => await isProbeRefused(bucket, { kind: "if-match", etag }, signal);
  if (!(await isRefused(WRONG_ETAG))) {
    return false;
  }
  // Where equal contents have different ETags (SSE-KMS), another runner's probe may come between.
  for (let attempt = 1; attempt <= SWAP_ATTEMPTS; attempt += 1) {
    if (!(await isRefused(await writeProbe(bucket, signal)))) {
      return true;
    }
  }
  return false;
}

/** `false` for a store that ignores the condition or does not know it; other failures are passed on. */
async function isProbeRefused(
  bucket: S3Bucket,
  condition: WriteCondition,
  signal: AbortSignal,
): Promise<boolean> {
  const body = Buffer.from(PROBE_TEXT);
  const digest = digestOf(bucket.profile.bodyDigest, body);
  const put = { key: PROBE_KEY, body, digest, condition, contentType: "application/json" };
  try {
    await putObject(bucket, put, signal);
    return false;
  } catch (thrown) {
    return isRefusal(thrown);
  }
}

async function isSecondCompletionRefused(bucket: S3Bucket, signal: AbortSignal): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryToCompleteAgain(bucket, signal);
    } catch (thrown) {
      // Another runner's probe began and took the upload for a dead one's.
      if (!isNoSuchUpload(thrown) || attempt >= COMPLETION_ATTEMPTS) {
        throw thrown;
      }
    }
  }
}

async function tryToCompleteAgain(bucket: S3Bucket, signal: AbortSignal): Promise<boolean> {
  const body = Buffer.from(PROBE_TEXT);
  const digest = digestOf(bucket.profile.bodyDigest, body);
  const watch = { mayHaveHappened: false };
  const upload = await createUpload(bucket, { key: PROBE_KEY, metadata: {} }, signal, watch);
  try {
    const part = await uploadPart(bucket, upload, { partNumber: 1, body, digest }, signal);
    const joined = { ...upload, parts: [part], sizeBytes: body.length, crc32: undefined };
    await completeUpload(bucket, joined, { kind: "if-absent" }, signal, watch);
    return false;
  } catch (thrown) {
    // Before all else: a bare 404 for an upload that is gone reads like a condition that does not hold.
    if (isNoSuchUpload(thrown)) {
      throw thrown;
    }
    return isRefusal(thrown);
  } finally {
    await abortUpload(bucket, upload, signal);
  }
}

function isRefusal(thrown: unknown): boolean {
  if (isConditionRefused(thrown)) {
    return true;
  }
  if (thrown instanceof S3Error && (thrown.httpStatus === 501 || thrown.httpStatus === 400)) {
    return false;
  }
  throw thrown;
}

function demand(holds: boolean, problem: string, hint?: string): void {
  if (!holds) {
    throw unusableError(problem, hint);
  }
}

const NOT_A_STORE =
  "Check that ARCHIVER_STORE and AWS_ENDPOINT_URL_S3 name an S3 store, and that nothing in between caches or rewrites.";

function unusableError(problem: string, hint = NOT_A_STORE): StoreError {
  return new StoreError(
    { ...MISCONFIGURED, problem: `the store cannot be used: it ${problem}`, hint },
    PROBE_KEY,
  );
}
