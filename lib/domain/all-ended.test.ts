import { expect, test } from "vitest";
import { allEnded } from "./all-ended.ts";

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
