import { expect, test } from "vitest";
import { ArchiverError } from "../domain/errors.ts";
import { Interrupted, SystemFailure } from "./errors.ts";

test("a system failure keeps the code and hint of what it stands for", () => {
  const cause = new ArchiverError("short-body", "cut", { scope: "task", retry: "later", hint: "Do." });
  const failure = new SystemFailure(cause);
  expect(failure).toMatchObject({ code: cause.code, hint: cause.hint, scope: "system", retry: "later" });
  expect(failure.cause).toBe(cause);
});

test.each([
  ["task-limit", "time limit"],
  ["run-stopped", "stopping"],
] as const)("%s says what interrupted", (code, told) => {
  expect(new Interrupted(code).message).toContain(told);
});
