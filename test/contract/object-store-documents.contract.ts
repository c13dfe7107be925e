import { describe, expect, test } from "vitest";
import { MAX_DOCUMENT_BYTES, MAX_WRITTEN_BYTES } from "../../lib/ports/object-store.ts";
import { bytesOf, KEY, put, type StoreTraits, type StoreUnderTest } from "./store-helpers.ts";

const { signal } = new AbortController();

/** The documents' part of the contract of lib/ports/object-store.ts. */
export function describeDocuments(open: () => Promise<StoreUnderTest>, traits: StoreTraits): void {
  describe("a document", () => {
    const key = "state/pacing.json";

    test("that was never written is not there", async () => {
      const { store } = await open();
      expect(await store.getDocument(key, { signal })).toBeUndefined();
    });

    test.each(["", "{}", '{"name":"Störung \u{1F600}","nul":"\u0000"}', "\uFEFFwith a mark\r\n"])(
      "holds the text %j as it is, with the etag its writing gave",
      async (text) => {
        const { store, other } = await open();
        const written = await store.putDocument(key, text, { kind: "always" }, { signal });
        expect(written).not.toBe("conflict");
        expect(await other.getDocument(key, { signal })).toEqual({ text, ...Object(written) });
      },
    );

    test("may be as large as the limit, and no larger", async () => {
      const { store } = await open();
      const text = "x".repeat(MAX_DOCUMENT_BYTES);
      await store.putDocument(key, text, { kind: "always" }, { signal });
      expect((await store.getDocument(key, { signal }))?.text?.length).toBe(text.length);
      const tooLarge = "x".repeat(MAX_WRITTEN_BYTES + 1);
      await expect(store.putDocument(key, tooLarge, { kind: "always" }, { signal })).rejects.toMatchObject({
        code: "store-too-large",
      });
    });

    test.each([
      ["larger than any", bytesOf(MAX_DOCUMENT_BYTES + 1)],
      ["no UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d)],
    ])("that is %s stands there without a text, and can be replaced", async (_name, bytes) => {
      const { store } = await open();
      await put(store, KEY, bytes);
      const found = await store.getDocument(KEY, { signal });
      expect(found).toEqual({ text: undefined, etag: expect.stringMatching(/./) });
      const condition = traits.abilities.compareAndSwap
        ? ({ kind: "if-match", etag: found?.etag ?? "" } as const)
        : ({ kind: "always" } as const);
      expect(await store.putDocument(KEY, "{}", condition, { signal })).not.toBe("conflict");
      expect((await store.getDocument(KEY, { signal }))?.text).toBe("{}");
    });

    test("written always replaces what was there", async () => {
      const { store } = await open();
      await store.putDocument(key, "1", { kind: "always" }, { signal });
      await store.putDocument(key, "2", { kind: "always" }, { signal });
      expect((await store.getDocument(key, { signal }))?.text).toBe("2");
    });

    describe.runIf(traits.abilities.createOnce)("written if absent", () => {
      test("is created once; later writers learn of the conflict and change nothing", async () => {
        const { store, other } = await open();
        const written = await store.putDocument(key, "first", { kind: "if-absent" }, { signal });
        expect(await other.putDocument(key, "second", { kind: "if-absent" }, { signal })).toBe("conflict");
        expect(await store.getDocument(key, { signal })).toEqual({ text: "first", ...Object(written) });
      });

      test("has one winner among ten at once", async () => {
        const { store, other } = await open();
        const results = await Promise.all(
          Array.from({ length: 10 }, (_, index) =>
            (index % 2 === 0 ? store : other).putDocument(key, `${index}`, { kind: "if-absent" }, { signal }),
          ),
        );
        const winners = results.flatMap((result, index) => (result === "conflict" ? [] : [`${index}`]));
        expect(winners).toEqual([(await store.getDocument(key, { signal }))?.text]);
      });
    });

    describe.runIf(traits.abilities.compareAndSwap)("written if it still matches", () => {
      test("is replaced, and the new etag is good for the next time", async () => {
        const { store, other } = await open();
        let etag = etagOf(await store.putDocument(key, "0", { kind: "always" }, { signal }));
        for (const text of ["1", "2", "3"]) {
          etag = etagOf(await other.putDocument(key, text, { kind: "if-match", etag }, { signal }));
        }
        expect(await store.getDocument(key, { signal })).toEqual({ text: "3", etag });
      });

      test("stays as it is when it was changed meanwhile", async () => {
        const { store } = await open();
        const etag = etagOf(await store.putDocument(key, "0", { kind: "always" }, { signal }));
        await store.putDocument(key, "1", { kind: "always" }, { signal });
        expect(await store.putDocument(key, "2", { kind: "if-match", etag }, { signal })).toBe("conflict");
        expect((await store.getDocument(key, { signal }))?.text).toBe("1");
      });

      test("is not created", async () => {
        const { store } = await open();
        const etag = etagOf(await store.putDocument("state/else.json", "0", { kind: "always" }, { signal }));
        expect(await store.putDocument(key, "1", { kind: "if-match", etag }, { signal })).toBe("conflict");
        expect(await store.getDocument(key, { signal })).toBeUndefined();
      });

      test("has one winner among ten at once", async () => {
        const { store, other } = await open();
        const etag = etagOf(await store.putDocument(key, "start", { kind: "always" }, { signal }));
        const results = await Promise.all(
          Array.from({ length: 10 }, (_, index) =>
            (index % 2 === 0 ? store : other).putDocument(
              key,
              `${index}`,
              { kind: "if-match", etag },
              { signal },
            ),
          ),
        );
        const winners = results.flatMap((result, index) => (result === "conflict" ? [] : [`${index}`]));
        expect(winners).toEqual([(await store.getDocument(key, { signal }))?.text]);
      });
    });
  });
}

function etagOf(written: { readonly etag: string } | "conflict"): string {
  if (written === "conflict") {
    throw new Error("the document was not written");
  }
  return written.etag;
}
