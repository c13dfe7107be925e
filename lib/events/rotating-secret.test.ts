import { expect, test } from "vitest";
import { RotatingSecret } from "./rotating-secret.ts";

const MINUTE_MS = 60_000;

/** A secret that is kept elsewhere; reads end when they are told to. */
function keptElsewhere() {
  const elsewhere = { text: "old", nowMs: 1_000_000, reads: 0, error: undefined as Error | undefined };
  const read = async () => {
    elsewhere.reads += 1;
    if (elsewhere.error !== undefined) {
      throw elsewhere.error;
    }
    return elsewhere.text;
  };
  return { elsewhere, secret: new RotatingSecret(read, { wallMs: () => elsewhere.nowMs }) };
}

test("is read once for all who ask at once, and not again for five minutes", async () => {
  const { elsewhere, secret } = keptElsewhere();
  expect(await Promise.all([secret.current(), secret.current(), secret.renewed()])).toEqual([
    "old",
    "old",
    "old",
  ]);
  elsewhere.text = "new";
  elsewhere.nowMs += 5 * MINUTE_MS - 1;
  expect(await secret.current()).toBe("old");
  expect(elsewhere.reads).toBe(1);
  elsewhere.nowMs += 1;
  expect(await secret.current()).toBe("new");
  expect(elsewhere.reads).toBe(2);
});

test("a request with another secret makes it be read again: a change is taken at once", async () => {
  const { elsewhere, secret } = keptElsewhere();
  await secret.current();
  elsewhere.text = "new";
  elsewhere.nowMs += MINUTE_MS;
  expect(await secret.renewed()).toBe("new");
  expect(await secret.current()).toBe("new");
  expect(elsewhere.reads).toBe(2);
});

test("a flood of wrong secrets makes two reads a minute at most", async () => {
  const { elsewhere, secret } = keptElsewhere();
  for (let request = 0; request < 6_000; request += 1) {
    await secret.current();
    await secret.renewed();
    elsewhere.nowMs += 10;
  }
  expect(elsewhere.reads).toBe(2);
});

test("a read that fails is told to who asked, and to all for the next half minute", async () => {
  const { elsewhere, secret } = keptElsewhere();
  elsewhere.error = new Error("out of reach");
  for (let request = 0; request < 10; request += 1) {
    await expect(secret.current()).rejects.toThrow("out of reach");
    await expect(secret.renewed()).rejects.toThrow("out of reach");
    elsewhere.nowMs += 1_000;
  }
  expect(elsewhere.reads).toBe(1);
  elsewhere.error = undefined;
  elsewhere.nowMs += MINUTE_MS;
  expect(await secret.current()).toBe("old");
});

test("while it cannot be read, the secret as it was is still taken, and another one neither taken nor refused", async () => {
  const { elsewhere, secret } = keptElsewhere();
  await secret.current();
  elsewhere.error = new Error("out of reach");
  elsewhere.nowMs += MINUTE_MS;
  await expect(secret.renewed()).rejects.toThrow("out of reach");
  expect(await secret.current()).toBe("old");
  elsewhere.nowMs += 4 * MINUTE_MS;
  await expect(secret.current()).rejects.toThrow("out of reach");
  expect(elsewhere.reads).toBe(3);
});

test("a clock that was set back keeps no old secret in force", async () => {
  const { elsewhere, secret } = keptElsewhere();
  await secret.current();
  elsewhere.text = "new";
  elsewhere.nowMs -= 60 * MINUTE_MS;
  expect(await secret.current()).toBe("new");
});
