import { createHash } from "node:crypto";
import { describe, expect, onTestFinished, test } from "vitest";
import { describeDocuments } from "./object-store-documents.contract.ts";
import {
  begin,
  bytesOf,
  collect,
  FOLDER,
  KEY,
  keysBelow,
  put,
  readAll,
  type StoreTraits,
  type StoreUnderTest,
  sha256Of,
} from "./store-helpers.ts";

const { signal } = new AbortController();

/** Every sentence of lib/ports/object-store.ts, as a test. Each test gets an empty store from `makeStore`. */
export function describeObjectStore(
  name: string,
  makeStore: () => Promise<StoreUnderTest>,
  traits: StoreTraits,
): void {
  async function open(): Promise<StoreUnderTest> {
    const made = await makeStore();
    onTestFinished(() => made.close());
    await made.store.preflight({ signal });
    await made.other.preflight({ signal });
    return made;
  }

  describe(`object store: ${name}`, () => {
    test("preflight finds out what the store can do, and leaves nothing behind", async () => {
      const { store, other } = await open();
      expect(await store.preflight({ signal })).toMatchObject(traits.abilities);
      expect(await keysBelow(other, "")).toEqual([]);
    });

    test("its clock is about right", async () => {
      const { store, nowMs = Date.now } = await open();
      const beforeMs = nowMs();
      const aheadMs = (await store.readClockMs({ signal })) - nowMs();
      // No clock is read more exactly than its answer is quick, and HTTP tells whole seconds.
      expect(Math.abs(aheadMs)).toBeLessThan(2_000 + 2 * (nowMs() - beforeMs));
    });

    describe("an upload", () => {
      test.each([1, 262_144, 700_001, 6 * 1024 * 1024 + 5])(
        "of %i bytes is stored bit for bit",
        async (sizeBytes) => {
          const { store, other } = await open();
          const body = bytesOf(sizeBytes);
          const stored = await put(store, KEY, body);
          expect(stored).toMatchObject({ key: KEY, sizeBytes });
          expect((await readAll(other, KEY)).equals(body)).toBe(true);
        },
      );

      test("takes each chunk over: the buffer may be reused", async () => {
        const { store } = await open();
        const upload = await begin(store, KEY);
        const buffer = Buffer.alloc(100_000);
        const hash = createHash("sha256");
        for (let index = 0; index < 10; index += 1) {
          buffer.fill(index);
          hash.update(buffer);
          await upload.write(buffer);
        }
        buffer.fill(255);
        const sha256 = hash.digest("hex");
        await upload.complete({ sizeBytes: 1_000_000, sha256 });
        expect(sha256Of(await readAll(store, KEY))).toBe(sha256);
      });

      test("is not visible before it is complete", async () => {
        const { store, other } = await open();
        const upload = await begin(store, KEY);
        await upload.write(bytesOf(300_000));
        expect(await other.head(KEY, { signal })).toBeUndefined();
        expect(await keysBelow(other, "")).toEqual([]);
        await upload.abort();
      });

      test("is described by its completion as HEAD describes it", async () => {
        const { store, other } = await open();
        const { key, ...info } = await put(store, KEY, bytesOf(1_000));
        expect(key).toBe(KEY);
        expect(info.etag).not.toBe("");
        expect(await other.head(KEY, { signal })).toMatchObject({
          sizeBytes: info.sizeBytes,
          etag: info.etag,
        });
      });

      test.each([-1, 1])("is refused when its size is not that of its proof (%i)", async (difference) => {
        const { store } = await open();
        const body = bytesOf(5_000);
        const upload = await begin(store, KEY);
        await upload.write(body);
        const proof = { sizeBytes: body.length + difference, sha256: sha256Of(body) };
        await expect(upload.complete(proof)).rejects.toMatchObject({
          code: "store-proof-mismatch",
          scope: "task",
        });
        await upload.abort();
        expect(await store.head(KEY, { signal })).toBeUndefined();
        expect(await keysBelow(store, "")).toEqual([]);
      });

      test("leaves nothing when it is aborted, even twice", async () => {
        const { store } = await open();
        const upload = await begin(store, KEY);
        await upload.write(bytesOf(5_000));
        await upload.abort();
        await upload.abort();
        expect(await keysBelow(store, "")).toEqual([]);
        expect(await store.abortUploadsUnder("", { signal })).toBe(0);
      });

      test("that was aborted cannot be completed", async () => {
        const { store } = await open();
        const body = bytesOf(10);
        const upload = await begin(store, KEY);
        await upload.write(body);
        await upload.abort();
        const completion = upload.complete({ sizeBytes: body.length, sha256: sha256Of(body) });
        await expect(completion).rejects.toMatchObject({ code: "store-upload-gone" });
        expect(await store.head(KEY, { signal })).toBeUndefined();
      });

      test("that is complete is not taken back by abort", async () => {
        const { store } = await open();
        const body = bytesOf(10);
        const upload = await begin(store, KEY);
        await upload.write(body);
        await upload.complete({ sizeBytes: body.length, sha256: sha256Of(body) });
        await upload.abort();
        expect((await readAll(store, KEY)).equals(body)).toBe(true);
      });

      test.runIf(traits.exclusiveKeys)("never replaces an object", async () => {
        const { store, other } = await open();
        const [first, second] = await Promise.all([begin(store, KEY), begin(other, KEY)]);
        await first.write(Buffer.from("first"));
        await second.write(Buffer.from("other"));
        await first.complete({ sizeBytes: 5, sha256: sha256Of(Buffer.from("first")) });
        const completion = second.complete({ sizeBytes: 5, sha256: sha256Of(Buffer.from("other")) });
        await expect(completion).rejects.toMatchObject({ code: "store-key-taken" });
        await second.abort();
        expect((await readAll(store, KEY)).toString()).toBe("first");
        expect(await store.abortUploadsUnder("", { signal })).toBe(0);
      });

      test("ends with the reason of its signal", async () => {
        const { store } = await open();
        const controller = new AbortController();
        const reason = new Error("time is up");
        const upload = await begin(store, KEY, controller.signal);
        await upload.write(bytesOf(5_000));
        controller.abort(reason);
        const proof = { sizeBytes: 5_000, sha256: sha256Of(bytesOf(5_000)) };
        await expect(upload.complete(proof)).rejects.toBe(reason);
        await upload.abort();
        expect(await store.head(KEY, { signal })).toBeUndefined();
        expect(await store.abortUploadsUnder("", { signal })).toBe(0);
      });
    });

    describe("aborting the uploads below a prefix", () => {
      test("takes away those of everybody, and tells them", async () => {
        const { store, other } = await open();
        const body = bytesOf(5_000);
        const upload = await begin(store, KEY);
        await upload.write(body);
        expect(await other.abortUploadsUnder(FOLDER, { signal })).toBe(1);
        expect(await other.abortUploadsUnder(FOLDER, { signal })).toBe(0);
        const completion = upload.complete({ sizeBytes: body.length, sha256: sha256Of(body) });
        await expect(completion).rejects.toMatchObject({ code: "store-upload-gone", scope: "task" });
        await upload.abort();
        expect(await store.head(KEY, { signal })).toBeUndefined();
      });

      test("leaves those of other keys, and every object", async () => {
        const { store } = await open();
        const body = bytesOf(100);
        await put(store, KEY, body);
        const neighbour = await begin(store, `${FOLDER.slice(0, -1)}0/e7826e9f-000000.zip`);
        await neighbour.write(body);
        expect(await store.abortUploadsUnder(FOLDER, { signal })).toBe(0);
        await neighbour.complete({ sizeBytes: body.length, sha256: sha256Of(body) });
        expect(await keysBelow(store, "exports/")).toHaveLength(2);
      });

      test("takes a prefix that ends within a name", async () => {
        const { store } = await open();
        const uploads = await Promise.all(
          ["fe8e44f7-1", "fe8e44f7-2", "e7826e9f-3"].map((end) => begin(store, FOLDER + end)),
        );
        expect(await store.abortUploadsUnder(`${FOLDER}fe8e44f7`, { signal })).toBe(2);
        await Promise.all(uploads.map((upload) => upload.abort()));
      });
    });

    test("HEAD of a key without an object says so, also of one that others begin with", async () => {
      const { store } = await open();
      await put(store, KEY, bytesOf(10));
      for (const key of ["exports", KEY.slice(0, -1), `${KEY}0`, `${KEY}/below`, "nothing/here"]) {
        expect(await store.head(key, { signal }), key).toBeUndefined();
      }
    });

    describe("verifying", () => {
      test.runIf(traits.abilities.verification === "stored")(
        "the store's own digest confirms the copy",
        async () => {
          const { store } = await open();
          await store.confirmStored(await put(store, KEY, bytesOf(1_000)), { signal });
        },
      );

      test.runIf(traits.abilities.verification === "read-back")(
        "is never pretended by a store without digest",
        async () => {
          const { store } = await open();
          const stored = await put(store, KEY, bytesOf(1_000));
          await expect(store.confirmStored(stored, { signal })).rejects.toMatchObject({
            code: "store-misconfigured",
          });
        },
      );
    });

    describe("reading", () => {
      const body = bytesOf(600_000);

      test.each([
        [0, 1],
        [0, 600_000],
        [599_999, 600_000],
        [262_143, 262_145],
        [1_000, 500_000],
        [599_990, 700_000],
      ])("gives the range from %i to %i", async (startByte, endByteExclusive) => {
        const { store } = await open();
        await put(store, KEY, body);
        const read = await readAll(store, KEY, { startByte, endByteExclusive });
        expect(read.equals(body.subarray(startByte, endByteExclusive))).toBe(true);
      });

      test("may stop early", async () => {
        const { store } = await open();
        await put(store, KEY, body);
        for await (const chunk of store.read(KEY, { signal })) {
          expect(body.subarray(0, chunk.length).equals(chunk)).toBe(true);
          break;
        }
      });

      test("ends with the reason of its signal", async () => {
        const { store } = await open();
        await put(store, KEY, bytesOf(6 * 1024 * 1024));
        const controller = new AbortController();
        const reason = new Error("time is up");
        const reading = async () => {
          for await (const _chunk of store.read(KEY, { signal: controller.signal })) {
            controller.abort(reason);
          }
        };
        await expect(reading()).rejects.toBe(reason);
      });

      test("an object that is not there is a failure, never an empty body", async () => {
        const { store } = await open();
        await expect(readAll(store, KEY)).rejects.toMatchObject({
          code: "store-copy-differs",
          scope: "task",
        });
      });
    });

    describe("listing", () => {
      test("shows every object and document whose key begins with the prefix, and no other", async () => {
        const { store, other } = await open();
        const keys = [
          "records/a/1.json",
          "records/a/2/x.json",
          "records/ab/3.json",
          "records/b/4.json",
          "runs/5.json",
        ];
        for (const key of keys) {
          await store.putDocument(key, "{}", { kind: "always" }, { signal });
        }
        await put(store, KEY, bytesOf(10));
        const expected: Record<string, readonly string[]> = {
          "": [KEY, ...keys],
          "records/": keys.slice(0, 4),
          "records/a": keys.slice(0, 3),
          "records/a/": keys.slice(0, 2),
          "records/a/2": [keys[1] ?? ""],
          "records/a/2/x.json": [keys[1] ?? ""],
          "records/a/2/x.json/": [],
          "records/c/": [],
          nothing: [],
        };
        for (const [prefix, below] of Object.entries(expected)) {
          expect(await keysBelow(other, prefix), prefix).toEqual(below);
        }
      });

      test("tells size and age", async () => {
        const { store, nowMs = Date.now } = await open();
        const beforeMs = nowMs();
        await put(store, KEY, bytesOf(12_345));
        for await (const { key, sizeBytes, modifiedAtMs } of store.list("exports/", { signal })) {
          expect({ key, sizeBytes }).toEqual({ key: KEY, sizeBytes: 12_345 });
          expect(Math.abs(modifiedAtMs - nowMs())).toBeLessThan(2_000 + nowMs() - beforeMs);
        }
        expect.assertions(2);
      });
    });

    describeDocuments(open, traits);

    test("every call rejects with the reason of a signal that is already aborted", async () => {
      const { store } = await open();
      const stored = await put(store, KEY, bytesOf(10));
      const reason = new Error("the operator pressed Ctrl-C");
      const aborted = { signal: AbortSignal.abort(reason) };
      const calls: readonly (() => Promise<unknown>)[] = [
        () => store.preflight(aborted),
        () => store.readClockMs(aborted),
        () => store.openUpload(`${KEY}2`, { ...aborted, metadata: {}, expectedSizeBytes: 1 }),
        () => store.head(KEY, aborted),
        () => store.confirmStored(stored, aborted),
        () => collect(store.read(KEY, aborted)),
        () => collect(store.list("", aborted)),
        () => store.abortUploadsUnder("", aborted),
        () => store.getDocument(KEY, aborted),
        () => store.putDocument("state/x.json", "", { kind: "always" }, aborted),
      ];
      for (const call of calls) {
        await expect(call()).rejects.toBe(reason);
      }
      expect(await keysBelow(store, "")).toEqual([KEY]);
    });
  });
}
