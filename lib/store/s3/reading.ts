import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { noteSpentBytes } from "../../network/spent-buffers.ts";
import type { ReadOptions } from "../../ports/object-store.ts";
import { UNREACHABLE } from "./fault-table.ts";
import { getObject } from "./object-requests.ts";
import type { S3Context } from "./s3-context.ts";
import { faultError, notS3Error, S3Error, tooSlowError, toS3Error } from "./s3-error.ts";

/** How long the next bytes of a body are waited for. What its reader does between them is not counted. */
export const BODY_IDLE_MS = 60_000;

/**
 * The bytes of an object or of a range of it, cut short at the object's end. A body that breaks off is an
 * error, not resumed: whoever hashes it begins again.
 *
 * @param versionId without it, the newest version.
 * @throws S3Error, the signal's reason.
 */
export async function* readObject(
  context: S3Context,
  key: string,
  { signal, range }: ReadOptions,
  versionId?: string,
): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted();
  if (range !== undefined && range.startByte >= range.endByteExclusive) {
    return;
  }
  const header =
    range === undefined ? {} : { range: `bytes=${range.startByte}-${range.endByteExclusive - 1}` };
  let answer: GetObjectCommandOutput;
  try {
    answer = await getObject(context, { key, ...header, versionId }, signal);
  } catch (thrown) {
    if (thrown instanceof S3Error && thrown.httpStatus === 416) {
      return; // the range begins at or after the object's end
    }
    throw thrown;
  }
  yield* bodyOf(answer, { key, isRanged: range !== undefined }, signal);
}

/** The body of an answer, exactly as long as announced. @throws S3Error, also of one that stalls; the signal's reason. */
export async function* bodyOf(
  answer: GetObjectCommandOutput,
  { key, isRanged }: { readonly key: string; readonly isRanged: boolean },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const request = { operation: "GetObject", subject: key };
  const { Body: body, ContentLength: announcedBytes, $metadata } = answer;
  if (body === undefined || !("destroy" in body) || announcedBytes === undefined) {
    throw notS3Error(request);
  }
  if (isRanged && $metadata.httpStatusCode !== 206) {
    body.destroy();
    throw notS3Error(request); // the whole object instead of a range would be read as that range
  }
  const stop = () => body.destroy();
  signal.addEventListener("abort", stop, { once: true });
  const limitWait = () => setTimeout(() => body.destroy(tooSlowError(request)), BODY_IDLE_MS);
  let receivedBytes = 0;
  let idle = limitWait();
  try {
    signal.throwIfAborted();
    for await (const chunk of body) {
      clearTimeout(idle);
      if (!(chunk instanceof Uint8Array)) {
        throw notS3Error(request);
      }
      receivedBytes += chunk.length;
      yield chunk;
      noteSpentBytes(chunk.length);
      signal.throwIfAborted();
      idle = limitWait();
    }
  } catch (thrown) {
    signal.throwIfAborted();
    throw thrown instanceof S3Error ? thrown : (toS3Error(thrown, request) ?? thrown);
  } finally {
    clearTimeout(idle);
    signal.removeEventListener("abort", stop);
    body.destroy();
  }
  signal.throwIfAborted();
  if (receivedBytes !== announcedBytes) {
    throw faultError(UNREACHABLE, request);
  }
}
