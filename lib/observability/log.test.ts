import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createPlainLog, type LogLevel } from "./log.ts";
import { Redactor } from "./redact.ts";

function capture(level: LogLevel = "DEBUG", secrets: string[] = []) {
  const written: string[] = [];
  const sink = { write: (text: string) => written.push(text) };
  return {
    written,
    log: createPlainLog({
      sink,
      level,
      redactor: new Redactor(secrets),
      wallMs: () => Date.UTC(2026, 10, 22, 16),
    }),
  };
}

describe("the plain log", () => {
  test("writes time, level, message and fields on one line", () => {
    const { log, written } = capture();
    log.info("archived", { exportTaskId: "5f2d", sizeBytes: 4096, note: "two words", none: undefined });
    expect(written).toEqual([
      '2026-11-22T16:00:00.000Z INFO  archived exportTaskId=5f2d sizeBytes=4096 note="two words" none=undefined\n',
    ]);
  });

  test("lets no value add a line or reach the terminal as a control", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (message, value) => {
        const { log, written } = capture();
        log.warn(`${message}\n\u001b[31m`, { [`${value}\r`]: `${value}\u2028\u0085` });
        const line = written.join("");
        expect(line.endsWith("\n")).toBe(true);
        expect(line.slice(0, -1)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

describe("every log", () => {
  test.each([
    ["DEBUG", 4],
    ["INFO", 3],
    ["WARN", 2],
    ["ERROR", 1],
  ] as const)("at %s writes %i of the four levels", (level, lines) => {
    const { log, written } = capture(level);
    log.debug("d");
    log.info("i");
    log.warn("w");
    log.error("e");
    expect(written).toHaveLength(lines);
  });

  test.each([
    ["DEBUG", true],
    ["INFO", false],
  ] as const)("at %s shows stack traces: %s", (level, shown) => {
    const { log, written } = capture(level);
    log.error("failed", { error: new Error("no") });
    expect(written.join("").includes("log.test")).toBe(shown);
  });

  test("keeps planted secrets in", () => {
    const { log, written } = capture("DEBUG", ["s3cr3t/+value"]);
    log.info("using s3cr3t/+value", { error: new Error("s3cr3t/+value"), "s3cr3t/+value": 1, sk: "other" });
    expect(written.join("")).not.toMatch(/s3cr3t|other/);
  });
});
