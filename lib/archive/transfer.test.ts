import { describe, expect, test } from "vitest";
import { platformError } from "../../test/world/port-errors.ts";
import type { TimedCallOptions } from "../ports/platform.ts";
import { BareAttempt, ID, lostSlot, slotOf, UnreadDownload } from "./testing/bare-attempt.ts";
import { askForFile } from "./transfer.ts";

const RUN_LIMIT_MS = 840_000;
const GRACE_MS = 20_000;
const MIN_TASK_MS = 60_000;

/** The platform lets a request through that is written in its slot. */
const written = async ({ beforeRequest }: TimedCallOptions) => {
  await beforeRequest?.();
  return new UnreadDownload();
};

describe("asking for a file", () => {
  test("tells when the slot begins that it waits for", async () => {
    const bare: BareAttempt = new BareAttempt({
      download: written,
      take: async (_deadlineMs, { onWaiting }) => {
        expect(bare.ticketsReleased).toBe(1);
        onWaiting?.(4_000);
        return slotOf();
      },
    });
    await askForFile(bare.attempt);
    expect(bare.events).toEqual([{ kind: "slot-awaited", exportTaskId: ID, startsAtMs: 4_000 }]);
    expect(bare.served).toBe(1);
  });

  test("releases its slot, whatever the platform answers", async () => {
    let released = 0;
    const take = async () => slotOf(() => released++);
    await askForFile(new BareAttempt({ take, download: written }).attempt);
    const refused = new BareAttempt({ take, download: () => Promise.reject(new Error("refused")) });
    await expect(askForFile(refused.attempt)).rejects.toThrow("refused");
    expect(released).toBe(2);
  });

  test("wants a slot that leaves enough of the run, and says so when there is none", async () => {
    const deadlines: number[] = [];
    const bare = new BareAttempt({
      runLimitMs: RUN_LIMIT_MS,
      take: async (deadlineMs) => {
        deadlines.push(deadlineMs);
        return "none";
      },
    });
    expect(await askForFile(bare.attempt)).toBe("no-slot");
    expect(deadlines).toEqual([RUN_LIMIT_MS - MIN_TASK_MS]);
    expect(bare.served).toBe(0);
  });

  test("rests the task's own limit while it waits, which starts again in the slot", async () => {
    const limitsMs: number[] = [];
    const bare: BareAttempt = new BareAttempt({
      runLimitMs: RUN_LIMIT_MS,
      settings: { taskTimeoutMs: 600_000 },
      take: async () => {
        limitsMs.push(bare.attempt.limit.allottedMs);
        return slotOf();
      },
      download: async (options) => {
        limitsMs.push(bare.attempt.limit.allottedMs);
        return await written(options);
      },
    });
    bare.attempt.limit.arm(600_000);
    await askForFile(bare.attempt);
    expect(limitsMs).toEqual([RUN_LIMIT_MS - GRACE_MS, 600_000]);
  });

  test("takes another slot in the place of a lost one, with the limits of the first", async () => {
    const happened: (string | number)[] = [];
    const last = slotOf(() => happened.push("release"));
    const take = async (deadlineMs: number) => {
      happened.push(deadlineMs);
      return happened.length < 3 ? lostSlot(take) : last;
    };
    const bare: BareAttempt = new BareAttempt({
      runLimitMs: RUN_LIMIT_MS,
      download: written,
      take: async () => lostSlot(take, () => happened.push("its turn is given away")),
    });
    await askForFile(bare.attempt);
    const deadlineMs = RUN_LIMIT_MS - MIN_TASK_MS;
    expect(happened).toEqual([deadlineMs, deadlineMs, deadlineMs, "release"]);
    expect(bare.served).toBe(1);
  });

  test("does not take another slot when the platform refused", async () => {
    let taken = 0;
    const refusal = platformError("platform-unavailable");
    const bare = new BareAttempt({
      take: async () => {
        taken += 1;
        return slotOf();
      },
      download: () => Promise.reject(refusal),
    });
    await expect(askForFile(bare.attempt)).rejects.toBe(refusal);
    expect([taken, bare.served]).toEqual([1, 0]);
  });
});
