import { expect, test } from "vitest";
import { ArchiverError, describeFailure } from "./errors.ts";

const FACTS = { scope: "task", retry: "later", hint: "Do this." } as const;

test("an error of ours carries what is decided on, its cause, and a name that minifying leaves alone", () => {
  class NarrowError extends ArchiverError {}
  const cause = new Error("cause");
  const error = new NarrowError("some-code", "what happened", { ...FACTS, cause });
  expect(error).toMatchObject({
    code: "some-code",
    message: "what happened",
    name: "ArchiverError",
    ...FACTS,
  });
  expect(error.cause).toBe(cause);
  expect("cause" in new ArchiverError("c", "m", FACTS)).toBe(false);
});

test("a report shows our own text", () => {
  expect(describeFailure(new ArchiverError("some-code", "what happened", FACTS))).toEqual({
    code: "some-code",
    message: "what happened",
    hint: "Do this.",
  });
});

test.each([[new TypeError("sk=SECRET")], ["SECRET"], [undefined], [{ message: "SECRET" }]])(
  "a report shows no text of what others threw",
  (thrown) => {
    const failure = describeFailure(thrown);
    expect(failure.code).toBe("internal-error");
    expect(JSON.stringify(failure)).not.toContain("SECRET");
    expect(failure.hint).not.toBe("");
  },
);
