import { describe, expect, test } from "vitest";
import { platformError, storeError } from "../world/port-errors.ts";
import { MINUTE_MS, RequestsScene } from "./requests-scene.ts";

const LOST = platformError("platform-unreachable");
const CREATE = "platform.createExportTask";

/** A request ends with one export made for it, and nothing was evicted or overwritten on the way. */
async function expectOneExport(scene: RequestsScene): Promise<void> {
  await scene.runUntilEnded();
  expect(scene.outcomes("b1")).toMatchObject([{ outcome: "archived" }]);
  expect(scene.createsOf("b1")).toBe(1);
  expect(scene.watch.violations).toEqual([]);
}

describe.each(["new-id", "keeps-id"] as const)(
  "on a platform where a same-condition create gives a %s",
  (sameCondition) => {
    test.each(["not-done", "done-answer-lost"] as const)(
      "a create that fails (%s) is made once",
      async (form) => {
        const scene = new RequestsScene({ platform: { sameCondition } });
        await scene.request("b1");
        scene.world.faults.plant({ site: CREATE, form, error: LOST });
        expect((await scene.discover()).requests?.waiting).toMatchObject([
          { reason: "platform-unreachable" },
        ]);
        await scene.wait(MINUTE_MS);
        const { requests } = await scene.discover();
        expect(form === "not-done" ? requests?.waiting : requests?.underWay).toHaveLength(1);
        await expectOneExport(scene);
      },
    );

    // The claim and its result: what a run writes before and after the create.
    const DEATHS = [1, 2].flatMap((occurrence) =>
      (["before", "after"] as const).map(
        (when) => ({ site: "store.putDocument", occurrence, when }) as const,
      ),
    );
    test.each([
      ...DEATHS,
      { site: CREATE, occurrence: 1, when: "before" },
      { site: CREATE, occurrence: 1, when: "after" },
      { site: "platform.listExportTasks", occurrence: 3, when: "after" },
    ] as const)(
      "a run that dies $when call $occurrence of $site leaves a request that ends well",
      async (death) => {
        const scene = new RequestsScene({ platform: { sameCondition } });
        await scene.request("b1");
        scene.world.faults.plant({ form: "crash", ...death });
        await scene.world.run(() => scene.startDiscover());
        await expectOneExport(scene);
      },
    );

    test("an answer that was lost over an archived export of the same condition is found", async () => {
      const kept = { deletion: "never" } as const;
      const scene = new RequestsScene({ platform: { sameCondition } });
      await scene.request("b1");
      await scene.discover({ settings: kept });
      await scene.wait(5 * MINUTE_MS);
      await scene.discover({ settings: kept });
      await scene.archive(kept);
      await scene.discover({ settings: kept });
      expect(scene.openRequests()).toEqual([]);
      await scene.wait(MINUTE_MS);
      await scene.request("b1");
      scene.world.faults.plant({ site: CREATE, form: "done-answer-lost", error: LOST });
      await scene.discover({ settings: kept });
      expect((await scene.discover({ settings: kept })).requests?.underWay).toMatchObject([
        { reason: "unfinished" },
      ]);
      await scene.runUntilEnded();
      expect(scene.createsOf("b1")).toBe(2);
      expect(scene.watch.violations).toEqual([]);
    });
  },
);

describe.each([true, false])("two discover runs at once (store creates once: %s)", (createOnce) => {
  test.each(Array.from({ length: 20 }, (_, seed) => seed + 1))(
    "create one export (seed %d)",
    async (seed) => {
      const store = { createOnce, compareAndSwap: createOnce, callLatency: { minMs: 1, maxMs: 900 } };
      const scene = new RequestsScene({ seed, store });
      await scene.request("b1");
      await scene.wait(3 * MINUTE_MS);
      await scene.request("b1");
      await scene.world.run(() => Promise.all([scene.startDiscover(), scene.startDiscover()]));
      expect(scene.createsOf("b1")).toBeLessThanOrEqual(1);
      await expectOneExportForBoth(scene);
    },
  );
});

async function expectOneExportForBoth(scene: RequestsScene): Promise<void> {
  await scene.runUntilEnded();
  expect(scene.outcomes("b1")).toMatchObject(Array(2).fill({ outcome: "archived" }));
  expect(scene.createsOf("b1")).toBe(1);
  expect(scene.watch.violations).toEqual([]);
}

test("a create that is slow for minutes is waited for by other runs", async () => {
  const scene = new RequestsScene();
  await scene.request("b1");
  scene.world.faults.plant({ site: CREATE, form: "slow", extraMs: 10 * MINUTE_MS });
  await scene.world.run(async () => {
    const slow = scene.startDiscover();
    await scene.world.clock.sleep(5 * MINUTE_MS);
    const other = await scene.startDiscover();
    expect(other).toMatchObject({ value: { requests: { waiting: [{ reason: "claimed" }] } } });
    await slow;
  });
  await expectOneExport(scene);
});

test("a result that cannot be written is found again in the list", async () => {
  const scene = new RequestsScene();
  await scene.request("b1");
  const error = storeError("store-unavailable");
  const match = ({ subject }: { readonly subject: string }) => subject.includes(".result");
  scene.world.faults.plant({ site: "store.putDocument", match, form: "not-done", error, times: 3 });
  await scene.discover();
  await scene.discover();
  await expectOneExport(scene);
});
