import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Account, Settings } from "./settings.ts";

/** A request as it came over the wire. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  /** Lowercase names; a repeated header's values joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** Why a request is refused, as the gateway would say it (iotda-api §2.2). */
export interface SignatureRefusal {
  readonly status: number;
  readonly code: string;
  /** Names what is wrong; never the expected signature or a key. */
  readonly message: string;
}

export type SignatureSettings = Pick<Settings, "accounts" | "region" | "requireSigning">;

interface Authorization {
  readonly algorithm: "SDK-HMAC-SHA256" | "V11-HMAC-SHA256";
  readonly ak: string;
  /** `{day}/{region}/{service}`, derived algorithm only. */
  readonly scope: string | undefined;
  readonly signedHeaders: string;
  readonly signature: string;
}

const MAX_SKEW_MS = 15 * 60 * 1000;
const STANDARD = /^SDK-HMAC-SHA256 Access=([^,/\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})$/;
const DERIVED =
  /^V11-HMAC-SHA256 Credential=([^,/\s]+)\/([^,\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})$/;

/**
 * Checks a request's signature, either algorithm (iotda-api §3.1, §3.2). Written from the documentation
 * alone and sharing nothing with the client, so that a mistake in one shows against the other.
 *
 * @param platformMs the platform's clock, epoch milliseconds.
 * @returns the refusal, or `undefined` when the signature holds.
 */
export function refuseSignature(
  request: SignedRequest,
  settings: SignatureSettings,
  platformMs: number,
): SignatureRefusal | undefined {
  const authorization = parseAuthorization(request.headers.get("authorization") ?? "");
  if (authorization === undefined) {
    return refused("the Authorization header is missing or has another form");
  }
  const derived = authorization.algorithm === "V11-HMAC-SHA256";
  if (settings.requireSigning === "derived" && !derived) {
    // What standard and enterprise instances were seen to answer (iotda-api §2.2, IOTDA.000002).
    return { status: 401, code: "IOTDA.000002", message: "authentication failed" };
  }
  if (settings.requireSigning === "standard" && derived) {
    return refused("this endpoint takes SDK-HMAC-SHA256");
  }
  const account = settings.accounts.find(({ ak }) => ak === authorization.ak);
  if (account === undefined) {
    return refused("unknown access key");
  }
  const date = request.headers.get("x-sdk-date") ?? "";
  const dateMs = parseSdkDate(date);
  if (dateMs === undefined) {
    return refused("X-Sdk-Date is missing or not YYYYMMDDTHHMMSSZ");
  }
  if (Math.abs(platformMs - dateMs) > MAX_SKEW_MS) {
    return { status: 401, code: "APIGW.0303", message: "X-Sdk-Date differs by more than 15 minutes" };
  }
  if (derived && authorization.scope !== `${date.slice(0, 8)}/${settings.region}/iotdm`) {
    return refused("the credential scope is not {day}/{region}/iotdm of this request");
  }
  return (
    refuseHeaders(request, authorization, account) ??
    refuseBodyHash(request) ??
    refuseMac(request, authorization, account)
  );
}

function refused(message: string): SignatureRefusal {
  return { status: 401, code: "APIGW.0301", message: `Incorrect IAM authentication information: ${message}` };
}

function parseAuthorization(text: string): Authorization | undefined {
  const standard = STANDARD.exec(text);
  if (standard !== null) {
    const [, ak = "", signedHeaders = "", signature = ""] = standard;
    return { algorithm: "SDK-HMAC-SHA256", ak, scope: undefined, signedHeaders, signature };
  }
  const derived = DERIVED.exec(text);
  if (derived !== null) {
    const [, ak = "", scope = "", signedHeaders = "", signature = ""] = derived;
    return { algorithm: "V11-HMAC-SHA256", ak, scope, signedHeaders, signature };
  }
  return undefined;
}

function parseSdkDate(text: string): number | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (match === null) {
    return undefined;
  }
  const [, year, month, day, hour, minute, second] = match;
  const epochMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(epochMs) ? undefined : epochMs;
}

function refuseHeaders(
  request: SignedRequest,
  authorization: Authorization,
  account: Account,
): SignatureRefusal | undefined {
  const names = authorization.signedHeaders.split(";");
  const sorted = [...new Set(names)].sort();
  if (
    sorted.join(";") !== authorization.signedHeaders ||
    authorization.signedHeaders !== authorization.signedHeaders.toLowerCase()
  ) {
    return refused("SignedHeaders must be lowercase, sorted and without repeats");
  }
  const absent = names.find((name) => !request.headers.has(name));
  if (absent !== undefined) {
    return refused("a signed header was not sent");
  }
  const token = request.headers.get("x-security-token");
  if (token !== account.securityToken) {
    return refused("X-Security-Token does not belong to this access key");
  }
  const mustBeSigned = ["host", "x-sdk-date", ...(token === undefined ? [] : ["x-security-token"])];
  const unsigned = mustBeSigned.find((name) => !names.includes(name));
  return unsigned === undefined ? undefined : refused(`${unsigned} must be signed`);
}

function refuseBodyHash(request: SignedRequest): SignatureRefusal | undefined {
  const declared = request.headers.get("x-sdk-content-sha256");
  const lies =
    declared !== undefined && declared !== "UNSIGNED-PAYLOAD" && declared !== sha256Hex(request.body);
  return lies ? refused("X-Sdk-Content-Sha256 is not the hash of the body") : undefined;
}

function refuseMac(
  request: SignedRequest,
  authorization: Authorization,
  account: Account,
): SignatureRefusal | undefined {
  const expected = signatureOf(request, authorization.signedHeaders, account, authorization.scope);
  const same = timingSafeEqual(Buffer.from(expected, "hex"), Buffer.from(authorization.signature, "hex"));
  return same ? undefined : refused("verify aksk signature fail");
}

/**
 * The signature a request must carry.
 *
 * @param scope `{day}/{region}/iotdm` for the derived algorithm, `undefined` for the standard one.
 */
export function signatureOf(
  request: SignedRequest,
  signedHeaders: string,
  account: Pick<Account, "ak" | "sk">,
  scope: string | undefined,
): string {
  const date = request.headers.get("x-sdk-date") ?? "";
  const hash = canonicalHashOf(request, signedHeaders);
  return scope === undefined
    ? hmacHex(account.sk, ["SDK-HMAC-SHA256", date, hash].join("\n"))
    : hmacHex(derivedKeyOf(account, scope), ["V11-HMAC-SHA256", date, scope, hash].join("\n"));
}

/** HKDF-SHA256 with one block; the key in use is its hex text, not its bytes (iotda-api §3.2). */
export function derivedKeyOf(account: Pick<Account, "ak" | "sk">, scope: string): string {
  const pseudoRandomKey = createHmac("sha256", account.ak).update(account.sk).digest();
  return createHmac("sha256", pseudoRandomKey).update(scope).update(Buffer.of(1)).digest("hex");
}

/** SHA-256 of the canonical request (iotda-api §3.1, step 2). */
export function canonicalHashOf(request: SignedRequest, signedHeaders: string): string {
  const [path = "", query = ""] = splitOnce(request.url, "?");
  const headerLines = signedHeaders
    .split(";")
    .map((name) => `${name}:${request.headers.get(name)?.trim()}\n`);
  const bodyHash = request.headers.get("x-sdk-content-sha256") ?? sha256Hex(request.body);
  return sha256Hex(
    [
      request.method,
      canonicalPath(path),
      canonicalQuery(query),
      headerLines.join(""),
      signedHeaders,
      bodyHash,
    ].join("\n"),
  );
}

function canonicalPath(path: string): string {
  const segments = path.split("/").map((segment) => encode(decode(segment)));
  const joined = segments.join("/");
  return joined.endsWith("/") ? joined : `${joined}/`;
}

function canonicalQuery(query: string): string {
  const pairs = [...new URLSearchParams(query)];
  pairs.sort(([keyA, valueA], [keyB, valueB]) => compare(keyA, keyB) || compare(valueA, valueB));
  return pairs.map(([key, value]) => `${encode(key)}=${encode(value)}`).join("&");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Percent-encodes everything outside `A-Za-z0-9-_.~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // A stray % is not an encoding: it is signed as it stands.
    return segment;
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function sha256Hex(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmacHex(key: string, text: string): string {
  return createHmac("sha256", key).update(text).digest("hex");
}
