import { AKSKSigner } from "@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner.js";
import { BasicCredentials } from "@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials.js";
import { DerivedAKSKSigner } from "@huaweicloud/huaweicloud-sdk-core/auth/DerivedAKSKSigner.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  authorizationHeader,
  type Credentials,
  canonicalRequestHash,
  derivedKey,
  type SignableRequest,
  sdkDate,
  signingAlgorithmFor,
} from "./signing.ts";

const REGION = "ap-southeast-1";
const PROJECT = "0123456789abcdef0123456789abcdef";
const CREDENTIALS: Credentials = {
  ak: "EXAMPLEAK0000000000A",
  sk: "exampleSecretKey0123456789abcdefghijklmn",
};
const COMMON_HEADERS = {
  "content-type": "application/json",
  "instance-id": "11111111-2222-3333-4444-555555555555",
  "x-project-id": PROJECT,
  "x-sdk-date": "20260129T010203Z",
};
const CASE_A: SignableRequest = {
  method: "GET",
  path: `/v5/iot/${PROJECT}/export-tasks`,
  query: [
    ["resource_type", "BatchTask"],
    ["limit", "50"],
    ["resource_condition", '{"task_id":"5f2bc8f5c7e2f202d4c65e6f"}'],
  ],
  headers: { ...COMMON_HEADERS, host: "iotda.ap-southeast-1.myhuaweicloud.com" },
  body: "",
};
const CASE_B: SignableRequest = {
  method: "GET",
  path: `/v5/iot/${PROJECT}/export-tasks/5f2bc8f5c7e2f202d4c65e70/file`,
  query: [],
  headers: {
    ...COMMON_HEADERS,
    host: "abcdef1234.st1.iotda-app.ap-southeast-1.myhuaweicloud.com",
    "x-security-token": "tmp+token/==",
  },
  body: "",
};

function signatureOf(authorization: string): string | undefined {
  return /Signature=([0-9a-f]{64})$/.exec(authorization)?.[1];
}

describe("the vectors of iotda-api §3.3", () => {
  test.each([
    {
      name: "A",
      request: CASE_A,
      hash: "0d2893bb6cd7d447bb8edd2df054f122beafe33ff9886f8a7cf5e50bc03aaa97",
      standard: "5c72111633de6ca4890e02ad93208f3d6960dfe2846476276127538702165fd3",
      derived: "17f0ba468abecc12ce3e9521f2181f7a59a8f32136cb3cdb53fe0dbe7d58cb2d",
    },
    {
      name: "B",
      request: CASE_B,
      hash: "a4fa6842613ec1a16ac9833f364c6f264eeb4c85bd67d7e56fb3e2f4d79d6a0c",
      standard: "25195aa8cd7cf311f9748cccd16885ede7805348abdbaa60a01df79ffd319e32",
      derived: "712339ccceff8a69cda59f593a8473ce16a6794da9658b5a28e13cec34d57bc3",
    },
  ])("case $name", ({ request, hash, standard, derived }) => {
    expect(canonicalRequestHash(request)).toBe(hash);
    expect(signatureOf(authorizationHeader(request, CREDENTIALS, "standard", ""))).toBe(standard);
    expect(signatureOf(authorizationHeader(request, CREDENTIALS, "derived", REGION))).toBe(derived);
  });

  test("derived key", () => {
    expect(derivedKey(CREDENTIALS, `20260129/${REGION}/iotdm`)).toBe(
      "2056d9086d40877fc57a9e8d8dc49e1c5f06730a49d6a4bfe9ee9e655b2d02be",
    );
  });

  test("the date header is compact UTC without milliseconds", () => {
    expect(sdkDate(Date.UTC(2026, 0, 29, 1, 2, 3, 999))).toBe("20260129T010203Z");
  });
});

/** Any request this client could be made to send, and many that it never sends. */
const anyRequest = fc.record({
  method: fc.constantFrom("GET", "POST", "DELETE"),
  segments: fc.array(fc.stringMatching(/^[A-Za-z0-9._~:@$+,=-]{1,20}$/), { maxLength: 6 }),
  query: fc.dictionary(
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }).filter((name) => name !== "__proto__"),
    fc.string({ unit: "grapheme", maxLength: 30 }),
    { maxKeys: 5 },
  ),
  host: fc.domain(),
  port: fc.option(fc.integer({ min: 1024, max: 65535 })),
  instanceId: fc.option(fc.uuid(), { nil: undefined }),
  securityToken: fc.option(fc.stringMatching(/^[A-Za-z0-9+/=]{1,80}$/), { nil: undefined }),
  data: fc.option(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string({ unit: "grapheme" })), {
    nil: undefined,
  }),
  epochMs: fc.integer({ min: 0, max: 4_102_444_800_000 }),
  ak: fc.stringMatching(/^[A-Z0-9]{1,20}$/),
  sk: fc.stringMatching(/^[A-Za-z0-9]{1,40}$/),
});

describe("agreement with the official SDK's signers", () => {
  test.each(["standard", "derived"] as const)("1,000 random requests, %s", (algorithm) => {
    fc.assert(
      fc.property(anyRequest, (random) => {
        const host = random.port === null ? random.host : `${random.host}:${random.port}`;
        const path = `/${random.segments.join("/")}`;
        const date = sdkDate(random.epochMs);
        const sent = {
          "content-type": "application/json",
          "x-project-id": PROJECT,
          ...(random.instanceId === undefined ? {} : { "instance-id": random.instanceId }),
          ...(random.securityToken === undefined ? {} : { "x-security-token": random.securityToken }),
        };
        const ours = authorizationHeader(
          {
            method: random.method,
            path,
            query: Object.entries(random.query),
            headers: { ...sent, host, "x-sdk-date": date },
            body: random.data === undefined ? "" : JSON.stringify(random.data),
          },
          { ak: random.ak, sk: random.sk },
          algorithm,
          REGION,
        );
        const signer = algorithm === "standard" ? AKSKSigner : DerivedAKSKSigner;
        const credentials = new BasicCredentials({ ak: random.ak, sk: random.sk }).withRegionId(REGION);
        credentials.processDerivedAuthParams("iotdm", REGION);
        const theirs: Record<string, unknown> = signer.sign(
          {
            endpoint: `https://${host}${path}`,
            method: random.method,
            headers: { ...sent, "X-Sdk-Date": date },
            queryParams: random.query,
            data: random.data,
          },
          credentials,
        );
        expect(ours).toBe(theirs.Authorization);
      }),
      { numRuns: 1000 },
    );
  });

  test("repeated values are sorted as there", () => {
    const pairs = [
      ["app", "b"],
      ["app", "a"],
    ] as const;
    const ours = authorizationHeader({ ...CASE_A, query: pairs }, CREDENTIALS, "standard", "");
    const { "x-sdk-date": date, ...headers } = COMMON_HEADERS;
    const theirs: Record<string, unknown> = AKSKSigner.sign(
      {
        endpoint: `https://${CASE_A.headers.host}${CASE_A.path}`,
        method: "GET",
        headers: { ...headers, "X-Sdk-Date": date },
        queryParams: { app: ["b", "a"] },
      },
      new BasicCredentials({ ak: CREDENTIALS.ak, sk: CREDENTIALS.sk }),
    );
    expect(ours).toBe(theirs.Authorization);
  });
});

describe("the algorithm of a host", () => {
  test.each([
    "iotda.cn-north-4.myhuaweicloud.com",
    "iotda.huaweicloud.com",
    "iotda.ap-southeast-1.myhuaweicloud.cn",
    "xxxx.st1.iotda-app.cn-north-4.myhuaweicloud.com",
    "xxxx.iotda-app.cn-north-4.myhuaweicloud.com",
    "iotda.eu-west-101.myhuaweicloud.eu",
    "iotda.example.com",
    "evil-myhuaweicloud.com",
    "iotda.cn-north-4.myhuaweicloud.com.example.org",
  ])("%s: as the SDK's rule says", (hostname) => {
    const derived = BasicCredentials.getDefaultDerivedPredicate({ endpoint: `https://${hostname}` });
    expect(signingAlgorithmFor(hostname)).toBe(derived ? "derived" : "standard");
  });

  test.each(["localhost", "127.0.0.1", "127.9.9.9", "[::1]"])("%s is loopback: standard", (hostname) => {
    expect(signingAlgorithmFor(hostname)).toBe("standard");
  });
});
