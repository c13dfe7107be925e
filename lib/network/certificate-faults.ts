const AUTHORITY = (setting: string) =>
  `No authority that Node knows has signed the certificate: check ${setting}. For an authority of your own, export NODE_EXTRA_CA_CERTS (the path of its PEM file) before the start; in a file of settings it has no effect.`;
const DATE = () =>
  "The certificate is over, or does not hold yet: check this machine's clock, and let the other side renew it.";
const NAME = (setting: string) =>
  `The certificate is for another host: write the host name that it is for into ${setting}.`;

/** What is wrong with a certificate, by the code that Node's TLS gives it (`X509_V_ERR_…` without its beginning). */
const HINTS: ReadonlyMap<string, (setting: string) => string> = new Map([
  ["CERT_HAS_EXPIRED", DATE],
  ["CERT_NOT_YET_VALID", DATE],
  ["CERT_UNTRUSTED", AUTHORITY],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", AUTHORITY],
  ["ERR_TLS_CERT_ALTNAME_INVALID", NAME],
  ["HOSTNAME_MISMATCH", NAME],
  ["SELF_SIGNED_CERT_IN_CHAIN", AUTHORITY],
  ["UNABLE_TO_GET_ISSUER_CERT", AUTHORITY],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", AUTHORITY],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", AUTHORITY],
]);

/**
 * What to do about a certificate that does not hold; `undefined` for any other fault.
 *
 * @param code the `code` of Node's error.
 * @param setting what names the address.
 */
export function certificateHint(code: string | undefined, setting: string): string | undefined {
  return code === undefined ? undefined : HINTS.get(code)?.(setting);
}
