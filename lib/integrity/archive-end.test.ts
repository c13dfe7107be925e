import { describe, expect, test } from "vitest";
import { findArchiveEnd } from "./archive-end.ts";
import { bytesOf, makeEnd, makeMember } from "./testing/zip-samples.ts";

const { local, entry } = makeMember({ name: "a", data: Buffer.from("device,temperature\n") });
const directory = entry(0);
const oneMember = { memberCount: 1, directoryOffset: local.length, directoryBytes: directory.length };

describe("an end record that announces", () => {
  test.each([
    ["no member, yet a directory", { memberCount: 0, directoryOffset: 0, directoryBytes: 10 }],
    ["a member, yet no directory", { memberCount: 1, directoryOffset: 10, directoryBytes: 0 }],
  ])("%s, is damage", (_name, announced) => {
    const bytes = Buffer.concat([Buffer.alloc(10), makeEnd(announced)]);
    expect(findArchiveEnd(bytes, bytes.length).kind).toBe("damaged");
  });
});

test("what closes nothing does not hide what does, though it comes first", () => {
  const empty = makeEnd({ memberCount: 0, directoryOffset: 22, directoryBytes: 0 });
  const elsewhere = makeEnd({ memberCount: 1, directoryOffset: 7, directoryBytes: 7, comment: empty });
  expect(findArchiveEnd(elsewhere, elsewhere.length)).toEqual({ kind: "empty" });
});

describe("a tail that begins", () => {
  test.each([
    ["as it is", directory, "closed"],
    ["damaged", Buffer.alloc(directory.length), "damaged"],
  ])("exactly at the directory: it is read, %s", (_name, bytes, kind) => {
    const tail = Buffer.concat([bytes, makeEnd(oneMember)]);
    expect(findArchiveEnd(tail, local.length + tail.length).kind).toBe(kind);
  });

  const zip64End = makeEnd({ ...oneMember, zip64: true });

  test("exactly at the ZIP64 end record: that is read", () => {
    expect(findArchiveEnd(zip64End, local.length + directory.length + zip64End.length)).toEqual({
      kind: "closed",
      ...oneMember,
    });
  });

  test("behind the ZIP64 end record: nothing closes it", () => {
    const tail = zip64End.subarray(10);
    expect(findArchiveEnd(tail, local.length + directory.length + zip64End.length).kind).toBe("open");
  });
});

test("a ZIP64 end record that is too short to be one is none", () => {
  const short = bytesOf([4, 0x06064b50], [8, 20], [8, 0], [8, 0], [4, 0]);
  const locatorAndEnd = makeEnd({
    memberCount: 0,
    directoryOffset: 0,
    directoryBytes: 0,
    zip64: true,
  }).subarray(56);
  const bytes = Buffer.concat([short, locatorAndEnd]);
  expect(findArchiveEnd(bytes, bytes.length).kind).toBe("open");
});
