import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { checkMembers, type RandomAccessBytes } from "./members.ts";
import { served } from "./testing/served-bytes.ts";
import { makeEnd, makeMember, makeZip, patched, type SampleMember } from "./testing/zip-samples.ts";

const never = new AbortController().signal;
const TEXT = Buffer.from("device,temperature\nd-1,21.5\n".repeat(20));
const one = (member: Partial<SampleMember> = {}) =>
  makeZip({ members: [{ name: "a", data: TEXT, ...member }] });

describe("an archive in a store", () => {
  test("is read once from the front, in one range after the tail", async () => {
    const zip = makeZip({
      members: [
        { name: "a", data: randomBytes(200_000) },
        { name: "b", data: randomBytes(200_000) },
      ],
    });
    const source = served(zip, 10_000);
    expect(await checkMembers(source, zip.length, { signal: never })).toEqual({ kind: "intact" });
    const directoryOffset = zip.length - 22 - 2 * 47;
    expect(source.ranges).toEqual([
      [expect.any(Number), zip.length],
      [0, directoryOffset],
    ]);
    expect(source.closed).toBe(2);
  });
});

describe("a file far over 4 GiB", () => {
  test("is checked through its ZIP64 offsets, leaving out what no member uses", async () => {
    const secondOffset = 6 * 1024 ** 3;
    const first = makeMember({ name: "a", data: TEXT });
    const second = makeMember({ name: "b", data: TEXT, deflated: true, zip64: true, descriptor: "zip64" });
    const directory = Buffer.concat([first.entry(0), second.entry(secondOffset)]);
    const directoryOffset = secondOffset + second.local.length;
    const end = makeEnd({ memberCount: 2, directoryOffset, directoryBytes: directory.length, zip64: true });
    const back = Buffer.concat([second.local, directory, end]);
    const ranges: number[] = [];
    let handedOutBytes = 0;
    const zeros = Buffer.alloc(65_536);
    const source: RandomAccessBytes = {
      async *read(startByte, endByteExclusive) {
        ranges.push(startByte);
        for (let at = startByte; at < endByteExclusive; ) {
          const piece =
            at < first.local.length
              ? first.local.subarray(at)
              : at < secondOffset
                ? zeros.subarray(0, secondOffset - at)
                : back.subarray(at - secondOffset, endByteExclusive - secondOffset);
          handedOutBytes += piece.length;
          yield piece;
          at += piece.length;
        }
      },
    };
    const sizeBytes = secondOffset + back.length;
    expect(await checkMembers(source, sizeBytes, { signal: never })).toEqual({ kind: "intact" });
    expect(ranges).toEqual([expect.any(Number), 0, secondOffset]);
    expect(handedOutBytes).toBeLessThan(1_000_000);
    second.local.writeUInt8(second.local.readUInt8(60) ^ 1, 60);
    back.set(second.local);
    expect((await checkMembers(source, sizeBytes, { signal: never })).kind).toBe("damaged");
  });
});

describe("ending early", () => {
  const big = one({ data: randomBytes(400_000), deflated: true });

  test("an abort while the source is being asked is not missed", async () => {
    const abort = new AbortController();
    const source = stalling(10, () => abort.abort(new Error("stopped")));
    await expect(checkMembers(source, big.length, { signal: abort.signal })).rejects.toThrow("stopped");
  });

  /** Answers the tail, then `good` bytes of the second range, and then never again. */
  function stalling(goodBytes: number, onStall: () => void): RandomAccessBytes {
    let ranges = 0;
    return {
      async *read(startByte, endByteExclusive) {
        ranges += 1;
        if (ranges === 1) {
          yield big.subarray(startByte, endByteExclusive);
          return;
        }
        yield big.subarray(startByte, startByte + goodBytes);
        onStall();
        await new Promise(() => undefined);
      },
    };
  }

  test.each([
    ["in a header", 10],
    ["in the data", 100_000],
  ])("an abort ends a wait for a source that stalls %s", async (_name, goodBytes) => {
    const abort = new AbortController();
    const reason = new Error("out of time");
    const source = stalling(goodBytes, () => setImmediate(() => abort.abort(reason)));
    await expect(checkMembers(source, big.length, { signal: abort.signal })).rejects.toBe(reason);
  });

  test("an abort before the start reads nothing", async () => {
    const source = served(big, 1000);
    const signal = AbortSignal.abort(new Error("stopped"));
    await expect(checkMembers(source, big.length, { signal })).rejects.toThrow("stopped");
    expect(source.ranges).toEqual([]);
  });

  test.each([0, 50_000])(
    "an error of the source after %i bytes reaches the caller as it is",
    async (goodBytes) => {
      const failure = new Error("connection reset");
      let ranges = 0;
      const source: RandomAccessBytes = {
        async *read(startByte, endByteExclusive) {
          ranges += 1;
          yield big.subarray(startByte, ranges === 1 ? endByteExclusive : startByte + goodBytes);
          if (ranges > 1) {
            throw failure;
          }
        },
      };
      await expect(checkMembers(source, big.length, { signal: never })).rejects.toBe(failure);
    },
  );

  test("every range is given back when damage ends the check", async () => {
    const source = served(patched(big, 31, Buffer.from([0xff])), 1000);
    expect((await checkMembers(source, big.length, { signal: never })).kind).toBe("damaged");
    expect(source.closed).toBe(source.ranges.length);
  });
});
