import { type FoundAbilities, StoreError, type WriteCondition } from "../../ports/object-store.ts";
import { MISCONFIGURED } from "../store-errors.ts";
import type { S3Bucket } from "./bucket.ts";
import { digestOf } from "./checksums.ts";
import { abortUploads, listObjects } from "./listing.ts";
import { abortUpload, completeUpload, createUpload, isNoSuchUpload, uploadPart } from "./multipart.ts";
import { getDocument, headObject, isConditionRefused, putObject } from "./objects.ts";
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
/** Each probe that begins meanwhile aborts one upload of a probe under way. No deployment begins this many at once. */
const COMPLETION_ATTEMPTS = 20;
const WRONG_ETAG = "00000000000000000000000000000000";

/**
 * Does once what archiving does all the time: put, get, list, ask for what is missing, list uploads; and
 * tries out the conditional writes that the profile neither relies on nor rules out.
 *
 * @throws StoreError of the first step that fails; the signal's reason.
 */
export async function probeS3Store(bucket: S3Bucket, signal: AbortSignal): Promise<FoundAbilities> {
  const { conditionalPut, conditionalCompletion, keepsFullObjectCrc32 } = bucket.profile;
  await putProbe(bucket, { kind: "always" }, signal);
  const read = await getDocument(bucket, PROBE_KEY, signal);
  demand(read?.text === PROBE_TEXT, "returns different bytes from those written");
  demand(await isListed(bucket, signal), "does not list the object that was written");
  if (keepsFullObjectCrc32) {
    const hint = "Set ARCHIVER_STORE_PROFILE to generic. The archiver then proves a copy by reading it back.";
    const head = await headObject(bucket, PROBE_KEY, signal);
    demand(head?.checksum !== undefined, "keeps no CRC32 of the object that was written", hint);
  }
  // Without list permission this is where a missing object looks denied.
  demand(
    (await headObject(bucket, MISSING_KEY, signal)) === undefined,
    "shows an object that does not exist",
  );
  // Needs the permissions to list and to abort. What a dead probe left goes, however young it is, because it
  // looks like the upload of a probe under way. That one begins again.
  await abortUploads(bucket, { key: PROBE_KEY }, signal);
  const isPutProbed = conditionalPut === "probed";
  return {
    // The probe object is there: a store that takes it again ignores the condition.
    createOnce: isPutProbed && (await isRefused(() => putProbe(bucket, { kind: "if-absent" }, signal))),
    compareAndSwap: isPutProbed && (await isSwapKept(bucket, signal)),
    createOnceAtCompletion:
      conditionalCompletion === "probed" && (await isSecondCompletionRefused(bucket, signal)),
  };
}

/** @returns the ETag. */
async function putProbe(bucket: S3Bucket, condition: WriteCondition, signal: AbortSignal): Promise<string> {
  const body = Buffer.from(PROBE_TEXT);
  const digest = digestOf(bucket.profile.bodyDigest, body);
  const put = { key: PROBE_KEY, body, digest, condition, contentType: "application/json" };
  return (await putObject(bucket, put, signal)).etag;
}

async function isListed(bucket: S3Bucket, signal: AbortSignal): Promise<boolean> {
  for await (const { key } of listObjects(bucket, PROBE_KEY, signal)) {
    if (key === PROBE_KEY) {
      return true;
    }
  }
  return false;
}

/** A swap is kept when a stale ETag is refused and the right one is not. */
async function isSwapKept(bucket: S3Bucket, signal: AbortSignal): Promise<boolean> {
  const swap = async (etag: string) => await putProbe(bucket, { kind: "if-match", etag }, signal);
  if (!(await isRefused(() => swap(WRONG_ETAG)))) {
    return false;
  }
  // Where equal contents have different ETags (SSE-KMS), another runner's probe may come between.
  for (let attempt = 1; attempt <= SWAP_ATTEMPTS; attempt += 1) {
    const etag = await putProbe(bucket, { kind: "always" }, signal);
    if (!(await isRefused(() => swap(etag)))) {
      return true;
    }
  }
  return false;
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
  const upload = await createUpload(bucket, { key: PROBE_KEY, metadata: {} }, signal);
  try {
    const complete = async () => {
      const part = await uploadPart(bucket, upload, { partNumber: 1, body, digest }, signal);
      const joined = { ...upload, parts: [part], sizeBytes: body.length, crc32: undefined };
      await completeUpload(bucket, joined, { kind: "if-absent" }, signal);
    };
    // A bare 404 for an upload that is gone reads like a condition that does not hold.
    return await isRefused(complete, isNoSuchUpload);
  } finally {
    await abortUpload(bucket, upload, signal);
  }
}

/** `false` for a store that ignores the condition or does not know it; other failures are passed on. */
async function isRefused(
  write: () => Promise<unknown>,
  isOtherFailure: (thrown: unknown) => boolean = () => false,
): Promise<boolean> {
  try {
    await write();
    return false;
  } catch (thrown) {
    if (!isOtherFailure(thrown) && isConditionRefused(thrown)) {
      return true;
    }
    if (thrown instanceof S3Error && (thrown.httpStatus === 501 || thrown.httpStatus === 400)) {
      return false;
    }
    throw thrown;
  }
}

const NOT_A_STORE =
  "Check that ARCHIVER_STORE and AWS_ENDPOINT_URL_S3 name an S3 store, and that no proxy caches or rewrites its answers.";

function demand(holds: boolean, lack: string, hint = NOT_A_STORE): void {
  if (!holds) {
    throw new StoreError(
      { ...MISCONFIGURED, problem: `the store cannot be used: it ${lack}`, hint },
      PROBE_KEY,
    );
  }
}
