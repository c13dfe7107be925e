import { expect, test } from "vitest";
import { ConfigurationError } from "../config/errors.ts";
import { limitOf } from "./archiving.ts";

const DEFAULTS = { minTaskMs: 60_000, downloadIntervalMs: 31_000 };

test("a limit in which no task can start is refused, with the least that works", () => {
  expect(() => limitOf({ maxMinutes: 1 }, DEFAULTS)).toThrow(ConfigurationError);
  expect(() => limitOf({ maxMinutes: 1 }, DEFAULTS)).toThrow(
    "--max-minutes 1: leaves no time to start a task: it waits up to 31 s for its slot, and 1 min 00 s must remain then (ARCHIVER_MIN_TASK_MS). Give it 2 or more.",
  );
  expect(() => limitOf({ maxMinutes: 4 }, { ...DEFAULTS, minTaskMs: 270_000 })).toThrow("Give it 6 or more.");
});

test("any other limit, or none, is taken", () => {
  expect(limitOf({ maxMinutes: 2 }, DEFAULTS)).toEqual({ limitMs: 120_000 });
  expect(limitOf({ maxMinutes: 1 }, { ...DEFAULTS, minTaskMs: 20_000 })).toEqual({ limitMs: 60_000 });
  expect(limitOf({}, DEFAULTS)).toEqual({});
});
