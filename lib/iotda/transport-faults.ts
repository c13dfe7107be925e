import { ArchiverError } from "../domain/errors.ts";
import { certificateHint } from "../network/certificate-faults.ts";
import { malformedAnswer, unreachable } from "./errors.ts";

const TRY_AGAIN = "If it lasts, check network, firewall and proxy.";
const NAME =
  "The endpoint's name does not resolve: check ARCHIVER_IOTDA_ENDPOINT; a standard or enterprise instance has an address of its own.";

/** Codes of Node and of our tunnels whose hint can say more than "try again". */
const HINT_OF_CODE: Readonly<Record<string, string>> = {
  ENOTFOUND: NAME,
  EAI_AGAIN: NAME,
  ECONNREFUSED: "Nothing listens at the endpoint (or proxy): check ARCHIVER_IOTDA_ENDPOINT and HTTPS_PROXY.",
  PROXY_REFUSED:
    "The proxy opens no tunnel to the endpoint: check HTTPS_PROXY, and let the proxy's rules allow it.",
  PROXY_WANTS_CREDENTIALS: "The proxy wants another user or password than HTTPS_PROXY names.",
};

/** How the codes of Node's HTTP parser begin. */
const HTTP_PARSER_CODE = "HPE_";

/**
 * What a connection that fails before the head of the answer becomes: as {@link transportFault}, but an answer
 * that is there and is no HTTP, or has a head larger than any real one, is malformed.
 */
export function headFault(operation: string, thrown: unknown): ArchiverError {
  const code = faultCode(thrown);
  return code.startsWith(HTTP_PARSER_CODE)
    ? malformedAnswer(operation, `the answer is not valid HTTP (${code})`)
    : transportFault(operation, thrown);
}

/**
 * What a failing connection becomes: `platform-unreachable`. Errors of ours pass as they are.
 *
 * The cause keeps only the fault's code: a parser error carries the raw answer.
 */
export function transportFault(operation: string, thrown: unknown): ArchiverError {
  if (thrown instanceof ArchiverError) {
    return thrown;
  }
  const code = faultCode(thrown);
  return unreachable(
    `${operation}: the connection failed (${code})`,
    certificateHint(code, "ARCHIVER_IOTDA_ENDPOINT") ?? HINT_OF_CODE[code] ?? TRY_AGAIN,
    new Error(code),
  );
}

function faultCode(thrown: unknown): string {
  if (thrown instanceof Error && "code" in thrown && typeof thrown.code === "string") {
    return /^[A-Z0-9_]{1,64}$/.test(thrown.code) ? thrown.code : "UNKNOWN";
  }
  return thrown instanceof Error ? thrown.name : "UNKNOWN";
}
