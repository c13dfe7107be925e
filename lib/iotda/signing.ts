import { createHash, createHmac } from "node:crypto";
import { compareTexts } from "../domain/compare-texts.ts";
import { isLoopback } from "../network/loopback.ts";

/** An access key pair; temporary ones come with a security token (iotda-api §3.4). */
export interface Credentials {
  readonly ak: string;
  readonly sk: string;
  readonly securityToken?: string | undefined;
}

/** `standard` = `SDK-HMAC-SHA256` (iotda-api §3.1), `derived` = `V11-HMAC-SHA256` (iotda-api §3.2). */
export type SigningAlgorithm = "standard" | "derived";

/** What is signed. Everything here must reach the wire exactly as it stands. */
export interface SignableRequest {
  readonly method: string;
  /** Path as on the wire; its segments need no percent-encoding (ids are checked before they get here). */
  readonly path: string;
  /** Query pairs, unencoded. */
  readonly query: readonly (readonly [name: string, value: string])[];
  /** Every header to be signed, `host` and `x-sdk-date` included; lowercase names. */
  readonly headers: Readonly<Record<string, string>>;
  /** UTF-8 text; empty for none. */
  readonly body: string;
}

/** The part of the derived signature that names where it is valid. */
const DERIVED_SERVICE_NAME = "iotdm";

/**
 * Hosts that take the standard signature: `name[.region].(my)huaweicloud.(com|cn)` (iotda-api §3.2; the same
 * pattern as `BaseCredentials.DEFAULT_ENDPOINT_REG` of the official SDK, `myhwclouds` included).
 */
const STANDARD_SIGNING_HOST =
  /^[a-z][a-z0-9-]+(?:\.[a-z]{2,}-[a-z]+-\d{1,2})?\.(?:my)?(?:huaweicloud|myhwclouds)\.(?:com|cn)$/;

/** The algorithm for a host name: the official rule, and `standard` on loopback (architecture §6.1). */
export function signingAlgorithmFor(hostname: string): SigningAlgorithm {
  return isLoopback(hostname) || STANDARD_SIGNING_HOST.test(hostname) ? "standard" : "derived";
}

/** `X-Sdk-Date` for a moment: `YYYYMMDDTHHMMSSZ` (iotda-api §3.1). */
export function sdkDate(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
}

/** Percent-encodes all but `A-Za-z0-9-_.~`. */
function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The query in canonical form, which is also a valid wire form. */
export function canonicalQuery(query: SignableRequest["query"]): string {
  return [...query]
    .sort(([nameA, valueA], [nameB, valueB]) => compareTexts(nameA, nameB) || compareTexts(valueA, valueB))
    .map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
    .join("&");
}

/** Lowercase hex SHA-256 of the canonical request (iotda-api §3.1, step 2). */
export function canonicalRequestHash(request: SignableRequest): string {
  const path = request.path.split("/").map(percentEncode).join("/");
  const names = Object.keys(request.headers).sort(compareTexts);
  const canonical = [
    request.method,
    // The canonical form always ends in a slash, the wire path never does.
    path.endsWith("/") ? path : `${path}/`,
    canonicalQuery(request.query),
    names.map((name) => `${name}:${request.headers[name]}\n`).join(""),
    names.join(";"),
    sha256Hex(request.body),
  ];
  return sha256Hex(canonical.join("\n"));
}

/**
 * The `Authorization` header for a request.
 *
 * @param regionId only read by the derived algorithm, where it must be right or every call is refused.
 */
export function authorizationHeader(
  request: SignableRequest,
  credentials: Credentials,
  algorithm: SigningAlgorithm,
  regionId: string,
): string {
  const date = request.headers["x-sdk-date"] ?? "";
  const hash = canonicalRequestHash(request);
  const signedHeaders = Object.keys(request.headers).sort(compareTexts).join(";");
  switch (algorithm) {
    case "standard": {
      const signature = hmacHex(credentials.sk, ["SDK-HMAC-SHA256", date, hash].join("\n"));
      return `SDK-HMAC-SHA256 Access=${credentials.ak}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
    }
    case "derived": {
      const info = `${date.slice(0, 8)}/${regionId}/${DERIVED_SERVICE_NAME}`;
      const signature = hmacHex(
        derivedKey(credentials, info),
        ["V11-HMAC-SHA256", date, info, hash].join("\n"),
      );
      return `V11-HMAC-SHA256 Credential=${credentials.ak}/${info}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
    }
  }
}

/** One block of HKDF-SHA256; the key is the hex *text* of the block, not its bytes (iotda-api §3.2). */
export function derivedKey(credentials: Credentials, info: string): string {
  const pseudoRandomKey = createHmac("sha256", credentials.ak).update(credentials.sk).digest();
  return createHmac("sha256", pseudoRandomKey).update(info).update(Uint8Array.of(1)).digest("hex");
}

function sha256Hex(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}

function hmacHex(key: string, text: string): string {
  return createHmac("sha256", key).update(text, "utf8").digest("hex");
}
