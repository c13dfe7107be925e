import { AKSKSigner } from "@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner.js";
import { BasicCredentials } from "@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials.js";
import { DerivedAKSKSigner } from "@huaweicloud/huaweicloud-sdk-core/auth/DerivedAKSKSigner.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  canonicalHashOf,
  derivedKeyOf,
  refuseSignature,
  type SignatureSettings,
  type SignedRequest,
  signatureOf,
} from "./signature.ts";

const ACCOUNT = { ak: "EXAMPLEAK0000000000A", sk: "exampleSecretKey0123456789abcdefghijklmn" };
const PROJECT = "0123456789abcdef0123456789abcdef";
const SCOPE = "20260129/ap-southeast-1/iotdm";
const SIGNED_AT_MS = Date.UTC(2026, 0, 29, 1, 2, 3);
const SETTINGS: SignatureSettings = { accounts: [ACCOUNT], region: "ap-southeast-1", requireSigning: "any" };
const HEADERS = {
  "content-type": "application/json",
  "instance-id": "11111111-2222-3333-4444-555555555555",
  "x-project-id": PROJECT,
  "x-sdk-date": "20260129T010203Z",
};

function request(url: string, headers: Record<string, string>, body = ""): SignedRequest {
  return { method: "GET", url, headers: new Map(Object.entries(headers)), body: Buffer.from(body) };
}

const CASE_A = request(
  `/v5/iot/${PROJECT}/export-tasks?resource_type=BatchTask&limit=50&resource_condition=${encodeURIComponent('{"task_id":"5f2bc8f5c7e2f202d4c65e6f"}')}`,
  { ...HEADERS, host: "iotda.ap-southeast-1.myhuaweicloud.com" },
);
const CASE_B = request(`/v5/iot/${PROJECT}/export-tasks/5f2bc8f5c7e2f202d4c65e70/file`, {
  ...HEADERS,
  host: "abcdef1234.st1.iotda-app.ap-southeast-1.myhuaweicloud.com",
  "x-security-token": "tmp+token/==",
});

describe("the vectors of iotda-api §3.3", () => {
  test.each([
    {
      name: "A",
      given: CASE_A,
      hash: "0d2893bb6cd7d447bb8edd2df054f122beafe33ff9886f8a7cf5e50bc03aaa97",
      standard: "5c72111633de6ca4890e02ad93208f3d6960dfe2846476276127538702165fd3",
      derived: "17f0ba468abecc12ce3e9521f2181f7a59a8f32136cb3cdb53fe0dbe7d58cb2d",
    },
    {
      name: "B",
      given: CASE_B,
      hash: "a4fa6842613ec1a16ac9833f364c6f264eeb4c85bd67d7e56fb3e2f4d79d6a0c",
      standard: "25195aa8cd7cf311f9748cccd16885ede7805348abdbaa60a01df79ffd319e32",
      derived: "712339ccceff8a69cda59f593a8473ce16a6794da9658b5a28e13cec34d57bc3",
    },
  ])("case $name", ({ given, hash, standard, derived }) => {
    const names = [...given.headers.keys()].sort().join(";");
    expect(canonicalHashOf(given, names)).toBe(hash);
    expect(signatureOf(given, names, ACCOUNT, undefined)).toBe(standard);
    expect(signatureOf(given, names, ACCOUNT, SCOPE)).toBe(derived);
  });

  test("derived key", () => {
    expect(derivedKeyOf(ACCOUNT, SCOPE)).toBe(
      "2056d9086d40877fc57a9e8d8dc49e1c5f06730a49d6a4bfe9ee9e655b2d02be",
    );
  });
});

const anyText = fc.string({ unit: "grapheme", maxLength: 12 });
const anyRequest = fc.record({
  method: fc.constantFrom("GET", "POST", "DELETE"),
  // The SDK takes the path as sent and encodes it again; ids never need encoding.
  segments: fc.array(fc.stringMatching(/^[A-Za-z0-9_.~-]{1,20}$/), { minLength: 1, maxLength: 5 }),
  query: fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), anyText, { maxKeys: 5 }),
  data: fc.option(fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), anyText, { minKeys: 1, maxKeys: 3 }), {
    nil: undefined,
  }),
  token: fc.option(fc.stringMatching(/^[A-Za-z0-9+/=]{1,40}$/), { nil: undefined }),
});

describe("what the official SDK signs is accepted, and only that", () => {
  test.each([
    { name: "standard", signer: AKSKSigner },
    { name: "derived", signer: DerivedAKSKSigner },
  ])("$name", ({ signer }) => {
    fc.assert(
      fc.property(anyRequest, ({ method, segments, query, data, token }) => {
        const credentials = new BasicCredentials().withAk(ACCOUNT.ak).withSk(ACCOUNT.sk);
        credentials.processDerivedAuthParams("iotdm", SETTINGS.region);
        const path = `/${segments.join("/")}`;
        const headers = {
          "content-type": "application/json",
          "X-Sdk-Date": "20260129T010203Z",
          ...(token === undefined ? {} : { "X-Security-Token": token }),
        };
        const endpoint = `http://127.0.0.1:8080${path}`;
        const signed: Record<string, string> = signer.sign(
          { method, endpoint, headers, queryParams: query, data },
          credentials,
        );
        const search = new URLSearchParams(query).toString();
        const wire: SignedRequest = {
          method,
          url: search === "" ? path : `${path}?${search}`,
          headers: new Map(Object.entries(signed).map(([name, value]) => [name.toLowerCase(), value])),
          body: Buffer.from(data === undefined ? "" : JSON.stringify(data)),
        };
        const account = token === undefined ? ACCOUNT : { ...ACCOUNT, securityToken: token };
        const settings = { ...SETTINGS, accounts: [account] };
        expect(refuseSignature(wire, settings, SIGNED_AT_MS)).toBeUndefined();
        const other = { ...wire, body: Buffer.from(`${wire.body.toString()} `) };
        expect(refuseSignature(other, settings, SIGNED_AT_MS)).toMatchObject({ code: "APIGW.0301" });
      }),
      { numRuns: 300 },
    );
  });
});

/** Case A as a client would send it, after a change that is signed, or with names that are not signed. */
function signedCaseA(
  change: Record<string, string> = {},
  unsignedNames: readonly string[] = [],
  scope?: string,
): SignedRequest {
  const headers = new Map([...CASE_A.headers, ...Object.entries(change)]);
  const names = [...headers.keys()].filter((name) => !unsignedNames.includes(name)).sort();
  const changed = { ...CASE_A, headers };
  const signature = signatureOf(changed, names.join(";"), ACCOUNT, scope);
  const credential =
    scope === undefined
      ? `SDK-HMAC-SHA256 Access=${ACCOUNT.ak}`
      : `V11-HMAC-SHA256 Credential=${ACCOUNT.ak}/${scope}`;
  const authorization = `${credential}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return { ...changed, headers: new Map([...headers, ["authorization", authorization]]) };
}

describe("refusals", () => {
  const withHeader = (name: string, value: string): SignedRequest => {
    const signed = signedCaseA();
    return { ...signed, headers: new Map([...signed.headers, [name, value]]) };
  };

  test.each([
    { why: "no Authorization", given: CASE_A, code: "APIGW.0301" },
    { why: "another scheme", given: withHeader("authorization", "Bearer x"), code: "APIGW.0301" },
    { why: "another host than signed", given: withHeader("host", "elsewhere"), code: "APIGW.0301" },
    { why: "host not signed", given: signedCaseA({}, ["host"]), code: "APIGW.0301" },
    { why: "date not signed", given: signedCaseA({}, ["x-sdk-date"]), code: "APIGW.0301" },
    { why: "a malformed date", given: signedCaseA({ "x-sdk-date": "2026-01-29" }), code: "APIGW.0301" },
    { why: "an unknown token", given: signedCaseA({ "x-security-token": "t" }), code: "APIGW.0301" },
    {
      why: "a wrong body hash",
      given: signedCaseA({ "x-sdk-content-sha256": "0".repeat(64) }),
      code: "APIGW.0301",
    },
    {
      why: "another region's scope",
      given: signedCaseA({}, [], "20260129/cn-north-4/iotdm"),
      code: "APIGW.0301",
    },
    {
      why: "another day's scope",
      given: signedCaseA({}, [], "20260128/ap-southeast-1/iotdm"),
      code: "APIGW.0301",
    },
  ])("$why", ({ given, code }) => {
    expect(refuseSignature(given, SETTINGS, SIGNED_AT_MS)).toMatchObject({ status: 401, code });
  });

  test("an unknown access key", () => {
    const settings = { ...SETTINGS, accounts: [{ ...ACCOUNT, ak: "OTHER" }] };
    expect(refuseSignature(signedCaseA(), settings, SIGNED_AT_MS)).toMatchObject({ code: "APIGW.0301" });
  });

  test("a token that is sent but not signed", () => {
    const settings = { ...SETTINGS, accounts: [{ ...ACCOUNT, securityToken: "tmp" }] };
    const unsigned = signedCaseA({ "x-security-token": "tmp" }, ["x-security-token"]);
    expect(refuseSignature(unsigned, settings, SIGNED_AT_MS)).toMatchObject({ code: "APIGW.0301" });
    const signed = signedCaseA({ "x-security-token": "tmp" });
    expect(refuseSignature(signed, settings, SIGNED_AT_MS)).toBeUndefined();
  });

  test("a body under a declared hash or UNSIGNED-PAYLOAD", () => {
    const unsigned = signedCaseA({ "x-sdk-content-sha256": "UNSIGNED-PAYLOAD" });
    expect(
      refuseSignature({ ...unsigned, body: Buffer.from("any") }, SETTINGS, SIGNED_AT_MS),
    ).toBeUndefined();
  });

  test("the clock may be off by 15 minutes and no more", () => {
    const limitMs = 15 * 60 * 1000;
    for (const side of [-1, 1]) {
      expect(refuseSignature(signedCaseA(), SETTINGS, SIGNED_AT_MS + side * limitMs)).toBeUndefined();
      expect(refuseSignature(signedCaseA(), SETTINGS, SIGNED_AT_MS + side * (limitMs + 1))).toMatchObject({
        status: 401,
        code: "APIGW.0303",
      });
    }
  });

  test("an endpoint that takes one algorithm only", () => {
    const standard = signedCaseA();
    const derived = signedCaseA({}, [], SCOPE);
    const ask = (given: SignedRequest, requireSigning: "standard" | "derived") =>
      refuseSignature(given, { ...SETTINGS, requireSigning }, SIGNED_AT_MS)?.code;
    expect(ask(standard, "derived")).toBe("IOTDA.000002");
    expect(ask(derived, "derived")).toBeUndefined();
    expect(ask(derived, "standard")).toBe("APIGW.0301");
    expect(ask(standard, "standard")).toBeUndefined();
  });

  test("no refusal shows a key or a signature", () => {
    const refusal = refuseSignature(withHeader("host", "elsewhere"), SETTINGS, SIGNED_AT_MS);
    expect(JSON.stringify(refusal)).not.toMatch(/[0-9a-f]{64}|exampleSecretKey/);
  });
});
