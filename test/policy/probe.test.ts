import { describe, expect, test } from "vitest";
import type { ProbeSheet } from "../../lib/probe/sheet.ts";
import { platformError, storeError } from "../world/port-errors.ts";
import type { Ending } from "../world/runner-process.ts";
import { checkInvariants } from "../world/world.ts";
import { startProbe } from "./probe-scene.ts";
import { MINUTE_MS, RequestsScene, SECOND_MS } from "./requests-scene.ts";

const LOST = platformError("platform-unreachable");

function sheetOf(ending: Ending<ProbeSheet>): ProbeSheet {
  if (ending.kind === "crashed") {
    throw new Error(`the probe died at ${ending.at.site}`);
  }
  return ending.value;
}

function stateOf({ answers }: ProbeSheet, id: string) {
  return answers.find((one) => one.id === id)?.state;
}

/** What no probe may do: evict or overwrite what is not archived, or start a download too early. */
function expectNoHarm({ world, watch }: RequestsScene): void {
  expect(watch.violations).toEqual([]);
  checkInvariants(world);
}

test("a probe beside a run that drains the platform keeps the pace, and the run archives all", async () => {
  const scene = new RequestsScene();
  for (let number = 0; number < 8; number += 1) {
    scene.world.platform.addTask({ exportTaskId: `export-${number}` });
  }
  await scene.discover();
  const [, ending] = await scene.world.run(() =>
    Promise.all([scene.startArchive(), startProbe(scene.world)]),
  );
  const sheet = sheetOf(ending);
  expect(sheet.requests).toMatchObject({ creates: 0, downloads: 2 });
  expect(stateOf(sheet, "payload")).toBe("answered");
  await scene.archive();
  expect(scene.world.platform.list()).toEqual([]);
  expectNoHarm(scene);
});

test.each(Array.from({ length: 60 }, (_, seed) => seed))(
  "two probes and a discover run at once make one export of the batch task (seed %i)",
  async (seed) => {
    const scene = new RequestsScene({ seed });
    await scene.request("b1");
    await scene.world.run(() =>
      Promise.all([
        ...["probe-1", "probe-2"].map((name) =>
          // Whoever comes too late is refused: an export is being made.
          startProbe(scene.world, { name, batchTaskId: "b1" }).catch((error: unknown) =>
            expect(error).toMatchObject({ code: "probe-export-refused" }),
          ),
        ),
        scene.startDiscover(),
      ]),
    );
    expect(scene.createsOf("b1")).toBe(1);
    await scene.runUntilEnded();
    expect(scene.createsOf("b1")).toBe(1);
    expectNoHarm(scene);
  },
);

describe.each(["new-id", "keeps-id"] as const)(
  "where a same-condition create gives a %s",
  (sameCondition) => {
    test.each(["before", "after"] as const)(
      "a probe that dies %s its create leaves at most one export, which is archived, and no second one is made for now",
      async (when) => {
        const scene = new RequestsScene({ platform: { sameCondition } });
        scene.world.faults.plant({ form: "crash", site: "platform.createExportTask", when });
        await scene.world.run(() => startProbe(scene.world, { batchTaskId: "b1" }));
        await scene.wait(MINUTE_MS);
        await expect(
          scene.world.run(() => startProbe(scene.world, { name: "again", batchTaskId: "b1" })),
        ).rejects.toMatchObject({ code: "probe-export-refused" });
        await scene.wait(31 * MINUTE_MS);
        await scene.discover();
        await scene.archive();
        expect(scene.world.platform.list()).toEqual([]);
        expectNoHarm(scene);
      },
    );

    test("a create whose answer is lost is found in the list, over an archived export too", async () => {
      const scene = new RequestsScene({ platform: { sameCondition } });
      scene.world.platform.addTask({ resourceCondition: { task_id: "b1" } });
      await scene.discover({ settings: { deletion: "never" } });
      await scene.archive({ deletion: "never" });
      scene.world.faults.plant({ form: "done-answer-lost", site: "platform.createExportTask", error: LOST });
      const sheet = sheetOf(await scene.world.run(() => startProbe(scene.world, { batchTaskId: "b1" })));
      expect(sheet.left).toMatchObject({ kind: "export" });
      expect(stateOf(sheet, "same-condition")).toBe("answered");
      expect(scene.createsOf("b1")).toBe(1);
      expectNoHarm(scene);
    });
  },
);

test("a create that never arrived leaves nothing that could be found, and the other questions are asked", async () => {
  const scene = new RequestsScene();
  scene.world.faults.plant({ form: "not-done", site: "platform.createExportTask", error: LOST });
  const sheet = sheetOf(await scene.world.run(() => startProbe(scene.world, { batchTaskId: "b1" })));
  expect(sheet.left).toEqual({ kind: "perhaps", batchTaskId: "b1" });
  expect(stateOf(sheet, "same-condition")).toBe("failed");
  expect(stateOf(sheet, "unknown-task")).toBe("answered");
});

test("a probe waits for its own export where the platform has no other finished one", async () => {
  const scene = new RequestsScene({ platform: { processingMs: 100 * SECOND_MS } });
  const sheet = sheetOf(await scene.world.run(() => startProbe(scene.world, { batchTaskId: "b1" })));
  expect(stateOf(sheet, "payload")).toBe("answered");
  expect(sheet.requests).toMatchObject({ creates: 1, downloads: 3 });
  expectNoHarm(scene);
});

test("a store that fails when a slot is to be claimed fails the downloads alone", async () => {
  const scene = new RequestsScene();
  scene.world.platform.addTask({});
  const error = storeError("store-unavailable");
  // The first write opens the pace.
  for (const occurrence of [2, 3, 4, 5]) {
    scene.world.faults.plant({ form: "not-done", site: "store.putDocument", occurrence, error });
  }
  const sheet = sheetOf(await scene.world.run(() => startProbe(scene.world)));
  expect(sheet.requests.downloads).toBe(0);
  expect(stateOf(sheet, "unknown-task")).toBe("failed");
  expect(stateOf(sheet, "marker")).toBe("answered");
});

test("an interrupt while it waits for a slot ends it with what it knows", async () => {
  const scene = new RequestsScene();
  scene.world.platform.addTask({});
  const abort = new AbortController();
  const ending = await scene.world.run(async () => {
    const probing = startProbe(scene.world, { signal: abort.signal });
    await scene.world.clock.sleep(15 * SECOND_MS);
    abort.abort(new Error("the operator"));
    return await probing;
  });
  const sheet = sheetOf(ending);
  expect(sheet).toMatchObject({ isInterrupted: true, requests: { downloads: 1 } });
  expect(stateOf(sheet, "unknown-task")).toBe("answered");
  expect(stateOf(sheet, "payload")).toBe("not-asked");
});
