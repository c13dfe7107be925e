import { createHmac } from "node:crypto";
import {
  compactTimeMs,
  compare,
  encodeAgain,
  encodeStrictly,
  hmac,
  isCanonicalList,
  isSameSignature,
  MAX_SKEW_MS,
  type RequestHead,
  sha256Hex,
  splitOnce,
} from "./kit/signing.ts";
import type { Account, Settings } from "./settings.ts";

/** A request as it came over the wire; a repeated header's values are joined by `, `. */
export interface SignedRequest extends RequestHead {
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
  const dateMs = compactTimeMs(date);
  if (Number.isNaN(dateMs)) {
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

function refuseHeaders(
  request: SignedRequest,
  authorization: Authorization,
  account: Account,
): SignatureRefusal | undefined {
  if (!isCanonicalList(authorization.signedHeaders)) {
    return refused("SignedHeaders must be lowercase, sorted and without repeats");
  }
  const names = authorization.signedHeaders.split(";");
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
  return isSameSignature(expected, authorization.signature)
    ? undefined
    : refused("verify aksk signature fail");
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
  const mac =
    scope === undefined
      ? hmac(account.sk, ["SDK-HMAC-SHA256", date, hash].join("\n"))
      : hmac(derivedKeyOf(account, scope), ["V11-HMAC-SHA256", date, scope, hash].join("\n"));
  return mac.toString("hex");
}

/** HKDF-SHA256 with one block; the key in use is its hex text, not its bytes (iotda-api §3.2). */
export function derivedKeyOf(account: Pick<Account, "ak" | "sk">, scope: string): string {
  const pseudoRandomKey = hmac(account.ak, account.sk);
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
  const joined = path.split("/").map(encodeAgain).join("/");
  return joined.endsWith("/") ? joined : `${joined}/`;
}

function canonicalQuery(query: string): string {
  const pairs = [...new URLSearchParams(query)];
  pairs.sort(([keyA, valueA], [keyB, valueB]) => compare(keyA, keyB) || compare(valueA, valueB));
  return pairs.map(([key, value]) => `${encodeStrictly(key)}=${encodeStrictly(value)}`).join("&");
}
