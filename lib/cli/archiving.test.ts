import { expect, test } from "vitest";
import { ConfigurationError } from "../config/errors.ts";
import { limitOf } from "./archiving.ts";

const DEFAULTS = { minTaskMs: 60_000, downloadIntervalMs: 31_000 };

test("a limit in which no task can start is refused, with the least that works", () => {
  expect(() => limitOf({ maxMinutes: 1 }, DEFAULTS)).toThrow(ConfigurationError);
  expect(() => limitOf({ maxMinutes: 1 }, DEFAULTS)).toThrow(
    "--max-minutes 1: is too short: a task waits up to 31 s for its download slot and then needs 1 min 00 s (ARCHIVER_MIN_TASK_MS). Set it to 2 or more.",
  );
  expect(() => limitOf({ maxMinutes: 4 }, { ...DEFAULTS, minTaskMs: 270_000 })).toThrow(
    "Set it to 6 or more.",
  );
});

test("any other limit, or none, is taken", () => {
  expect(limitOf({ maxMinutes: 2 }, DEFAULTS)).toEqual({ limitMs: 120_000 });
  expect(limitOf({ maxMinutes: 1 }, { ...DEFAULTS, minTaskMs: 20_000 })).toEqual({ limitMs: 60_000 });
  expect(limitOf({}, DEFAULTS)).toEqual({});
});
