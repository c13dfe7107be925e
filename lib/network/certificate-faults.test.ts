import { expect, test } from "vitest";
import { certificateHint } from "./certificate-faults.ts";

test.each([
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
])("%s: an authority of one's own is named before the start, not in a file", (code) => {
  const hint = certificateHint(code, "THE_SETTING");
  expect(hint).toMatch(/check THE_SETTING\..*export NODE_EXTRA_CA_CERTS.*before the start/);
  expect(hint).toContain("in a file of settings it has no effect");
});

test.each([
  ["CERT_HAS_EXPIRED", "clock"],
  ["CERT_NOT_YET_VALID", "clock"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "another host"],
  ["HOSTNAME_MISMATCH", "another host"],
])("%s: no further authority would help", (code, said) => {
  const hint = certificateHint(code, "THE_SETTING");
  expect(hint).toContain(said);
  expect(hint).not.toContain("NODE_EXTRA_CA_CERTS");
});

test("other faults are about something else", () => {
  expect(certificateHint("ECONNREFUSED", "THE_SETTING")).toBeUndefined();
  expect(certificateHint(undefined, "THE_SETTING")).toBeUndefined();
});
