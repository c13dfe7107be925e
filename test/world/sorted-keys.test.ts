import fc from "fast-check";
import { expect, test } from "vitest";
import { SortedKeys } from "./sorted-keys.ts";

test("lists what lies below any prefix as a look at each key would, through additions and removals", () => {
  const key = fc.string({ unit: fc.constantFrom("a", "b", "/", "é", "😀"), maxLength: 4 });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), key)), key, (changes, prefix) => {
      const sorted = new SortedKeys();
      const model = new Set<string>();
      for (const [isAdded, changed] of changes) {
        sorted[isAdded ? "add" : "remove"](changed);
        model[isAdded ? "add" : "delete"](changed);
      }
      expect(sorted.under(prefix)).toEqual([...model].filter((one) => one.startsWith(prefix)).sort());
    }),
  );
});
