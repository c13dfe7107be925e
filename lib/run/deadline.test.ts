import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../test/world/virtual-clock.ts";
import { TimeLimit, withTimeLimit } from "./deadline.ts";

const parentSignal = () => new AbortController().signal;

describe("a time limit", () => {
  test("is aborted when it runs out, with a reason of its own", async () => {
    const clock = new VirtualClock();
    const limit = new TimeLimit(clock, parentSignal());
    limit.arm(1_000);
    await clock.run(() => clock.sleep(999));
    expect(limit.signal.aborted).toBe(false);
    await clock.run(() => clock.sleep(1));
    expect(limit.signal.reason).toMatchObject({ code: "task-limit" });
    limit.close();
  });

  test("starts from zero when armed again, rests when disarmed, and leaves no timer behind", async () => {
    const clock = new VirtualClock();
    const limit = new TimeLimit(clock, parentSignal());
    limit.arm(1_000);
    await clock.run(() => clock.sleep(900));
    limit.arm(1_000);
    await clock.run(() => clock.sleep(900));
    expect(limit.signal.aborted).toBe(false);
    limit.disarm();
    await clock.run(() => clock.sleep(10_000));
    expect(limit.signal.aborted).toBe(false);
    limit.arm(Number.POSITIVE_INFINITY);
    limit.close();
    expect(clock.countPending()).toBe(0);
  });

  test("without end asks for no timer: a real one takes a delay without end for none at all", () => {
    let slept = 0;
    const sleep = () => {
      slept += 1;
      return Promise.resolve();
    };
    const limit = new TimeLimit({ sleep }, parentSignal());
    limit.arm(Number.POSITIVE_INFINITY);
    expect(slept).toBe(0);
    limit.arm(1);
    expect(slept).toBe(1);
    limit.close();
  });

  test.each(["before", "after"])("passes on its parent's reason, aborted %s it was made", (when) => {
    const parent = new AbortController();
    const reason = new Error("stop");
    if (when === "before") {
      parent.abort(reason);
    }
    const limit = new TimeLimit(new VirtualClock(), parent.signal);
    parent.abort(reason);
    expect(limit.signal.reason).toBe(reason);
    limit.close();
  });

  test("a closed one no longer listens to its parent", () => {
    const parent = new AbortController();
    const limit = new TimeLimit(new VirtualClock(), parent.signal);
    limit.close();
    parent.abort();
    expect(limit.signal.aborted).toBe(false);
  });

  test("work with a limit of its own ends with it", async () => {
    const clock = new VirtualClock();
    const working = clock.run(() =>
      withTimeLimit(clock, 500, (signal) => clock.sleep(Number.POSITIVE_INFINITY, signal)),
    );
    await expect(working).rejects.toMatchObject({ code: "task-limit" });
    expect(clock.monotonicMs()).toBe(500);
    expect(clock.countPending()).toBe(0);
  });
});
