import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { allEnded, inBatches, unless, untilAborted } from "./promises.ts";

const reason = new Error("stopped");
const forever = new Promise<never>(() => undefined);

test("gives what it waited for, and leaves no listener", async () => {
  const { signal } = new AbortController();
  expect(await untilAborted(Promise.resolve(1), signal)).toBe(1);
  await expect(untilAborted(Promise.reject(new Error("no")), signal)).rejects.toThrow("no");
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("throws the reason once the signal is aborted, and leaves no listener", async () => {
  const abort = new AbortController();
  const waiting = untilAborted(forever, abort.signal);
  abort.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  expect(getEventListeners(abort.signal, "abort")).toEqual([]);
});

test.each([
  ["never ends", forever],
  ["has ended", Promise.resolve(1)],
])("throws the reason of a signal that is aborted already, where the work %s", async (_name, work) => {
  await expect(untilAborted(work, AbortSignal.abort(reason))).rejects.toBe(reason);
});

test("takes the late failure of work that was not waited for", async () => {
  const unhandled: unknown[] = [];
  const note = (thrown: unknown) => unhandled.push(thrown);
  process.on("unhandledRejection", note);
  const late = Promise.withResolvers<number>();
  await expect(untilAborted(late.promise, AbortSignal.abort(reason))).rejects.toBe(reason);
  late.reject(new Error("late"));
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

test("gives every answer, in order", async () => {
  expect(await allEnded([Promise.resolve(1), Promise.resolve("b")])).toEqual([1, "b"]);
});

test("throws the first failure, and not before the last call has ended", async () => {
  const slow = Promise.withResolvers<number>();
  let hasThrown = false;
  const calls = allEnded([Promise.reject(new Error("no")), slow.promise]).catch((error: unknown) => {
    hasThrown = true;
    return error;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(hasThrown).toBe(false);
  slow.resolve(1);
  expect(await calls).toMatchObject({ message: "no" });
});

test("unless: only the failure that is expected becomes a value", async () => {
  const isExpected = (thrown: unknown) => thrown === "expected";
  expect(await unless(isExpected, Promise.resolve(1), undefined)).toBe(1);
  expect(await unless(isExpected, Promise.reject("expected"), undefined)).toBeUndefined();
  await expect(unless(isExpected, Promise.reject("other"), undefined)).rejects.toBe("other");
});

describe("in batches", () => {
  test("gives results in order, and begins no batch that the caller does not ask for", async () => {
    const begun: number[] = [];
    const double = async (item: number) => {
      begun.push(item);
      return 2 * item;
    };
    const results: number[] = [];
    for await (const result of inBatches([1, 2, 3, 4, 5], 2, double)) {
      results.push(result);
      if (result === 6) {
        break;
      }
    }
    expect(results).toEqual([2, 4, 6]);
    expect(begun).toEqual([1, 2, 3, 4]);
  });

  test("waits for the whole batch before it throws", async () => {
    const ended: number[] = [];
    const work = async (item: number) => {
      await Promise.resolve();
      ended.push(item);
      if (item === 1) {
        throw new Error("first");
      }
    };
    await expect(inBatches([1, 2, 3], 2, work).next()).rejects.toThrow("first");
    expect(ended).toEqual([1, 2]);
  });
});
