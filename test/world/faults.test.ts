import { describe, expect, test } from "vitest";
import { ALWAYS, drainCarelessly } from "./example-archiver.ts";
import { Faults, type PlannedFault, type Site } from "./faults.ts";
import { queueError, storeError } from "./port-errors.ts";
import { VirtualLimitError } from "./virtual-clock.ts";
import { checkInvariants, World } from "./world.ts";

const error = queueError("queue-unavailable");

describe("which calls a fault hits", () => {
  const hits = (fault: Omit<PlannedFault, "site" | "form">, calls: readonly string[]) => {
    const faults = new Faults();
    faults.plant({ ...fault, site: "store.head", form: "not-done", error });
    return calls.filter((subject) => faults.report("store.head", subject, "a") !== undefined);
  };

  test("the first call, the n-th, a number in a row, all of them", () => {
    const calls = ["1", "2", "3", "4"];
    expect(hits({}, calls)).toEqual(["1"]);
    expect(hits({ occurrence: 3 }, calls)).toEqual(["3"]);
    expect(hits({ occurrence: 2, times: 2 }, calls)).toEqual(["2", "3"]);
    expect(hits({ times: Number.POSITIVE_INFINITY }, calls)).toEqual(calls);
  });

  test("those that match, counted among themselves", () => {
    const match = ({ subject }: { subject: string }) => subject.startsWith("x");
    expect(hits({ match, occurrence: 2 }, ["a", "x1", "b", "x2", "x3"])).toEqual(["x2"]);
  });

  test("other sites are left alone, and cleared faults hit no call", () => {
    const faults = new Faults();
    faults.plant({ site: "store.head", times: 9, form: "stall" });
    expect(faults.report("store.list", "k", "a")).toBeUndefined();
    expect(faults.report("store.head", "k", "a")).toMatchObject({ form: "stall" });
    faults.clear();
    expect(faults.report("store.head", "k", "a")).toBeUndefined();
    expect(faults.countCalls("store.head")).toBe(2);
  });

  test("a form that its site cannot have is refused when it is planted", () => {
    const faults = new Faults();
    expect(() => faults.plant({ site: "platform.body", form: "slow", extraMs: 1 })).toThrow(TypeError);
    expect(() => faults.plant({ site: "store.head", form: "done-says-conflict" })).toThrow(TypeError);
  });
});

describe("what a fault does", () => {
  test.each(["not-done", "done-answer-lost"] as const)(
    "%s: the error comes, the effect accordingly",
    async (form) => {
      const world = new World();
      const { queue } = world.startRunner("a");
      world.faults.plant({ site: "queue.send", form, error });
      const sending = world.run(() => queue.send([{ exportTaskId: "t" }], { ...ALWAYS, delayMs: 0 }));
      await expect(sending).rejects.toBe(error);
      expect(world.queue.messages).toHaveLength(form === "not-done" ? 0 : 1);
      expect(world.effects.all[0]?.outcome).toBe(form === "not-done" ? "not-done" : "answer-lost");
    },
  );

  test("slow: the effect comes later; an abort before it leaves nothing done", async () => {
    const world = new World();
    const { clock, queue } = world.startRunner("a");
    world.faults.plant({ site: "queue.send", times: 2, form: "slow", extraMs: 10_000 });
    const controller = new AbortController();
    const reason = new Error("deadline");
    await world.run(async () => {
      await queue.sendBodies(["one"], { ...ALWAYS, delayMs: 0 });
      expect(clock.monotonicMs()).toBeGreaterThan(10_000);
      world.clock.schedule(500, () => controller.abort(reason));
      await expect(
        queue.sendBodies(["two"], { ...controller, signal: controller.signal, delayMs: 0 }),
      ).rejects.toBe(reason);
    });
    expect(world.queue.messages.map(({ body }) => body)).toEqual(["one"]);
  });

  test("race: somebody else acts just before the effect", async () => {
    const world = new World();
    const { platform } = world.startRunner("a");
    const id = world.platform.addTask();
    const act = () => world.platform.removeTask(id);
    world.faults.plant({ site: "platform.listExportTasks", form: "race", act });
    expect((await world.run(() => platform.listExportTasks(ALWAYS))).tasks).toEqual([]);
  });

  test("stall: only the caller's signal ends it; without one the deadlock names the call", async () => {
    const world = new World();
    const { store } = world.startRunner("a");
    world.faults.plant({ site: "store.head", form: "stall" });
    await expect(world.run(() => store.head("exports/x", ALWAYS))).rejects.toThrow("a store.head exports/x");
  });

  test("an endless loop of calls that take no time is stopped", async () => {
    const world = new World({ maxCalls: 1_000, store: { callLatency: 0 } });
    const { store } = world.startRunner("a");
    const loop = async () => {
      for (;;) {
        await store.head("exports/x", ALWAYS);
      }
    };
    await expect(world.run(loop)).rejects.toThrow(VirtualLimitError);
  });
});

describe("a crash", () => {
  test("freezes all that the runner does, and no other runner", async () => {
    const world = new World();
    const [dying, living] = [world.startRunner("dying"), world.startRunner("living")];
    world.faults.plant({
      site: "store.head",
      match: ({ runner }) => runner === "dying",
      form: "crash",
      when: "before",
    });
    const story: string[] = [];
    const endings = await world.run(() =>
      Promise.all([
        dying.process.execute(async () => {
          const renewing = (async () => {
            for (;;) {
              await dying.clock.sleep(10);
              story.push("dying renews");
            }
          })();
          try {
            await dying.clock.sleep(35);
            await dying.store.head("k", ALWAYS);
          } finally {
            story.push("never reached");
          }
          await renewing;
        }),
        living.process.execute(async () => {
          await living.clock.sleep(1_000);
          await living.store.head("k", ALWAYS);
          return "alive";
        }),
      ]),
    );
    expect(endings[0]).toMatchObject({ kind: "crashed", at: { site: "store.head", subject: "k" } });
    expect(endings[1]).toEqual({ kind: "finished", value: "alive" });
    const atMs = dying.process.crashPoint?.atMs ?? 0;
    expect(story).toEqual(Array(Math.floor(atMs / 10)).fill("dying renews"));
    expect(world.clock.countPending()).toBe(0);
  });

  test("a dead runner's calls are not counted and not logged", async () => {
    const world = new World();
    const runner = world.startRunner("a");
    runner.process.kill();
    const calling = world.run(() => runner.store.head("k", ALWAYS));
    await expect(calling).rejects.toThrow("deadlock");
    expect([world.faults.countCalls("store.head"), world.effects.all]).toEqual([0, []]);
  });

  test("a call under way when the runner dies has no effect any more", async () => {
    const world = new World({ queue: { callLatency: 100 } });
    const runner = world.startRunner("a");
    world.clock.schedule(49, () => runner.process.kill());
    const ending = await world.runAlone(runner, ({ queue }) =>
      queue.sendBodies(["x"], { ...ALWAYS, delayMs: 0 }),
    );
    expect(ending).toMatchObject({ kind: "crashed", at: { site: "killed", atMs: 49 } });
    await world.run(() => world.clock.sleep(1_000));
    expect(world.queue.messages).toEqual([]);
  });

  test("before or after its effect, and in the middle of a body", async () => {
    const world = new World();
    world.faults.plant(
      { site: "queue.send", occurrence: 1, form: "crash", when: "before" },
      { site: "queue.send", occurrence: 2, form: "crash", when: "after" },
      { site: "platform.body", form: "body", damage: { kind: "crash", afterBytes: 1_030 } },
    );
    for (const [name, messages] of [
      ["first", 0],
      ["second", 1],
    ] as const) {
      const runner = world.startRunner(name);
      await world.runAlone(runner, ({ queue }) => queue.sendBodies(["x"], { ...ALWAYS, delayMs: 0 }));
      expect(world.queue.messages).toHaveLength(messages);
    }
    const id = world.platform.addTask();
    let receivedBytes = 0;
    const ending = await world.runAlone(world.startRunner("third"), async ({ platform }) => {
      const { body } = await platform.showExportTask(id, ALWAYS);
      for await (const chunk of body) {
        receivedBytes += chunk.length;
      }
    });
    expect(ending).toMatchObject({ kind: "crashed", at: { site: "platform.body", subject: id } });
    expect(receivedBytes).toBe(1_030);
  });

  const sites: readonly Site[] = [
    "store.openUpload",
    "store.write",
    "store.complete",
    "platform.deleteExportTask",
  ];
  test.each(sites)("at %s, the next runner finds what is durable", async (site) => {
    const world = new World();
    const id = world.platform.addTask();
    world.queue.send(id);
    world.faults.plant({ site, form: "crash", when: "after" });
    const ending = await world.runAlone(world.startRunner("a"), (runner) => drainCarelessly(world, runner));
    expect(ending.kind).toBe("crashed");
    await world.run(() => world.clock.sleep(120_000));
    const second = await world.runAlone(world.startRunner("b"), (runner) => drainCarelessly(world, runner));
    expect(second).toEqual({ kind: "finished", value: 1 });
    expect(world.platform.has(id)).toBe(false);
    expect(world.store.openUploads).toHaveLength(
      site === "store.openUpload" || site === "store.write" ? 1 : 0,
    );
    checkInvariants(world);
  });
});

test("an error of the store keeps its code", () => {
  expect(storeError("store-full")).toMatchObject({ code: "store-full", scope: "system", retry: "later" });
});
