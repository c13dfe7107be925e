import { hostname } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { interruptible, operatorName } from "./operator.ts";

test("the operator is the user the system knows", () => {
  expect(operatorName(() => ({ username: "ann" }))).toBe(`ann@${hostname()}`);
});

test("a user without an entry in passwd is told by the number", () => {
  const unknown = () => {
    throw Object.assign(new Error("uv_os_get_passwd returned ENOENT"), { code: "ERR_SYSTEM_ERROR" });
  };
  expect(operatorName(unknown)).toBe(`uid-${process.getuid?.()}@${hostname()}`);
});

test.each([
  ["SIGINT", true, "Stopping. Press Ctrl-C again to stop at once."],
  ["SIGINT", false, "Stopping."],
  ["SIGTERM", true, "Stopping."],
] as const)("after %s with a terminal (%s) an operator reads: %s", async (signal, isTTY, expected) => {
  const { isTTY: before } = process.stderr;
  onTestFinished(() => {
    process.stderr.isTTY = before;
  });
  process.stderr.isTTY = isTTY;
  const said: string[] = [];
  await interruptible(
    (line) => said.push(line),
    async ({ aborted }) => {
      expect(aborted).toBe(false);
      process.emit(signal, signal);
    },
  );
  expect(said).toEqual([expected]);
});
