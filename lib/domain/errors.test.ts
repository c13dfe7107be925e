import { expect, test } from "vitest";
import { ArchiverError, describeFailure, type Fault, FaultError } from "./errors.ts";

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

test("an error of a fault names what it is about, and its hint the place to look at", () => {
  const fault: Fault<"full"> = {
    code: "full",
    scope: "system",
    retry: "later",
    problem: "no room",
    hint: "Look at {place}.",
  };
  const cause = new Error("cause");
  const error = new FaultError(fault, "exports/a", { place: "/mnt/$&", cause });
  expect(error).toMatchObject({ code: "full", scope: "system", retry: "later", cause });
  expect(error.message).toBe("no room (exports/a)");
  expect(error.hint).toBe("Look at /mnt/$&.");
  expect(new FaultError(fault).message).toBe("no room");
});
