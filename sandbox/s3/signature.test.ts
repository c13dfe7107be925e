import { HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chunkSignature, EMPTY_SHA256, signatureOf, signingKeyOf } from "./signature.ts";
import { type S3StandIn, startS3 } from "./start.ts";
import { clientFor } from "./testing/client.ts";
import { type RawRequest, sendRaw } from "./testing/raw.ts";

/** Examples of the S3 API reference, "Authenticating Requests (AWS Signature Version 4)". */
const SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SCOPE = "20130524/us-east-1/s3/aws4_request";
const AMZ_DATE = "20130524T000000Z";
const KEY = signingKeyOf(SECRET, SCOPE);

function documented(
  method: string,
  url: string,
  more: Record<string, string>,
  bodySha256 = EMPTY_SHA256,
): string {
  const headers = new Map(
    Object.entries({
      host: "examplebucket.s3.amazonaws.com",
      "x-amz-content-sha256": bodySha256,
      "x-amz-date": AMZ_DATE,
      ...more,
    }),
  );
  const names = [...headers.keys()].sort().join(";");
  return signatureOf({ method, url, headers }, names, AMZ_DATE, SCOPE, KEY);
}

describe("the documented examples", () => {
  test("GET Object", () => {
    expect(documented("GET", "/test.txt", { range: "bytes=0-9" })).toBe(
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    );
  });

  test("PUT Object", () => {
    const more = { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" };
    const bodySha256 = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    expect(documented("PUT", "/test%24file.text", more, bodySha256)).toBe(
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    );
  });

  test("GET Bucket Lifecycle and List Objects", () => {
    expect(documented("GET", "/?lifecycle", {})).toBe(
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    );
    expect(documented("GET", "/?max-keys=2&prefix=J", {})).toBe(
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    );
  });

  test("the chunks of a streaming upload", () => {
    const seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    const verified = { amzDate: AMZ_DATE, scope: SCOPE, signingKey: KEY, signature: seed };
    const first = chunkSignature(verified, seed, Buffer.alloc(65_536, "a"));
    const second = chunkSignature(verified, first, Buffer.alloc(1024, "a"));
    const last = chunkSignature(verified, second, Buffer.alloc(0));
    expect([first, second, last]).toEqual([
      "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
      "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
      "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ]);
  });
});

describe("over the wire", () => {
  let standIn: S3StandIn;
  beforeAll(async () => {
    standIn = await startS3();
  });
  afterAll(async () => await standIn.stop());

  const get = async (more: Partial<RawRequest>) =>
    await sendRaw(standIn, { method: "GET", url: `/${standIn.bucket}/none`, ...more });

  test("what the SDK signs for any key and metadata is accepted", async () => {
    const client = clientFor(standIn);
    const word = fc.string({
      minLength: 1,
      maxLength: 20,
      unit: fc.constantFrom(..."aZ0-_.~ !'()*+%=&?/ü€😀"),
    });
    // A key that begins or ends with a slash, or has two in a row, is another test's.
    const key = word.filter((text) => !/^\/|\/$|\/\/|(^|\/)\.{1,2}(\/|$)/.test(text));
    const value = fc.string({ maxLength: 20, unit: fc.constantFrom(..."a  Z=+,") });
    await fc.assert(
      fc.asyncProperty(key, value, async (Key, note) => {
        const Metadata = { note: note.trim() };
        await client.send(new PutObjectCommand({ Bucket: standIn.bucket, Key, Body: "x", Metadata }));
        const head = await client.send(new HeadObjectCommand({ Bucket: standIn.bucket, Key }));
        expect(head.ContentLength).toBe(1);
        expect((await standIn.control.content(Key)).toString()).toBe("x");
      }),
      { numRuns: 40 },
    );
    client.destroy();
  });

  test.each<[string, Partial<RawRequest>, string, clockMs?: number]>([
    ["another secret", { secretAccessKey: "another" }, "SignatureDoesNotMatch"],
    ["an unknown key id", { accessKeyId: "UNKNOWN" }, "InvalidAccessKeyId"],
    [
      "a header that came in behind the signature",
      { unsignedHeaders: { "x-amz-meta-a": "1" } },
      "AccessDenied",
    ],
    [
      "a changed signed header",
      { unsignedHeaders: { "x-amz-date": "20200101T000000Z" } },
      "RequestTimeTooSkewed",
    ],
    ["a clock 16 minutes ahead", {}, "RequestTimeTooSkewed", 16 * 60_000],
    ["a clock 16 minutes behind", {}, "RequestTimeTooSkewed", -16 * 60_000],
    ["an unasked token", { headers: { "x-amz-security-token": "t" } }, "InvalidToken"],
    [
      "no Authorization of a known form",
      { unsignedHeaders: { authorization: "Basic x" } },
      "AuthorizationHeaderMalformed",
    ],
    [
      "a payload that is not a hash",
      { headers: { "x-amz-content-sha256": "?" }, method: "PUT" },
      "InvalidArgument",
    ],
    [
      "another payload hash",
      { headers: { "x-amz-content-sha256": EMPTY_SHA256 }, method: "PUT", body: "x" },
      "XAmzContentSHA256Mismatch",
    ],
  ])("refuses %s", async (_what, more, code, aheadMs = 0) => {
    const answer = await get({ ...more, atMs: Date.now() + aheadMs });
    expect(answer.code).toBe(code);
    expect(answer.text).not.toContain(standIn.account.secretAccessKey);
  });

  test("a clock 14 minutes off is good enough", async () => {
    expect((await get({ atMs: Date.now() - 14 * 60_000 })).code).toBe("NoSuchKey");
  });

  test("a skewed store says so in Date and refuses honest clocks", async () => {
    const beforeMs = Date.now();
    const skewed = await startS3({ settings: { clockSkewMs: 3_600_000 } });
    const answer = await sendRaw(skewed, { method: "GET", url: `/${skewed.bucket}/none` });
    await skewed.stop();
    expect(answer.code).toBe("RequestTimeTooSkewed");
    expect(Date.parse(answer.headers.date ?? "") - beforeMs).toBeGreaterThan(3_590_000);
  });

  test("temporary credentials need their token, and expire", async () => {
    const account = { accessKeyId: "TEMPORARY", secretAccessKey: "secret", sessionToken: "to+ken/==" };
    const temporary = await startS3({ settings: { accounts: [account] } });
    const url = `/${temporary.bucket}/none`;
    expect((await sendRaw(temporary, { method: "GET", url })).code).toBe("NoSuchKey");
    const forgetful = { ...temporary, account: { ...temporary.account, sessionToken: undefined } };
    expect((await sendRaw(forgetful, { method: "GET", url })).code).toBe("InvalidAccessKeyId");
    await temporary.control.changeSettings({ accounts: [{ ...account, expired: true }] });
    expect((await sendRaw(temporary, { method: "GET", url })).code).toBe("ExpiredToken");
    await temporary.stop();
  });
});
