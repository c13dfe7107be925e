import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { type EndOptions, ZipFile } from "yazl";
import { BodyCheck } from "./body-check.ts";
import { judge, LIMIT_BYTES, outcomeOf } from "./testing/judge-body.ts";
import { bytesOf, makeEnd, makeZip, patched } from "./testing/zip-samples.ts";

const TEXT = Buffer.from("device,temperature\nd-1,21.5\n".repeat(20));
const TINY = makeZip({ members: [{ name: "a", data: Buffer.from("hello") }] });

async function yazl(fill: (zip: ZipFile) => void, options: Partial<EndOptions> = {}): Promise<Buffer> {
  const zip = new ZipFile();
  fill(zip);
  // @types/yazl asks for every option, yazl for none.
  zip.end({ forceZip64Format: false, comment: "", ...options });
  return buffer(zip.outputStream);
}

describe("a body that is whole", () => {
  test("is told with its size and the SHA-256 of every byte", async () => {
    const sha256 = createHash("sha256").update(TINY).digest("hex");
    expect(await judge([TINY], { contentLengthBytes: TINY.length })).toEqual({
      kind: "whole",
      container: "members",
      sizeBytes: TINY.length,
      sha256,
    });
  });

  test.each<[string, () => Promise<Buffer>]>([
    ["deflated", () => yazl((zip) => zip.addBuffer(TEXT, "export.xls"))],
    ["stored", () => yazl((zip) => zip.addBuffer(TEXT, "export.xls", { compress: false }))],
    ["with data descriptors", () => yazl((zip) => zip.addReadStream(Readable.from([TEXT]), "export.xls"))],
    [
      "ZIP64 throughout",
      () =>
        yazl((zip) => zip.addBuffer(TEXT, "export.xls", { forceZip64Format: true }), {
          forceZip64Format: true,
        }),
    ],
    [
      "ZIP64 with data descriptors",
      () =>
        yazl((zip) => zip.addReadStream(Readable.from([TEXT]), "export.xls", { forceZip64Format: true }), {
          forceZip64Format: true,
        }),
    ],
    [
      "several members, a folder, an empty file",
      () =>
        yazl((zip) => {
          zip.addEmptyDirectory("folder");
          zip.addBuffer(TEXT, "folder/export.xls");
          zip.addBuffer(Buffer.alloc(0), "empty");
          zip.addReadStream(Readable.from([TEXT]), "second.xls");
        }),
    ],
    ["with a comment", () => yazl((zip) => zip.addBuffer(TEXT, "export.xls"), { comment: "made by hand" })],
    [
      "with the longest comment",
      async () => makeZip({ members: [{ name: "a", data: TEXT }], comment: Buffer.alloc(0xffff, "c") }),
    ],
    [
      "with the longest comment, ZIP64 and vendor data",
      async () =>
        makeZip({
          members: [{ name: "a", data: TEXT }],
          comment: Buffer.alloc(0xffff, "c"),
          zip64End: true,
          zip64Data: Buffer.alloc(1000, "v"),
        }),
    ],
    ["of several blocks of memory", () => yazl((zip) => zip.addBuffer(randomBytes(900_000), "export.xls"))],
    [
      "with a directory longer than the tail",
      async () =>
        makeZip({
          members: Array.from({ length: 1200 }, (_, index) => ({
            name: `member-number-${index}`,
            data: TEXT,
          })),
        }),
    ],
  ])("%s: every member checked", async (_name, make) => {
    expect(outcomeOf(await judge([await make()]))).toBe("whole members");
  });

  test.each<[string, Buffer]>([
    ["the bare signature", bytesOf([4, 0x06054b50])],
    [
      "an end record of an empty archive at offset 0",
      makeEnd({ memberCount: 0, directoryOffset: 0, directoryBytes: 0 }),
    ],
    ["a whole archive", TINY],
    ["one that does not end the file", Buffer.concat([TINY, Buffer.from(" and more")])],
    ["many signatures", Buffer.alloc(60_000, "PK\u0005\u0006", "latin1")],
  ])("a comment that holds %s confuses nothing", async (_name, comment) => {
    const zip = makeZip({ members: [{ name: "a", data: TEXT, deflated: true }], comment });
    expect(outcomeOf(await judge([zip]))).toBe("whole members");
  });

  test("an empty archive in the comment, its offset true, does not hide the members", async () => {
    const plain = makeZip({ members: [{ name: "a", data: TEXT }] });
    const comment = makeEnd({ memberCount: 0, directoryOffset: plain.length, directoryBytes: 0 });
    const zip = makeZip({ members: [{ name: "a", data: TEXT }], comment });
    expect(outcomeOf(await judge([zip]))).toBe("whole members");
  });

  test("above the limit only its structure is checked", async () => {
    const zip = makeZip({ members: [{ name: "a", data: randomBytes(300_000) }] });
    const spoilt = patched(zip, 200_000, Buffer.from([zip.readUInt8(200_000) ^ 1]));
    expect(outcomeOf(await judge([zip], { membersLimitBytes: zip.length }))).toBe("whole members");
    expect(outcomeOf(await judge([spoilt], { membersLimitBytes: zip.length }))).toBe("not-accepted");
    expect(outcomeOf(await judge([zip], { membersLimitBytes: zip.length - 1 }))).toBe("whole structure");
    expect(outcomeOf(await judge([spoilt], { membersLimitBytes: zip.length - 1 }))).toBe("whole structure");
  });

  test("above the limit, a directory longer than the tail is taken from the arithmetic", async () => {
    const members = Array.from({ length: 1200 }, (_, index) => ({
      name: `member-number-${index}`,
      data: TEXT,
    }));
    expect(outcomeOf(await judge([makeZip({ members })], { membersLimitBytes: 0 }))).toBe("whole structure");
  });

  test.each([
    ["encrypted", { flags: 1 }],
    ["strongly encrypted", { flags: 0x40 }],
    ["patched data", { flags: 0x20 }],
  ])("%s members: structure only", async (_name, odd) => {
    const zip = makeZip({ members: [{ name: "a", data: TEXT, ...odd }] });
    expect(outcomeOf(await judge([zip]))).toBe("whole structure");
  });

  test("members of an unknown compression method: structure only", async () => {
    const directory = TINY.length - 22 - 47;
    const zip = patched(patched(TINY, 8, bytesOf([2, 93])), directory + 10, bytesOf([2, 93]));
    expect(outcomeOf(await judge([zip]))).toBe("whole structure");
  });

  test("with the check off anything but nothing is accepted", async () => {
    expect(outcomeOf(await judge([Buffer.from("<html>")], { accept: "any" }))).toBe("whole off");
    expect(outcomeOf(await judge([], { accept: "any" }))).toBe("short");
    expect(outcomeOf(await judge([TEXT], { accept: "any", contentLengthBytes: 1 }))).toBe("short");
  });
});

describe("a body that is short", () => {
  test("any bytes after the end, and any length but the announced one", async () => {
    expect(outcomeOf(await judge([TINY, Buffer.from("\n")]))).toBe("short");
    expect(outcomeOf(await judge([TINY, TINY.subarray(0, 30)]))).toBe("short");
    expect(outcomeOf(await judge([TINY], { contentLengthBytes: TINY.length + 1 }))).toBe("short");
    expect(outcomeOf(await judge([TINY], { contentLengthBytes: TINY.length - 1 }))).toBe("short");
    expect(outcomeOf(await judge([], { contentLengthBytes: 0 }))).toBe("short");
  });

  test("problem and digest are told", async () => {
    const verdict = await judge([TINY], { contentLengthBytes: 7 });
    expect(verdict).toMatchObject({
      problem: `the body has ${TINY.length} B instead of 7 B, as Content-Length says`,
      sizeBytes: TINY.length,
      sha256: createHash("sha256").update(TINY).digest("hex"),
    });
  });
});

describe("a body that is not accepted", () => {
  const empty = makeEnd({ memberCount: 0, directoryOffset: 0, directoryBytes: 0 });
  const endAt = TINY.length - 22;
  test.each<[string, Buffer, string]>([
    ["an empty archive", empty, "the archive is empty"],
    [
      "an empty archive with a comment",
      makeEnd({ memberCount: 0, directoryOffset: 0, directoryBytes: 0, comment: TEXT }),
      "the archive is empty",
    ],
    ["half an empty archive", empty.subarray(0, 12), "begins with the bytes 504b0506"],
    [
      "a directory without members",
      Buffer.concat([
        TINY.subarray(0, 36),
        makeEnd({ memberCount: 0, directoryOffset: 36, directoryBytes: 0 }),
      ]),
      "lists no member",
    ],
    ["a disk of several", patched(TINY, endAt + 4, bytesOf([2, 1], [2, 1])), "one disk of several"],
    ["members on other disks", patched(TINY, endAt + 10, bytesOf([2, 2])), "one disk of several"],
    [
      "a split archive",
      Buffer.concat([Buffer.from("PK\u0007\u0008"), TINY]),
      "begins with the bytes 504b0708",
    ],
    ["HTML", Buffer.from("<!doctype html>"), "begins with the bytes 3c21646f"],
    ["JSON", Buffer.from('{"error_code":"x"}'), "begins with the bytes 7b226572"],
    ["bytes before the archive", Buffer.concat([Buffer.from("x"), TINY]), "begins with the bytes"],
    [
      "bytes before an empty archive",
      Buffer.concat([
        Buffer.from("junk"),
        makeEnd({ memberCount: 0, directoryOffset: 4, directoryBytes: 0 }),
      ]),
      "begins with the bytes 6a756e6b",
    ],
    ["three bytes of something else", Buffer.from("PK\u0005"), "begins with the bytes 504b05"],
    ["a wrong CRC-32", patched(TINY, 31, Buffer.from("H")), "the CRC-32 of member 1 does not match"],
    ["a directory that is none", patched(TINY, endAt - 47, Buffer.from("X")), "does not parse at entry 1"],
  ])("%s", async (_name, bytes, problem) => {
    const verdict = await judge([bytes]);
    expect(outcomeOf(verdict)).toBe("not-accepted");
    expect(verdict).toMatchObject({ problem: expect.stringContaining(problem) });
  });

  test("a directory that is none, in a body too large to check its members", async () => {
    const verdict = await judge([patched(TINY, endAt - 47, Buffer.from("X"))], { membersLimitBytes: 0 });
    expect(outcomeOf(verdict)).toBe("not-accepted");
  });

  test("two end records that both close it", async () => {
    // The comment of the outer archive holds a second directory and end record whose offsets are true.
    const outer = makeZip({ members: [{ name: "a", data: TEXT }] });
    const entry = outer.subarray(outer.length - 22 - 47, outer.length - 22);
    const comment = Buffer.concat([
      entry,
      makeEnd({ memberCount: 1, directoryOffset: outer.length, directoryBytes: entry.length }),
    ]);
    const verdict = await judge([makeZip({ members: [{ name: "a", data: TEXT }], comment })]);
    expect(verdict).toMatchObject({
      kind: "not-accepted",
      problem: expect.stringContaining("two end records"),
    });
  });
});

describe("use", () => {
  test("the size grows with every chunk", () => {
    const check = new BodyCheck({ accept: "zip", membersLimitBytes: 0, contentLengthBytes: undefined });
    check.update(Buffer.alloc(3));
    check.update(Buffer.alloc(0));
    check.update(Buffer.alloc(70_000));
    expect(check.sizeBytes).toBe(70_003);
  });

  test("an abort ends the check with its reason", async () => {
    const options = { membersLimitBytes: LIMIT_BYTES, contentLengthBytes: undefined };
    const check = new BodyCheck({ accept: "zip", ...options });
    const reason = new Error("out of time");
    const signal = AbortSignal.abort(reason);
    await expect(check.finish({ signal })).rejects.toBe(reason);
  });
});
