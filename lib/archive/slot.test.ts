import { describe, expect, test } from "vitest";
import { platformError } from "../../test/world/port-errors.ts";
import type { TakeOptions } from "../pacing/pacer.ts";
import type { TimedCallOptions } from "../ports/platform.ts";
import { askForFile } from "./slot.ts";
import { BareVisit, ID, slotOf, UnreadDownload } from "./testing/bare-visit.ts";

const RUN_LIMIT_MS = 840_000;
const GRACE_MS = 20_000;
const MIN_TASK_MS = 60_000;

/** The platform lets a request through that is written in its slot. */
const written = async ({ beforeRequest }: TimedCallOptions) => {
  beforeRequest?.();
  return new UnreadDownload();
};

describe("asking for a file", () => {
  test("passes its turn when it has claimed a slot, and tells when that begins", async () => {
    const bare: BareVisit = new BareVisit({
      download: written,
      take: async (_deadlineMs, { onWaiting }) => {
        expect(bare.turnsPassed).toBe(0);
        onWaiting?.(4_000);
        expect(bare.turnsPassed).toBe(1);
        return slotOf(true);
      },
    });
    await askForFile(bare.visit);
    expect(bare.events).toEqual([{ kind: "slot-awaited", exportTaskId: ID, startsAtMs: 4_000 }]);
    expect(bare.served).toBe(1);
  });

  test("passes its turn when its slot is there at once, before it asks", async () => {
    const bare: BareVisit = new BareVisit({
      take: async () => slotOf(true),
      download: async (options) => {
        expect(bare.turnsPassed).toBe(1);
        return await written(options);
      },
    });
    await askForFile(bare.visit);
    expect(bare.events).toEqual([]);
  });

  test("wants a slot that leaves enough of the run, and says so when there is none", async () => {
    const deadlines: number[] = [];
    const bare = new BareVisit({
      runLimitMs: RUN_LIMIT_MS,
      take: async (deadlineMs) => {
        deadlines.push(deadlineMs);
        return "none";
      },
    });
    expect(await askForFile(bare.visit)).toBe("no-slot");
    expect(deadlines).toEqual([RUN_LIMIT_MS - MIN_TASK_MS]);
    expect(bare.served).toBe(0);
  });

  test("rests the task's own limit while it waits, which starts anew in the slot", async () => {
    const limitsMs: number[] = [];
    const bare: BareVisit = new BareVisit({
      runLimitMs: RUN_LIMIT_MS,
      settings: { taskTimeoutMs: 600_000 },
      take: async () => {
        limitsMs.push(bare.visit.limit.allottedMs);
        return slotOf(true);
      },
      download: async (options) => {
        limitsMs.push(bare.visit.limit.allottedMs);
        return await written(options);
      },
    });
    bare.visit.limit.arm(600_000);
    await askForFile(bare.visit);
    expect(limitsMs).toEqual([RUN_LIMIT_MS - GRACE_MS, 600_000]);
  });

  test("takes another slot when one went stale, five in all", async () => {
    let taken = 0;
    const bare = new BareVisit({
      download: written,
      take: async () => {
        taken += 1;
        return slotOf(false);
      },
    });
    await expect(askForFile(bare.visit)).rejects.toMatchObject({ code: "slots-go-stale", scope: "task" });
    expect(taken).toBe(5);
    expect(bare.served).toBe(0);
  });

  test("does not take another slot when the platform refused", async () => {
    let taken = 0;
    const refusal = platformError("platform-unavailable");
    const bare = new BareVisit({
      take: async () => {
        taken += 1;
        return slotOf(true);
      },
      download: () => Promise.reject(refusal),
    });
    await expect(askForFile(bare.visit)).rejects.toBe(refusal);
    expect([taken, bare.served]).toEqual([1, 0]);
  });

  test.each([
    ["as long as the last connection took, less half of the time a slot is fresh", 5_000, 5_000 - 250],
    ["not at all when connecting is quick", 200, 0],
  ])("asks ahead of its slot: %s", async (_how, connectMs, leadMs) => {
    const asked: TakeOptions[] = [];
    const bare = new BareVisit({
      connectMs,
      settings: { downloadIntervalMs: 31_000 },
      download: written,
      take: async (_deadlineMs, options) => {
        asked.push(options);
        return slotOf(true);
      },
    });
    await askForFile(bare.visit);
    expect(asked).toMatchObject([{ leadMs }]);
  });

  test("remembers how long it took to connect", async () => {
    const bare: BareVisit = new BareVisit({
      take: async () => slotOf(true),
      download: async (options) => {
        await bare.clock.sleep(700);
        return await written(options);
      },
    });
    await bare.clock.run(() => askForFile(bare.visit));
    expect(bare.visit.run.connectMs).toBe(700);
  });
});
