import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { exactly, readStrictJson, shortName, wholeNumberFrom } from "./strict-schema.ts";

const schema = exactly(
  { rules: v.array(exactly({ name: shortName, days: wholeNumberFrom(1, 31) }, "a list")) },
  "a list",
);
const problemsOf = (text: string) => {
  const read = readStrictJson(schema, text, "the list");
  return read.kind === "refused" ? read.problems : [];
};

describe("a text that an operator wrote", () => {
  test("is read, a byte order mark or not", () => {
    const text = '{"rules":[{"name":"a b","days":3}]}';
    expect(readStrictJson(schema, `\uFEFF${text}`, "the list")).toEqual({
      kind: "read",
      value: { rules: [{ name: "a b", days: 3 }] },
    });
  });

  test("is refused with each key and the name that may be meant", () => {
    expect(problemsOf('{"rules":[{"nam":"x","days":0}],"zzz":1}')).toEqual([
      "rules[0].name: is missing",
      "rules[0].days: is not a whole number from 1 to 31",
      "rules[0].nam: is not a key of a list here; did you mean name?",
      "zzz: is not a key of a list here; remove it (known: rules)",
    ]);
  });

  test("is refused as a whole where it is not JSON, too deep, or not an object", () => {
    expect(problemsOf("{")).toEqual(["the list is not JSON"]);
    expect(problemsOf("[".repeat(40) + "]".repeat(40))).toEqual(["the list is nested deeper than 32 levels"]);
    expect(problemsOf("1")).toEqual(["the list: is not an object"]);
  });
});
