import { expect, test } from "vitest";
import { formatBytes, formatOtherSize } from "./format-bytes.ts";

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [10_240, "10.0 KiB"],
  [5 * 1024 * 1024, "5.00 MiB"],
  [1.25 * 1024 ** 3, "1.25 GiB"],
])("%i bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test("sizes that differ never read the same", () => {
  expect(formatOtherSize(2, 5_242_880)).toBe("2 B instead of 5.00 MiB");
  expect(formatOtherSize(5_242_879, 5_242_880)).toBe("5242879 bytes instead of 5242880");
});
