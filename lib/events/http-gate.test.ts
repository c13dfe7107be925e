import { describe, expect, test } from "vitest";
import { admitHttp } from "./http-gate.ts";

const SECRET = "0123456789abcdefghij";
const GOOD = {
  method: "POST",
  headers: { "x-archiver-secret": SECRET },
  body: '{"exportTaskId":"t1"}',
  isBase64Encoded: false,
};

describe("an HTTP event", () => {
  test("with the secret is let in, its body decoded", () => {
    expect(admitHttp(GOOD, SECRET)).toEqual({ kind: "body", text: GOOD.body });
    const base64 = { ...GOOD, body: Buffer.from("ä").toString("base64"), isBase64Encoded: true };
    expect(admitHttp(base64, SECRET)).toEqual({ kind: "body", text: "ä" });
    const shouted = { ...GOOD, headers: { "X-Archiver-Secret": SECRET } };
    expect(admitHttp(shouted, SECRET)).toMatchObject({ kind: "body" });
  });

  test.each([
    {},
    { "x-archiver-secret": "" },
    { "x-archiver-secret": `${SECRET} ` },
    { "x-archiver-secret": SECRET.toUpperCase() },
    { "x-archiver-secret": SECRET.slice(0, -1) },
    { authorization: SECRET },
  ])("with %j is unsigned", (headers) => {
    expect(admitHttp({ ...GOOD, headers }, SECRET)).toMatchObject({ kind: "refused", reason: "unsigned" });
  });

  test("is not taken at all where no secret is configured", () => {
    expect(admitHttp(GOOD, undefined)).toMatchObject({ reason: "http-events-off" });
    expect(admitHttp({ ...GOOD, headers: {} }, undefined)).toMatchObject({ reason: "http-events-off" });
  });

  test("of 1 MB is refused by its length, declared or real, before anything else is looked at", () => {
    const declared = { ...GOOD.headers, "Content-Length": "1000000" };
    expect(admitHttp({ ...GOOD, headers: declared }, SECRET)).toMatchObject({ reason: "too-large" });
    const body = "x".repeat(1_000_000);
    expect(admitHttp({ ...GOOD, body, headers: {} }, SECRET)).toMatchObject({ reason: "too-large" });
    expect(admitHttp({ ...GOOD, body, isBase64Encoded: true }, SECRET)).toMatchObject({
      reason: "too-large",
    });
    const odd = { ...GOOD.headers, "content-length": "-1" };
    expect(admitHttp({ ...GOOD, headers: odd }, SECRET)).toMatchObject({ reason: "too-large" });
  });

  test("that is not posted is refused", () => {
    expect(admitHttp({ ...GOOD, method: "GET" }, SECRET)).toMatchObject({ reason: "method-not-allowed" });
  });
});
