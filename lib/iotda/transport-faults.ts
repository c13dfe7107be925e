import { ArchiverError } from "../domain/errors.ts";
import { malformedAnswer, unreachable } from "./errors.ts";
import { errors } from "./undici.ts";

const TRY_AGAIN = "The connection failed; it is tried again. If it lasts, check network, firewall and proxy.";
const CERTIFICATE =
  "The endpoint's certificate is not trusted: check ARCHIVER_IOTDA_ENDPOINT, and name your own authority in NODE_EXTRA_CA_CERTS.";
const NAME =
  "The endpoint's name does not resolve: check ARCHIVER_IOTDA_ENDPOINT; a standard or enterprise instance has an address of its own.";

/** Codes of Node and undici whose hint can say more than "try again". */
const HINT_OF_CODE: Readonly<Record<string, string>> = {
  ENOTFOUND: NAME,
  EAI_AGAIN: NAME,
  ECONNREFUSED: "Nothing listens at the endpoint (or proxy): check ARCHIVER_IOTDA_ENDPOINT and HTTPS_PROXY.",
  CERT_HAS_EXPIRED: CERTIFICATE,
  DEPTH_ZERO_SELF_SIGNED_CERT: CERTIFICATE,
  ERR_TLS_CERT_ALTNAME_INVALID: CERTIFICATE,
  SELF_SIGNED_CERT_IN_CHAIN: CERTIFICATE,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: CERTIFICATE,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: CERTIFICATE,
};

/**
 * What a connection that fails before the head of the answer becomes: as {@link transportFault}, but an answer
 * that is there and is no HTTP, or has a head larger than any real one, is malformed.
 */
export function headFault(operation: string, thrown: unknown): ArchiverError {
  return thrown instanceof errors.HTTPParserError || thrown instanceof errors.HeadersOverflowError
    ? malformedAnswer(operation, `the answer is not valid HTTP (${thrown.name})`)
    : transportFault(operation, thrown);
}

/**
 * What a failing connection becomes: `platform-unreachable`. Errors of ours pass as they are.
 *
 * The cause keeps only the fault's code: an undici parser error carries the raw answer.
 */
export function transportFault(operation: string, thrown: unknown): ArchiverError {
  if (thrown instanceof ArchiverError) {
    return thrown;
  }
  const code = faultCode(thrown);
  return unreachable(
    `${operation}: the connection failed (${code})`,
    HINT_OF_CODE[code] ?? TRY_AGAIN,
    new Error(code),
  );
}

function faultCode(thrown: unknown): string {
  if (thrown instanceof Error && "code" in thrown && typeof thrown.code === "string") {
    return /^[A-Z0-9_]{1,64}$/.test(thrown.code) ? thrown.code : "UNKNOWN";
  }
  return thrown instanceof Error ? thrown.name : "UNKNOWN";
}
