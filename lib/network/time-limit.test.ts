import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { withTimeLimit } from "./time-limit.ts";

/** Rejects with the reason of its signal, as a request does. */
function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

test("work that is slower than its limit is aborted with a TimeoutError", async () => {
  const { signal } = new AbortController();
  await expect(withTimeLimit(signal, 20, hang)).rejects.toMatchObject({ name: "TimeoutError" });
});

test("an abort from outside is passed on with its reason, one from before the work too", async () => {
  const controller = new AbortController();
  const limited = withTimeLimit(controller.signal, 60_000, hang);
  controller.abort("the run is over");
  await expect(limited).rejects.toBe("the run is over");
  const late = withTimeLimit(controller.signal, 60_000, async (signal) => signal.reason);
  expect(await late).toBe("the run is over");
});

test("what aborted work throws gives way to the reason; what it still returns does not", async () => {
  const { signal } = new AbortController();
  const reset = (limited: AbortSignal) => hang(limited).catch(() => Promise.reject(new Error("ECONNRESET")));
  await expect(withTimeLimit(signal, 20, reset)).rejects.toMatchObject({ name: "TimeoutError" });
  expect(await withTimeLimit(signal, 20, (limited) => hang(limited).catch(() => "just in time"))).toBe(
    "just in time",
  );
});

test("work that ends leaves neither timer nor listener", async () => {
  const { signal } = new AbortController();
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  expect(await withTimeLimit(signal, 60_000, async () => timers())).toBe(before + 1);
  await expect(withTimeLimit(signal, 60_000, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect([timers(), getEventListeners(signal, "abort")]).toEqual([before, []]);
});
