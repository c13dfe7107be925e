import type { Answer, Bytes } from "../kit/answer.ts";
import type { RequestHead } from "../kit/signing.ts";
import type { PieceFolder } from "./content.ts";
import { S3Refusal } from "./errors.ts";
import type { S3Fault } from "./faults.ts";
import type { Bucket } from "./model.ts";
import type { BucketSettings, S3Settings } from "./settings.ts";
import type { VerifiedSignature } from "./signature.ts";

/** One request that passed the signature check, and what it works on. */
export interface Exchange {
  readonly head: RequestHead;
  readonly query: URLSearchParams;
  readonly verified: VerifiedSignature;
  /** The body as sent; read once, or not at all. */
  readonly body: Bytes;
  readonly settings: S3Settings;
  readonly bucketSettings: BucketSettings;
  readonly bucket: Bucket;
  readonly key: string;
  readonly pieces: PieceFolder;
  /** The store's clock, epoch milliseconds. */
  readonly nowMs: number;
  readonly fault: S3Fault | undefined;
}

export type Handler = (exchange: Exchange) => Answer | Promise<Answer>;

export function header(exchange: Exchange, name: string): string | undefined {
  return exchange.head.headers.get(name);
}

/**
 * A whole number from the query, inside its limits.
 *
 * @throws S3Refusal InvalidArgument
 */
export function numberIn(query: URLSearchParams, name: string, fallback: number, max: number): number {
  const text = query.get(name);
  const value = text === null ? fallback : /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || (name === "partNumber" && (value < 1 || value > max))) {
    throw new S3Refusal("InvalidArgument", `${name} is not a number between 1 and ${max}, inclusive`);
  }
  return Math.min(value, max);
}
