import { hostname } from "node:os";
import { expect, test } from "vitest";
import { operatorName } from "./operator.ts";

test("the operator is the user the system knows", () => {
  expect(operatorName(() => ({ username: "ann" }))).toBe(`ann@${hostname()}`);
});

test("a user without an entry in passwd is told by the number", () => {
  const unknown = () => {
    throw Object.assign(new Error("uv_os_get_passwd returned ENOENT"), { code: "ERR_SYSTEM_ERROR" });
  };
  expect(operatorName(unknown)).toBe(`uid-${process.getuid?.()}@${hostname()}`);
});
