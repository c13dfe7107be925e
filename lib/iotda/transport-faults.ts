import { ArchiverError } from "../domain/errors.ts";
import { malformedAnswer, unreachable } from "./errors.ts";

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

/** An answer that is there but is no HTTP, or one with a head larger than any real one. */
const NOT_HTTP = /^(?:HPE_|UND_ERR_HEADERS_OVERFLOW$)/;

/**
 * What a failing connection becomes. Errors of ours pass as they are.
 *
 * The cause keeps only the fault's name and code: an undici parser error carries the raw answer.
 */
export function transportFault(operation: string, thrown: unknown): ArchiverError {
  if (thrown instanceof ArchiverError) {
    return thrown;
  }
  const code = faultCode(thrown);
  if (NOT_HTTP.test(code)) {
    return malformedAnswer(operation, `the answer is not valid HTTP (${code})`);
  }
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
