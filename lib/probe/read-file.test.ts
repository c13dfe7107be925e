import { describe, expect, test } from "vitest";
import { makeMember, type SampleMember } from "../integrity/testing/zip-samples.ts";
import type { FileAnswer } from "../ports/platform-answers.ts";
import type { Asked, Seen } from "./evidence.ts";
import { readFileHeaders, readPayload, readRedirect } from "./read-file.ts";

const BIFF = Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0, 0, 0, 0]);

function seenFile(finished: Asked<FileAnswer>): Seen {
  const unasked = { kind: "not-asked", why: "it was not" } as const;
  const list = { tasks: [], oddItems: [], startedAtMs: 0, platformDateMs: undefined, platformMs: 0 };
  const files = { unknown: unasked, unfinished: unasked, finished };
  return {
    list,
    running: [],
    page: unasked,
    beyondLastOffset: unasked,
    created: unasked,
    files,
    unfinishedStatus: undefined,
    throttled: [],
  };
}

function told(beginning: Uint8Array, more: Partial<FileAnswer> = {}): Seen {
  return seenFile({ kind: "told", value: { headers: new Map(), beginning, isWhole: true, ...more } });
}

function payloadOf(member: SampleMember): string {
  return readPayload(told(makeMember(member).local)).text;
}

describe("the payload", () => {
  test.each<[string, SampleMember, RegExp]>([
    [
      "BIFF, deflated",
      { name: "a.xls", data: BIFF, deflated: true },
      /`\.xls`, deflated, not encrypted\. .* true BIFF/,
    ],
    [
      "a renamed text",
      { name: "b.xls", data: Buffer.from("id,name\n1,a\n") },
      /stored.* text without a signature/,
    ],
    ["an xlsx", { name: "c.xlsx", data: Buffer.from("PK\u0003\u0004more") }, /`\.xlsx`.* as `xlsx` is/],
    ["a name without an extension", { name: "secret-name", data: BIFF }, /has no extension/],
    ["encrypted", { name: "d.xls", data: BIFF, flags: 1 }, /, encrypted\. .* could not read/],
    ["nothing", { name: "e.xls", data: Buffer.alloc(0) }, /could not read|nothing/],
  ])("is told: %s", (_what, member, said) => {
    expect(payloadOf(member)).toMatch(said);
    expect(payloadOf(member)).not.toContain("secret");
  });

  test("that is cut in the middle of its data is told by its beginning", () => {
    const data = Buffer.concat([
      BIFF,
      Buffer.from(Array.from({ length: 9_000 }, (_, at) => (at * at) % 251)),
    ]);
    const { local } = makeMember({ name: "a.xls", data, deflated: true });
    const seen = told(local.subarray(0, 200), { isWhole: false });
    expect(readPayload(seen).text).toMatch(/true BIFF.* more than 64\.0 KiB/);
  });

  test("that does not begin as a ZIP is told by what begins it", () => {
    expect(readPayload(told(BIFF)).text).toMatch(/^No ZIP member begins the file\. .* true BIFF/);
    expect(readPayload(told(Buffer.alloc(0))).text).toMatch(/begins it is nothing/);
    expect(readPayload(told(Buffer.from("PK\u0003\u0004"))).text).toMatch(/^No ZIP member/);
  });

  test("that breaks off in the member's name gets an answer too", () => {
    const { local } = makeMember({ name: "a-long-name.xls", data: BIFF });
    expect(readPayload(told(local.subarray(0, 34))).state).toBe("answered");
  });
});

describe("the headers", () => {
  test("are named; only values without names are shown", () => {
    const headers = new Map([
      ["content-type", "application/zip; charset=utf-8"],
      ["content-disposition", "attachment; filename=secret.zip"],
      ["content-length", "12"],
      ["accept-ranges", "bytes"],
      ["transfer-encoding", "token=secret"],
    ]);
    const { text } = readFileHeaders(told(BIFF, { headers }));
    expect(text).toBe(
      "Present: Content-Length, Content-Disposition, Accept-Ranges. Absent: ETag, Content-MD5. Values: content-type `application/zip; charset=utf-8`, transfer-encoding `(not a plain value)`, accept-ranges `bytes`. The length is that of the body.",
    );
  });

  test("a length that is not true is said", () => {
    const headers = new Map([["content-length", "13"]]);
    expect(readFileHeaders(told(BIFF, { headers })).text).toMatch(/The length is not that of the body\.$/);
  });
});

describe("a redirect", () => {
  const refused = (httpStatus: number) =>
    seenFile({
      kind: "refused",
      refusal: { httpStatus, platformCode: undefined, code: "platform-misconfigured" },
    });

  test.each([
    ["the file itself", told(BIFF), "answered", /^No\./],
    ["status 302", refused(302), "answered", /^Yes: status 302 without a code/],
    ["status 404", refused(404), "failed", /^No answer: status 404/],
    [
      "nothing asked",
      seenFile({ kind: "not-asked", why: "no reason" }),
      "not-asked",
      /^Not asked: no reason\.$/,
    ],
  ] as const)("%s", (_what, seen, state, text) => {
    const finding = readRedirect(seen);
    expect(finding.state).toBe(state);
    expect(finding.text).toMatch(text);
  });
});
