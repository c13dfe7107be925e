import { expect, test } from "vitest";
import { cutToBytes } from "./cut-text.ts";

test("a text is cut between characters, and says so", () => {
  expect(cutToBytes("good", 4)).toBe("good");
  expect(cutToBytes("night", 4)).toBe("n…");
  // Three bytes each.
  expect(cutToBytes("夜间备份", 9)).toBe("夜间…");
  expect(cutToBytes("夜间备份", 8)).toBe("夜…");
  expect(cutToBytes("夜间备份", 12)).toBe("夜间备份");
  expect(cutToBytes("🌙🌙", 7)).toBe("🌙…");
});
