import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { MAX_DOCUMENT_BYTES, type StoredDocument, type WriteCondition } from "../../ports/object-store.ts";
import { documentBytes, documentText } from "../document-text.ts";
import { digestOf } from "./checksums.ts";
import { type S3Context, unquoted } from "./client.ts";
import { bodyOf, getObject, isMissingObject, type Precondition, putObject } from "./objects.ts";
import type { CallOutcome } from "./s3-caller.ts";
import { S3Error } from "./s3-error.ts";

const JSON_TYPE = "application/json";

/** Reads a small document; `undefined` when there is none. @throws StoreError, the signal's reason. */
export async function getDocument(
  context: S3Context,
  key: string,
  signal: AbortSignal,
): Promise<StoredDocument | undefined> {
  let answer: GetObjectCommandOutput;
  try {
    answer = await getObject(context, { key }, signal);
  } catch (thrown) {
    if (isMissingObject(thrown)) {
      return undefined;
    }
    throw thrown;
  }
  const etag = unquoted(answer.ETag ?? "");
  const body = bodyOf(answer, { key, isRanged: false }, signal);
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_DOCUMENT_BYTES) {
      return { text: undefined, etag };
    }
    chunks.push(chunk);
  }
  return { text: documentText(Buffer.concat(chunks)), etag };
}

/**
 * Writes a small document under a condition. `conflict`: the condition did not hold, or kept colliding with
 * other writers. One's own write whose answer was lost is recognised by its text.
 *
 * @throws StoreError, the signal's reason.
 */
export async function putDocument(
  context: S3Context,
  key: string,
  text: string,
  condition: WriteCondition,
  signal: AbortSignal,
): Promise<{ readonly etag: string } | "conflict"> {
  const body = documentBytes(key, text);
  const digest = digestOf(context.profile.bodyDigest, body);
  const put = { key, body, digest, contentType: JSON_TYPE, ...preconditionOf(condition) };
  const outcome: CallOutcome = { mayHaveHappened: false };
  try {
    const { etag } = await putObject(context, put, signal, outcome);
    return { etag };
  } catch (thrown) {
    signal.throwIfAborted();
    if (condition.kind === "always" || !isConditionRefused(thrown)) {
      throw thrown;
    }
    if (outcome.mayHaveHappened) {
      const standing = await getDocument(context, key, signal);
      return standing?.text === text ? { etag: standing.etag } : "conflict";
    }
    return "conflict";
  }
}

function preconditionOf(condition: WriteCondition): Precondition {
  switch (condition.kind) {
    case "always":
      return {};
    case "if-absent":
      return { ifAbsent: true };
    case "if-match":
      return { ifMatchEtag: condition.etag };
  }
}

/** 412; 404 where nothing is left to match; 409 when other writers were at it each time. */
export function isConditionRefused(thrown: unknown): boolean {
  return (
    thrown instanceof S3Error &&
    (thrown.httpStatus === 412 || thrown.s3Code === "ConditionalRequestConflict" || isMissingObject(thrown))
  );
}
