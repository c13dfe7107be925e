import { expect, test } from "vitest";
import type { ArchiverError } from "../domain/errors.ts";
import { Interrupted } from "../run/errors.ts";
import {
  BodyNotAccepted,
  cannotVerifyStored,
  clockSkewed,
  copyDiffers,
  cutInFullRun,
  shortBody,
} from "./errors.ts";

test.each<[ArchiverError, ArchiverError["scope"], ArchiverError["retry"]]>([
  [new BodyNotAccepted("no ZIP", "ab"), "task", "later"],
  [shortBody("cut"), "task", "later"],
  [copyDiffers("k", "size"), "task", "later"],
  [cutInFullRun(), "task", "later"],
  [new Interrupted("run-stopped"), "task", "later"],
  [clockSkewed("the platform's", 1), "system", "never"],
  [cannotVerifyStored(), "system", "never"],
])("%s says whose fault it is, when to try again and what to do", (error, scope, retry) => {
  expect(error).toMatchObject({ scope, retry, hint: expect.stringMatching(/^[A-Z].+\.$/) });
});

test.each([
  [420_000, "7 min ahead of"],
  [-360_000, "6 min behind"],
])("a clock that is %d ms off is told in minutes, with the direction", (skewMs, told) => {
  expect(clockSkewed("the platform's", skewMs).message).toContain(told);
});
