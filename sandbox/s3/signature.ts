import {
  compactTimeMs,
  compare,
  encodeAgain,
  hmac,
  isCanonicalList,
  isSameSignature,
  MAX_SKEW_MS,
  type RequestHead,
  sha256Hex,
  splitOnce,
} from "../kit/signing.ts";
import { S3Refusal } from "./errors.ts";
import type { Account, S3Settings } from "./settings.ts";

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
    throw new S3Refusal("InvalidAccessKeyId");
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
  if (!isSameSignature(expected, signature)) {
    throw new S3Refusal("SignatureDoesNotMatch", "The signature does not match; check key and method.");
  }
  return { amzDate, scope, signingKey, signature };
}

function requireToken(head: RequestHead, account: Account): void {
  if (account.expired) {
    throw new S3Refusal("ExpiredToken");
  }
  const token = head.headers.get("x-amz-security-token");
  if (token === account.sessionToken) {
    return;
  }
  throw token === undefined
    ? // What AWS says of a temporary key that comes without its token.
      new S3Refusal("InvalidAccessKeyId")
    : new S3Refusal("InvalidToken");
}

/** @returns `x-amz-date` as sent. */
function requireDate(head: RequestHead, nowMs: number): string {
  const amzDate = head.headers.get("x-amz-date") ?? "";
  const dateMs = compactTimeMs(amzDate);
  if (Number.isNaN(dateMs)) {
    throw new S3Refusal("AccessDenied", "AWS authentication requires a valid x-amz-date header.");
  }
  if (Math.abs(nowMs - dateMs) > MAX_SKEW_MS) {
    throw new S3Refusal("RequestTimeTooSkewed");
  }
  return amzDate;
}

function requireHeaders(head: RequestHead, signedHeaders: string): void {
  if (!isCanonicalList(signedHeaders)) {
    throw new S3Refusal("AuthorizationHeaderMalformed", "SignedHeaders must be lowercase and sorted.");
  }
  const names = signedHeaders.split(";");
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

/** S3 signs path and query encoded once. */
function canonicalQuery(query: string): string {
  const pairs = query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => splitOnce(pair, "=").map(encodeAgain));
  const lines = pairs.map(([key = "", value = ""]) => ({ key, line: `${key}=${value}` }));
  lines.sort((a, b) => compare(a.key, b.key) || compare(a.line, b.line));
  return lines.map(({ line }) => line).join("&");
}
