import { expect, test } from "vitest";
import { decodedKey } from "./listed-keys.ts";

const REQUEST = { operation: "ListObjectsV2", subject: "exports/" };

// S3 writes a space as a plus sign and a plus sign in hex; others write the space in hex.
test.each([
  ["exports/a+b", "url", "exports/a b"],
  ["exports/a%20b", "url", "exports/a b"],
  ["exports/a%2Bb%25", "url", "exports/a+b%"],
  ["exports/%C3%BC", "url", "exports/ü"],
  ["exports/a+b%20", undefined, "exports/a+b%20"],
])("a key listed as %s in encoding %s is %s", (listed, encoding, key) => {
  expect(decodedKey(listed, encoding, REQUEST)).toBe(key);
});

test("a key that is not encoded as it says is an error, not another key", () => {
  expect(() => decodedKey("exports/%zz", "url", REQUEST)).toThrow(
    expect.objectContaining({ code: "store-foreign-answer" }),
  );
});
