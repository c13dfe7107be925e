import { S3Refusal } from "./errors.ts";
import { type Exchange, header } from "./exchange.ts";
import type { StoredVersion } from "./model.ts";
import type { ConditionSupport } from "./settings.ts";

/**
 * Holds a write to its conditions. Called when the bytes are there and nothing can come in between.
 *
 * @throws S3Refusal PreconditionFailed, NoSuchKey, NotImplemented
 */
export function requireWriteConditions(exchange: Exchange, createOnce: ConditionSupport): void {
  const current = exchange.bucket.find(exchange.key);
  const ifNoneMatch = header(exchange, "if-none-match");
  if (isHeldTo(ifNoneMatch, createOnce)) {
    if (ifNoneMatch !== "*") {
      throw new S3Refusal("NotImplemented", "If-None-Match on a write takes only *.");
    }
    if (current !== undefined) {
      throw new S3Refusal("PreconditionFailed");
    }
  }
  const ifMatch = header(exchange, "if-match");
  if (isHeldTo(ifMatch, exchange.settings.compareAndSwap)) {
    if (current === undefined) {
      throw new S3Refusal("NoSuchKey");
    }
    if (unquoted(ifMatch) !== current.etag) {
      throw new S3Refusal("PreconditionFailed");
    }
  }
}

/** Refuses a condition the store does not play before it takes the body. */
export function requireKnownConditions(exchange: Exchange, createOnce: ConditionSupport): void {
  isHeldTo(header(exchange, "if-none-match"), createOnce);
  isHeldTo(header(exchange, "if-match"), exchange.settings.compareAndSwap);
}

function isHeldTo(condition: string | undefined, support: ConditionSupport): condition is string {
  if (condition === undefined) {
    return false;
  }
  switch (support) {
    case "supported":
      return true;
    case "ignored":
      return false;
    case "not-implemented":
      throw new S3Refusal(
        "NotImplemented",
        "A header you provided implies functionality that is not implemented",
      );
  }
}

/** @throws S3Refusal PreconditionFailed, NotModified */
export function requireReadConditions(exchange: Exchange, version: StoredVersion): void {
  const ifMatch = header(exchange, "if-match");
  if (ifMatch !== undefined && ifMatch !== "*" && unquoted(ifMatch) !== version.etag) {
    throw new S3Refusal("PreconditionFailed");
  }
  const ifNoneMatch = header(exchange, "if-none-match");
  if (ifNoneMatch !== undefined && (ifNoneMatch === "*" || unquoted(ifNoneMatch) === version.etag)) {
    throw new S3Refusal("NotModified");
  }
}

/** ETags come with quotes or without. */
export function unquoted(etag: string): string {
  return etag.replace(/^"|"$/g, "");
}
