import { describe, expect, test } from "vitest";
import { checkMembers, type MembersVerdict, type RandomAccessBytes } from "./members.ts";
import { served } from "./testing/served-bytes.ts";
import { bytesOf, makeEnd, makeMember, makeZip, patched, type SampleMember } from "./testing/zip-samples.ts";

const never = new AbortController().signal;
const TEXT = Buffer.from("device,temperature\nd-1,21.5\n".repeat(20));

function check(bytes: Uint8Array, chunkBytes = 1000): Promise<MembersVerdict> {
  return checkMembers(served(bytes, chunkBytes), bytes.length, { signal: never });
}

function damagedBy(problem: string) {
  return { kind: "damaged", problem: expect.stringContaining(problem) };
}

const one = (member: Partial<SampleMember> = {}) =>
  makeZip({ members: [{ name: "a", data: TEXT, ...member }] });

describe("an intact archive", () => {
  test.each<[string, Buffer]>([
    ["stored", one()],
    ["deflated", one({ deflated: true })],
    ["with a signed data descriptor", one({ deflated: true, descriptor: "signed" })],
    ["with a bare data descriptor", one({ descriptor: "bare" })],
    // The CRC-32 of these four bytes is the signature that a descriptor may begin with.
    [
      "with a bare data descriptor that looks signed",
      one({ data: Buffer.from("ac0a7ad5", "hex"), descriptor: "bare" }),
    ],
    ["with a ZIP64 data descriptor", one({ descriptor: "zip64" })],
    ["with a bare ZIP64 data descriptor", one({ descriptor: "bare-zip64", zip64: true })],
    ["with the descriptor's flag but none", one({ descriptor: "absent" })],
    ["with ZIP64 blocks", one({ zip64: true })],
    [
      "with other extra fields, padded",
      one({ zip64: true, extra: bytesOf([2, 0x5455], [2, 1], [1, 7], [2, 0]) }),
    ],
    ["with ZIP64 records", makeZip({ members: [{ name: "a", data: TEXT }], zip64End: true })],
    [
      "with unused bytes in between",
      makeZip({
        members: [
          { name: "a", data: TEXT, descriptor: "bare" },
          { name: "b", data: TEXT, gap: Buffer.alloc(50, 1) },
        ],
      }),
    ],
    [
      "with a directory in another order",
      makeZip({
        members: [
          { name: "a", data: TEXT },
          { name: "b", data: TEXT, deflated: true },
        ],
        reversedDirectory: true,
      }),
    ],
    ["with a member that has no name", one({ name: "" })],
    [
      "with a few unused bytes where a data descriptor could be",
      makeZip({
        members: [
          { name: "a", data: TEXT, descriptor: "absent" },
          { name: "b", data: TEXT, gap: Buffer.alloc(5, 1) },
        ],
      }),
    ],
    [
      "streamed, with local sizes that point to a ZIP64 block there is none of",
      patched(one({ descriptor: "zip64" }), 18, Buffer.alloc(8, 0xff)),
    ],
    [
      "with a local ZIP64 block that the header does not point to",
      patched(
        patched(one({ zip64: true }), 18, bytesOf([4, TEXT.length], [4, TEXT.length])),
        31 + 4,
        bytesOf([8, 1], [8, 1]),
      ),
    ],
    ["of the latest format version", patched(one(), 4, bytesOf([2, 63]))],
    ["with an empty member", one({ data: Buffer.alloc(0), deflated: true })],
    ["with much to inflate", one({ data: Buffer.alloc(20_000_000), deflated: true })],
  ])("%s", async (_name, zip) => {
    expect(await check(zip)).toEqual({ kind: "intact" });
    expect(await check(zip, zip.length > 10_000 ? 7777 : 1)).toEqual({ kind: "intact" });
  });

  test("whose first member was taken out of the directory still begins with a local header", async () => {
    const dropped = makeMember({ name: "dropped", data: TEXT }).local;
    const members = [{ name: "a", data: TEXT, gap: dropped }];
    expect(await check(makeZip({ members }))).toEqual({ kind: "intact" });
    const prefixed = [{ name: "a", data: TEXT, gap: Buffer.from("#!/bin/sh\n") }];
    expect(await check(makeZip({ members: prefixed }))).toEqual(
      damagedBy("does not begin with a local header"),
    );
  });
});

test("an entry that ends in what looks like a ZIP64 locator does not mislead the check", async () => {
  const { local, entry } = makeMember({ name: "a", data: TEXT });
  const locator = bytesOf([4, 0x07064b50], [4, 0], [8, 0], [4, 1]);
  const commented = Buffer.concat([patched(entry(0), 32, bytesOf([2, locator.length])), locator]);
  const end = makeEnd({ memberCount: 1, directoryOffset: local.length, directoryBytes: commented.length });
  expect(await check(Buffer.concat([local, commented, end]))).toEqual({ kind: "intact" });
});

describe("a damaged archive", () => {
  const zip = one();
  const directory = zip.length - 22 - 47;
  const deflated = one({ deflated: true });

  test.each<[string, Buffer, string]>([
    ["nothing", Buffer.alloc(0), "no end record"],
    ["cut off", zip.subarray(0, -1), "no end record"],
    ["empty", makeEnd({ memberCount: 0, directoryOffset: 0, directoryBytes: 0 }), "no member"],
    ["one disk of several", patched(zip, zip.length - 18, bytesOf([2, 3])), "one disk of several"],
    ["changed data", patched(zip, 40, Buffer.from("X")), "CRC-32"],
    ["data that does not inflate", patched(deflated, 31, Buffer.from([0xff])), "does not inflate"],
    ["another local name", patched(zip, 30, Buffer.from("b")), "the name of member 1"],
    ["another local method", patched(zip, 8, bytesOf([2, 8])), "the method of member 1"],
    ["other local flags", patched(zip, 6, bytesOf([2, 2])), "the flags of member 1"],
    ["another local CRC-32", patched(zip, 14, bytesOf([4, 1])), "the CRC-32 of member 1"],
    ["another local size", patched(zip, 22, bytesOf([4, 1])), "the size of member 1"],
    ["another local compressed size", patched(zip, 18, bytesOf([4, 1])), "the compressed size of member 1"],
    ["a longer local name", patched(zip, 26, bytesOf([2, 2])), "runs into what follows"],
    ["no local header", patched(zip, 0, Buffer.from("X")), "no local header stands"],
    ["an offset outside", patched(zip, directory + 42, bytesOf([4, zip.length])), "outside the file"],
    [
      "an offset that leaves no room for the data",
      patched(zip, directory + 42, bytesOf([4, 10])),
      "outside the file",
    ],
    ["another disk", patched(zip, directory + 34, bytesOf([2, 1])), "another disk"],
    ["a name past the directory", patched(zip, directory + 28, bytesOf([2, 9000])), "runs past the end"],
    [
      "sizes no file can have",
      patched(zip, directory + 20, bytesOf([4, 0xffffffff], [4, 0xffffffff])),
      "outside the file",
    ],
    [
      "an extra field past its end",
      one({ extra: bytesOf([2, 0x5455], [2, 9]) }),
      "an extra field runs past its end",
    ],
    ...(
      [
        ["signed", 8, "compressed size"],
        ["signed", 12, "size"],
        ["bare", 0, "CRC-32"],
        ["bare", 4, "compressed size"],
        ["bare", 8, "size"],
        ["zip64", 8, "compressed size"],
        ["zip64", 16, "size"],
        ["bare-zip64", 4, "compressed size"],
        ["bare-zip64", 12, "size"],
      ] as const
    ).map(([descriptor, at, what]): [string, Buffer, string] => [
      `another ${what} in a ${descriptor} data descriptor`,
      patched(one({ descriptor }), 31 + TEXT.length + at, bytesOf([4, 7])),
      "the data descriptor of member 1",
    ]),
  ])("%s", async (_name, bytes, problem) => {
    expect(await check(bytes)).toEqual(damagedBy(problem));
  });

  describe.each([
    ["a small member", TEXT],
    ["a member that is inflated as a stream", Buffer.alloc(3 * 1024 * 1024, TEXT)],
  ])("%s", (_name, data) => {
    const made = makeMember({ name: "a", data, deflated: true });
    const compressedBytes = made.local.length - 31;

    test.each([
      ["as it is", 0, 0, { kind: "intact" }],
      ["with bytes after the deflate stream", 5, 0, damagedBy("another size")],
      ["cut within the deflate stream", -5, 0, damagedBy("does not inflate")],
      ["shorter than announced", 0, 1, damagedBy("another size")],
      ["longer than announced: a bomb in disguise", 0, -1, damagedBy("longer than the directory says")],
    ])("%s", async (_case, compressedChange, inflatedChange, verdict) => {
      const sizes = bytesOf([4, compressedBytes + compressedChange], [4, data.length + inflatedChange]);
      const after = Buffer.alloc(Math.max(0, compressedChange));
      const local = patched(Buffer.concat([made.local, after]), 18, sizes);
      const entry = patched(made.entry(0), 20, sizes);
      const end = makeEnd({ memberCount: 1, directoryOffset: local.length, directoryBytes: entry.length });
      expect(await check(Buffer.concat([local, entry, end]))).toEqual(verdict);
    });
  });

  test("members that overlap, or are listed twice", async () => {
    const { local, entry } = makeMember({ name: "a", data: TEXT });
    const twice = Buffer.concat([entry(0), entry(0)]);
    const end = makeEnd({ memberCount: 2, directoryOffset: local.length, directoryBytes: twice.length });
    expect(await check(Buffer.concat([local, twice, end]))).toEqual(damagedBy("runs into what follows"));
  });

  test("a directory with more entries than it announces, or not up to its end record", async () => {
    const two = makeZip({
      members: [
        { name: "a", data: TEXT },
        { name: "b", data: TEXT },
      ],
    });
    const fewer = patched(two, two.length - 14, bytesOf([2, 1], [2, 1]));
    expect(await check(fewer)).toEqual(damagedBy("exactly the 1 members"));
    const apart = Buffer.concat([two.subarray(0, -22), Buffer.alloc(1), two.subarray(-22)]);
    expect(await check(apart)).toEqual(damagedBy("no end record closes"));
  });

  test("a directory whose second entry is cut off", async () => {
    const { local, entry } = makeMember({ name: "a", data: TEXT });
    const cut = Buffer.concat([entry(0), entry(0).subarray(0, 14)]);
    const end = makeEnd({ memberCount: 2, directoryOffset: local.length, directoryBytes: cut.length });
    expect(await check(Buffer.concat([local, cut, end]))).toEqual(damagedBy("does not parse at entry 2"));
  });

  test.each([
    ["is the first", 0, { kind: "intact" }],
    ["is another one", 1, damagedBy("another disk")],
  ])("a disk that the ZIP64 block names: it %s", async (_name, disk, verdict) => {
    const { local, entry } = makeMember({ name: "a", data: TEXT, zip64: true });
    const extended = Buffer.concat([entry(0), bytesOf([4, disk])]);
    const withDisk = patched(
      patched(patched(extended, 30, bytesOf([2, 32])), 34, bytesOf([2, 0xffff])),
      49,
      bytesOf([2, 28]),
    );
    const end = makeEnd({ memberCount: 1, directoryOffset: local.length, directoryBytes: withDisk.length });
    expect(await check(Buffer.concat([local, withDisk, end]))).toEqual(verdict);
  });

  test("a local ZIP64 block that says something else, or too little", async () => {
    const large = one({ zip64: true });
    const inflatedAt = 31 + 4;
    expect(await check(patched(large, inflatedAt, bytesOf([8, 1])))).toEqual(damagedBy("the size of"));
    expect(await check(patched(large, inflatedAt + 8, bytesOf([8, 1])))).toEqual(
      damagedBy("the compressed size of"),
    );
    const halved = patched(large, inflatedAt - 2, bytesOf([2, 8], [8, TEXT.length], [2, 9], [2, 4]));
    expect(await check(halved)).toEqual(damagedBy("the compressed size of"));
  });

  test("a directory with a ZIP64 block that is too short, or names a size beyond any file", async () => {
    const large = one({ zip64: true });
    const block = large.length - 22 - 28;
    const cut = patched(large, block + 2, bytesOf([2, 8]));
    expect(await check(cut)).toEqual(damagedBy("a ZIP64 extra field is too short"));
    const beyond = patched(large, block + 4, Buffer.alloc(8, 0xff));
    expect(await check(beyond)).toEqual(damagedBy("larger than any file"));
  });

  test("ZIP64 records that contradict the end record or each other", async () => {
    const large = makeZip({ members: [{ name: "a", data: TEXT }], zip64End: true });
    const end = large.length - 22;
    const locator = end - 20;
    const record = locator - 56;
    const spoilt: [number, Buffer, string][] = [
      [end + 4, bytesOf([2, 1]), "one disk of several"],
      [end + 6, bytesOf([2, 1]), "one disk of several"],
      [end + 8, bytesOf([2, 2]), "one disk of several"],
      [end + 10, bytesOf([2, 2]), "one disk of several"],
      [end + 12, bytesOf([4, 2]), "no end record closes"],
      [end + 16, bytesOf([4, 2]), "no end record closes"],
      [locator + 8, bytesOf([8, 1]), "no end record closes"],
      [locator + 8, Buffer.alloc(8, 0xff), "larger than any file"],
      [record + 4, bytesOf([8, 45]), "no end record closes"],
      [locator + 4, bytesOf([4, 1]), "one disk of several"],
      [record + 16, bytesOf([4, 1]), "one disk of several"],
      [record + 20, bytesOf([4, 1]), "one disk of several"],
      [locator, Buffer.from("X"), "no end record closes"],
      [locator + 16, bytesOf([4, 2]), "one disk of several"],
      [record + 24, bytesOf([8, 2]), "one disk of several"],
      [record + 24, bytesOf([8, 2], [8, 2]), "exactly the 2 members"],
    ];
    for (const [at, bytes, problem] of spoilt) {
      expect([at, await check(patched(large, at, bytes))]).toEqual([at, damagedBy(problem)]);
    }
  });

  test("a source that ends before its announced size", async () => {
    const source: RandomAccessBytes = {
      async *read(startByte, endByteExclusive) {
        yield zip.subarray(
          startByte,
          startByte === 0 && endByteExclusive < zip.length ? 50 : endByteExclusive,
        );
      },
    };
    expect(await checkMembers(source, zip.length, { signal: never })).toEqual(
      damagedBy("the bytes end at 50"),
    );
  });
});

describe("an archive that cannot be checked to the last byte", () => {
  test.each<[string, Buffer, string]>([
    ["encrypted", one({ flags: 1 }), "member 1 is encrypted"],
    ["masked headers", one({ flags: 1 << 13 }), "member 1 is encrypted"],
    ["a later format version", patched(one(), 4, bytesOf([2, 64])), "a later version"],
  ])("%s", async (_name, zip, problem) => {
    expect(await check(zip)).toEqual({ kind: "unchecked", problem: expect.stringContaining(problem) });
  });

  test("damage elsewhere outweighs it", async () => {
    const zip = makeZip({
      members: [
        { name: "a", data: TEXT, flags: 1 },
        { name: "b", data: TEXT },
      ],
    });
    expect(await check(zip)).toEqual({ kind: "unchecked", problem: "member 1 is encrypted" });
    expect(await check(patched(zip, 31 + TEXT.length + 40, Buffer.from("X")))).toEqual(
      damagedBy("of member 2"),
    );
  });

  test("more data than the limit, without inflating any", async () => {
    const zip = one({ deflated: true });
    const options = { signal: never, maxInflatedBytes: TEXT.length - 1 };
    expect(await checkMembers(served(zip, 1000), zip.length, options)).toMatchObject({ kind: "unchecked" });
    const enough = { signal: never, maxInflatedBytes: TEXT.length };
    expect(await checkMembers(served(zip, 1000), zip.length, enough)).toEqual({ kind: "intact" });
  });

  test("more members than the limit", async () => {
    const { local, entry } = makeMember({ name: "a", data: Buffer.alloc(0) });
    const directory = Buffer.concat(Array.from({ length: 65_537 }, () => entry(0)));
    const end = makeEnd({
      memberCount: 65_537,
      directoryOffset: local.length,
      directoryBytes: directory.length,
      zip64: true,
    });
    const verdict = await check(Buffer.concat([local, directory, end]), 100_000);
    expect(verdict).toEqual({ kind: "unchecked", problem: "the archive has more members than are checked" });
  });

  test("a directory over the limit", async () => {
    const { local, entry } = makeMember({ name: "n".repeat(65_000), data: Buffer.alloc(0) });
    const directory = Buffer.concat(Array.from({ length: 130 }, () => entry(0)));
    const end = makeEnd({
      memberCount: 130,
      directoryOffset: local.length,
      directoryBytes: directory.length,
    });
    const verdict = await check(Buffer.concat([local, directory, end]), 100_000);
    expect(verdict).toMatchObject({ kind: "unchecked" });
  });
});
