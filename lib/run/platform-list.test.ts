import { describe, expect, test } from "vitest";
import { platformError, throttledError } from "../../test/world/port-errors.ts";
import { VirtualClock } from "../../test/world/virtual-clock.ts";
import type { Platform } from "../ports/platform.ts";
import { SystemFailure } from "./errors.ts";
import { freshList } from "./platform-list.ts";

const INTERVAL_MS = 31_000;

/** Asks for a list; each try meets the next of the errors, if there is one left. Returns when the tries began. */
async function ask(errors: readonly Error[], downloadIntervalMs = INTERVAL_MS) {
  const clock = new VirtualClock();
  const triedAtMs: number[] = [];
  const listExportTasks = async () => {
    triedAtMs.push(clock.monotonicMs());
    const error = errors[triedAtMs.length - 1];
    if (error !== undefined) {
      throw error;
    }
    return { tasks: [], oddItems: [], platformDateMs: 7 };
  };
  // Of the platform, a list needs the one call.
  const platform: unknown = { listExportTasks };
  const ports = { platform: platform as Platform, clock };
  const { signal } = new AbortController();
  const ended = await clock
    .run(() => freshList(ports, { downloadIntervalMs }, signal))
    .then(
      (list) => ({ list }),
      (error: unknown) => ({ error }),
    );
  return { ...ended, triedAtMs };
}

describe("a list", () => {
  const unavailable = platformError("platform-unavailable");

  test("that fails in passing is asked for again after 1 s and after 2 s more, and begins at its last try", async () => {
    expect(await ask([unavailable, unavailable])).toEqual({
      list: { tasks: [], oddItems: [], startedAtMs: 3_000, platformDateMs: 7, platformMs: 7 },
      triedAtMs: [0, 1_000, 3_000],
    });
  });

  test("is given up after three tries", async () => {
    const { triedAtMs, ...ended } = await ask([unavailable, unavailable, unavailable]);
    expect(triedAtMs).toEqual([0, 1_000, 3_000]);
    expect(ended).toMatchObject({ error: { code: "platform-unavailable", scope: "system" } });
  });

  test.each([
    ["that only a person can mend", platformError("platform-unauthenticated")],
    ["that is none of ours", new TypeError("x")],
  ])("is not asked for again after a failure %s", async (_which, error) => {
    const ended = await ask([error]);
    expect(ended).toMatchObject({ triedAtMs: [0], error: expect.any(SystemFailure) });
  });

  test.each([
    ["one interval", INTERVAL_MS, INTERVAL_MS],
    ["a minute at most", 200_000, 60_000],
  ])("that is throttled is asked for again after %s", async (_long, intervalMs, waitMs) => {
    const throttled = throttledError("429");
    expect(await ask([throttled], intervalMs)).toMatchObject({ triedAtMs: [0, waitMs] });
  });

  test("that is stopped ends with the reason, not as a failure of the system", async () => {
    const stop = new AbortController();
    const reason = new Error("SIGINT");
    const listExportTasks = async () => {
      stop.abort(reason);
      throw reason;
    };
    const platform: unknown = { listExportTasks };
    const ports = { platform: platform as Platform, clock: new VirtualClock() };
    const listing = freshList(ports, { downloadIntervalMs: INTERVAL_MS }, stop.signal);
    await expect(listing).rejects.toBe(reason);
  });
});
