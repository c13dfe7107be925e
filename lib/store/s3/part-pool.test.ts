import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type PartBuffer, PartPool } from "./part-pool.ts";

const { signal } = new AbortController();
const PART_SIZE_BYTES = 16;

function poolOf(partCount: number): PartPool {
  return new PartPool({ partSizeBytes: PART_SIZE_BYTES, partCount });
}

/** Whether a promise is settled once everything that can happen on its own has happened. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol("open");
  const turn = new Promise((resolve) => setImmediate(() => resolve(open)));
  return (await Promise.race([promise.catch(() => "rejected"), turn])) !== open;
}

describe("a part pool", () => {
  test("makes a buffer only when one is needed, and lends the same ones again", async () => {
    const pool = poolOf(3);
    const share = await pool.join(signal);
    expect(pool.madeCount).toBe(0);
    for (let round = 0; round < 10; round += 1) {
      const buffer = await pool.acquire(share, signal);
      expect(buffer.bytes.length).toBe(PART_SIZE_BYTES);
      pool.release(share, buffer);
    }
    expect(pool.madeCount).toBe(1);
  });

  test("gives all buffers to an upload that is alone, and no more than there are", async () => {
    const pool = poolOf(3);
    const share = await pool.join(signal);
    for (let count = 0; count < 3; count += 1) {
      await pool.acquire(share, signal);
    }
    expect(await isSettled(pool.acquire(share, signal))).toBe(false);
    expect(pool.madeCount).toBe(3);
  });

  test("keeps one buffer for every upload that has joined", async () => {
    const pool = poolOf(3);
    const [greedy, patient] = [await pool.join(signal), await pool.join(signal)];
    await pool.acquire(greedy, signal);
    await pool.acquire(greedy, signal);
    expect(await isSettled(pool.acquire(greedy, signal))).toBe(false);
    expect(await isSettled(pool.acquire(patient, signal))).toBe(true);
  });

  test("lets a further upload join as soon as one buffer can be kept for it, before anybody takes a second", async () => {
    const pool = poolOf(2);
    const first = await pool.join(signal);
    const held = [await pool.acquire(first, signal), await pool.acquire(first, signal)] as const;
    const joining = pool.join(signal);
    const third = pool.acquire(first, signal);
    expect(await isSettled(joining)).toBe(false);
    pool.release(first, held[0]);
    expect(await isSettled(joining)).toBe(true);
    expect(await isSettled(third)).toBe(false);
    expect(await isSettled(pool.acquire(await joining, signal))).toBe(true);
  });

  test("gives a free buffer to whoever holds fewest", async () => {
    const pool = poolOf(4);
    const [rich, poor] = [await pool.join(signal), await pool.join(signal)];
    const held = [
      await pool.acquire(rich, signal),
      await pool.acquire(rich, signal),
      await pool.acquire(rich, signal),
    ] as const;
    await pool.acquire(poor, signal);
    const fourth = pool.acquire(rich, signal);
    const second = pool.acquire(poor, signal);
    pool.release(rich, held[0]);
    expect(await isSettled(second)).toBe(true);
    expect(await isSettled(fourth)).toBe(false);
  });

  test("stops waiting with the signal's reason, and takes nothing", async () => {
    const pool = poolOf(1);
    const share = await pool.join(signal);
    const only = await pool.acquire(share, signal);
    const controller = new AbortController();
    const reason = new Error("time is up");
    const waiting = [pool.acquire(share, controller.signal), pool.join(controller.signal)];
    controller.abort(reason);
    for (const wait of waiting) {
      await expect(wait).rejects.toBe(reason);
    }
    await expect(pool.acquire(share, controller.signal)).rejects.toBe(reason);
    pool.release(share, only);
    pool.leave(share);
    expect(await isSettled(pool.join(signal))).toBe(true);
    expect(pool.lentCount).toBe(0);
  });

  test("refuses to be misused: two releases, leaving with a buffer, asking after leaving", async () => {
    const pool = poolOf(2);
    const share = await pool.join(signal);
    const buffer = await pool.acquire(share, signal);
    expect(() => pool.leave(share)).toThrow("in its hands");
    pool.release(share, buffer);
    expect(() => pool.release(share, buffer)).toThrow("not lent");
    pool.leave(share);
    pool.leave(share);
    await expect(pool.acquire(share, signal)).rejects.toThrow("left the pool");
  });

  test.each([0, -1, 1.5, Number.NaN])("cannot have %d parts", (partCount) => {
    expect(() => poolOf(partCount)).toThrow(RangeError);
    expect(() => new PartPool({ partSizeBytes: partCount, partCount: 1 })).toThrow(RangeError);
  });

  test("never deadlocks, leaks or lends one buffer twice, whatever the order", async () => {
    const upload = fc.record({ parts: fc.integer({ min: 0, max: 6 }), givesUpAfter: fc.option(fc.nat(5)) });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(upload, { minLength: 1, maxLength: 5 }),
        fc.scheduler(),
        async (partCount, uploads, scheduler) => {
          const pool = poolOf(partCount);
          const lent = new Set<PartBuffer>();
          const running = uploads.map(({ parts, givesUpAfter }) =>
            playUpload({ pool, lent, parts, givesUpAfter, pause: (of) => scheduler.schedule(of) }),
          );
          await scheduler.waitFor(Promise.all(running));
          expect(pool.lentCount).toBe(0);
          expect(lent.size).toBe(0);
          expect(pool.madeCount).toBeLessThanOrEqual(partCount);
        },
      ),
      { numRuns: 200 },
    );
  });
});

interface PlayedUpload {
  readonly pool: PartPool;
  readonly lent: Set<PartBuffer>;
  readonly parts: number;
  /** Aborted while it waits for the part of this number. */
  readonly givesUpAfter: number | null;
  readonly pause: (of: Promise<void>) => Promise<void>;
}

/** As an upload uses the pool: one buffer is filled while those before it are on their way. */
async function playUpload({ pool, lent, parts, givesUpAfter, pause }: PlayedUpload): Promise<void> {
  const controller = new AbortController();
  const share = await pool.join(controller.signal);
  const sending: Promise<void>[] = [];
  for (let part = 0; part < parts; part += 1) {
    const acquiring = pool.acquire(share, controller.signal);
    if (part === givesUpAfter) {
      controller.abort();
    }
    const buffer = await acquiring.catch(() => undefined);
    if (buffer === undefined) {
      break;
    }
    expect(lent.has(buffer)).toBe(false);
    lent.add(buffer);
    sending.push(
      pause(Promise.resolve()).then(() => {
        lent.delete(buffer);
        pool.release(share, buffer);
      }),
    );
  }
  await Promise.all(sending);
  pool.leave(share);
}
