import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { S3Refusal } from "./errors.ts";
import type { Account, S3Settings } from "./settings.ts";

/** The head of a request as it came over the wire. */
export interface RequestHead {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  /** Lowercase names; a repeated header's values joined by `,`. */
  readonly headers: ReadonlyMap<string, string>;
}

/** A signature that holds, and what the signatures of aws-chunked chunks go on from. */
export interface VerifiedSignature {
  readonly amzDate: string;
  /** `{day}/{region}/s3/aws4_request` */
  readonly scope: string;
  readonly signingKey: Buffer;
  readonly signature: string;
}

export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";
export const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const MAX_SKEW_MS = 15 * 60 * 1000;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 +Credential=([^,/\s]+)\/(\d{8}\/[^/,\s]+\/s3\/aws4_request), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})$/;

/**
 * Checks AWS Signature Version 4 in the Authorization header. Written from the documentation alone, sharing
 * nothing with any client.
 *
 * @param nowMs the store's clock, epoch milliseconds.
 * @throws S3Refusal with the code S3 uses; its message never holds a key or the expected signature.
 */
export function verifySignature(
  head: RequestHead,
  settings: Pick<S3Settings, "accounts" | "region">,
  nowMs: number,
): VerifiedSignature {
  const authorization = head.headers.get("authorization");
  if (authorization === undefined) {
    throw new S3Refusal("AccessDenied", "Anonymous access is not allowed; sign the request.");
  }
  const [, accessKeyId, scope = "", signedHeaders = "", signature = ""] =
    AUTHORIZATION.exec(authorization) ?? [];
  if (accessKeyId === undefined) {
    throw new S3Refusal("AuthorizationHeaderMalformed", "The Authorization header has another form.");
  }
  const account = settings.accounts.find((one) => one.accessKeyId === accessKeyId);
  if (account === undefined) {
    throw new S3Refusal("InvalidAccessKeyId", "The access key id you provided does not exist.");
  }
  requireToken(head, account);
  const amzDate = requireDate(head, nowMs);
  if (scope !== `${amzDate.slice(0, 8)}/${settings.region}/s3/aws4_request`) {
    throw new S3Refusal(
      "AuthorizationHeaderMalformed",
      `The credential scope is wrong; expecting the day of x-amz-date and region '${settings.region}'.`,
    );
  }
  requireHeaders(head, signedHeaders);
  const signingKey = signingKeyOf(account.secretAccessKey, scope);
  const expected = signatureOf(head, signedHeaders, amzDate, scope, signingKey);
  if (!timingSafeEqual(Buffer.from(expected, "hex"), Buffer.from(signature, "hex"))) {
    throw new S3Refusal("SignatureDoesNotMatch", "The signature does not match; check key and method.");
  }
  return { amzDate, scope, signingKey, signature };
}

function requireToken(head: RequestHead, account: Account): void {
  if (account.expired) {
    throw new S3Refusal("ExpiredToken", "The provided token has expired.");
  }
  const token = head.headers.get("x-amz-security-token");
  if (token === account.sessionToken) {
    return;
  }
  throw token === undefined
    ? // What AWS says of a temporary key that comes without its token.
      new S3Refusal("InvalidAccessKeyId", "The access key id you provided does not exist.")
    : new S3Refusal("InvalidToken", "The provided token is malformed or otherwise invalid.");
}

/** @returns `x-amz-date` as sent. */
function requireDate(head: RequestHead, nowMs: number): string {
  const amzDate = head.headers.get("x-amz-date") ?? "";
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(amzDate);
  const [, year, month, day, hour, minute, second] = match ?? [];
  const dateMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(dateMs)) {
    throw new S3Refusal("AccessDenied", "AWS authentication requires a valid x-amz-date header.");
  }
  if (Math.abs(nowMs - dateMs) > MAX_SKEW_MS) {
    throw new S3Refusal(
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
    );
  }
  return amzDate;
}

function requireHeaders(head: RequestHead, signedHeaders: string): void {
  const names = signedHeaders.split(";");
  if (
    [...new Set(names)].sort().join(";") !== signedHeaders ||
    signedHeaders !== signedHeaders.toLowerCase()
  ) {
    throw new S3Refusal("AuthorizationHeaderMalformed", "SignedHeaders must be lowercase and sorted.");
  }
  const mustBeSigned = [...head.headers.keys()].filter(
    (name) => name === "host" || name.startsWith("x-amz-"),
  );
  const unsigned = mustBeSigned.filter((name) => !names.includes(name));
  if (unsigned.length > 0) {
    throw new S3Refusal(
      "AccessDenied",
      `There were headers present in the request which were not signed: ${unsigned.join(", ")}`,
    );
  }
  if (!head.headers.has("x-amz-content-sha256")) {
    throw new S3Refusal("InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  }
}

/** @param scope `{day}/{region}/s3/aws4_request` */
export function signingKeyOf(secretAccessKey: string, scope: string): Buffer {
  return scope
    .split("/")
    .reduce((key: Buffer, part) => hmac(key, part), Buffer.from(`AWS4${secretAccessKey}`, "utf8"));
}

/** The signature a request must carry, lowercase hex. */
export function signatureOf(
  head: RequestHead,
  signedHeaders: string,
  amzDate: string,
  scope: string,
  signingKey: Buffer,
): string {
  const [path = "", query = ""] = splitOnce(head.url, "?");
  const headerLines = signedHeaders
    .split(";")
    .map((name) => `${name}:${(head.headers.get(name) ?? "").trim().replace(/ +/g, " ")}\n`);
  const canonicalRequest = [
    head.method,
    path.split("/").map(encodeAgain).join("/"),
    canonicalQuery(query),
    headerLines.join(""),
    signedHeaders,
    head.headers.get("x-amz-content-sha256") ?? "",
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", amzDate, scope, sha256Hex(canonicalRequest)].join("\n");
  return hmac(signingKey, toSign).toString("hex");
}

/**
 * The signature of one chunk of a `STREAMING-AWS4-HMAC-SHA256-PAYLOAD` body.
 *
 * @param previous the signature of the chunk before, or of the request.
 */
export function chunkSignature(verified: VerifiedSignature, previous: string, chunk: Buffer): string {
  const { amzDate, scope, signingKey } = verified;
  const lines = ["AWS4-HMAC-SHA256-PAYLOAD", amzDate, scope, previous, EMPTY_SHA256, sha256Hex(chunk)];
  return hmac(signingKey, lines.join("\n")).toString("hex");
}

function canonicalQuery(query: string): string {
  const pairs = query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => splitOnce(pair, "=").map(encodeAgain));
  const lines = pairs.map(([key = "", value = ""]) => ({ key, line: `${key}=${value}` }));
  lines.sort((a, b) => compare(a.key, b.key) || compare(a.line, b.line));
  return lines.map(({ line }) => line).join("&");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** S3 signs a path encoded once: what came over the wire is decoded, then encoded by the rules. */
function encodeAgain(text: string): string {
  return encodeStrictly(decode(text));
}

/** Percent-encodes everything outside `A-Za-z0-9-_.~`. */
export function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray % is not an encoding: it is signed as it stands.
    return text;
  }
}

export function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}

function sha256Hex(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text, "utf8").digest();
}
