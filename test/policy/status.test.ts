import { describe, expect, test } from "vitest";
import { lookAtStatus, type StatusReport, statusLines } from "../../lib/cli/status.ts";
import type { Night, Verdict } from "../../lib/report/night.ts";
import { night } from "../../lib/report/testing/night-scene.ts";
import { writeReport } from "../../lib/report/write-report.ts";
import { portsOf, settingsOf } from "../world/archive-run.ts";
import type { Site } from "../world/faults.ts";
import { platformError, queueError, storeError } from "../world/port-errors.ts";
import { RequestsScene } from "./requests-scene.ts";

const FOREVER = Number.POSITIVE_INFINITY;
/** A platform with two finished exports, of which one is archived and kept, and one being made; one open request. */
async function openScene(): Promise<RequestsScene> {
  const scene = new RequestsScene();
  const { platform, queue } = scene.world;
  queue.send(platform.addTask());
  await scene.archive({ deletion: "never" });
  platform.addTask();
  platform.addTask({ status: "Processing" });
  await scene.request("batch-1");
  queue.send("waiting", 60_000);
  return scene;
}

function fail({ world }: RequestsScene, site: Site, error: Error): void {
  world.faults.plant({ site, times: FOREVER, form: "not-done", error });
}

let looks = 0;

async function look(scene: RequestsScene): Promise<StatusReport> {
  const { world } = scene;
  looks += 1;
  const ports = portsOf(world.startRunner(`status-${looks}`));
  const given = { ports, settings: settingsOf(world), signal: new AbortController().signal };
  // In these worlds the queue is asked without the archive anyway.
  return await world.run(() => lookAtStatus({ ...given, depthAlone: async () => null }));
}

/** The report of yesterday's night, in which this many exports were made. */
async function storeNight({ world }: RequestsScene, verdict: Verdict, made = 0): Promise<void> {
  const { store } = world.startRunner("reporter");
  const date = new Date(world.clock.wallMs() - 86_400_000).toISOString().slice(0, 10);
  const empty = night();
  const stored = {
    ...empty,
    madeAt: `${date}T07:00:00.000Z`,
    ...world.scope,
    date,
    verdict,
    counts: { ...empty.counts, made },
  };
  await world.run(() =>
    writeReport(
      store,
      { createOnce: true },
      stored as Night,
      { day: "" },
      { signal: new AbortController().signal },
    ),
  );
}

/** The JSON document, in which what is not known must be `null`. */
function documentOf(status: StatusReport): unknown {
  return JSON.parse(JSON.stringify(status));
}

/** The lines without the names and moments of one world. */
function linesOf(scene: RequestsScene, status: StatusReport): string {
  return statusLines(status, scene.nowMs())
    .map((line) => (typeof line === "string" ? line : line.text))
    .join("\n");
}

const KNOWN = {
  platform: { held: 3, limit: 50, archived: 1, byStatus: { Success: 2, Processing: 1 } },
  queue: { ready: 0, delayed: 1, inFlight: 0, deadLetters: 0 },
  requests: { open: 1, batchTasks: 1, requests: [{ batchTaskId: "batch-1", reason: "next-run" }] },
  nextSlotAt: expect.any(String),
};

describe("status", () => {
  test("shows all when every place answers", async () => {
    const status = await look(await openScene());
    expect(documentOf(status)).toMatchObject(KNOWN);
    expect(status).not.toHaveProperty("failure");
    expect(status).not.toHaveProperty("failures");
  });

  test("begins with the last run and the last night", async () => {
    const scene = await openScene();
    const quiet = linesOf(scene, await look(scene)).split("\n");
    expect(quiet[0]).toMatch(/^Last run: .+ ago, 1 archived; nothing is left to do now$/);
    expect(quiet[1]).toBe('Last night: no report yet; "iotda-archiver report" makes it');
    fail(scene, "platform.listExportTasks", platformError("platform-unauthenticated"));
    await scene.archive();
    scene.world.faults.clear();
    await storeNight(scene, "look");
    const failed = linesOf(scene, await look(scene)).split("\n");
    expect(failed[0]).toMatch(/^Last run: .+ ago, failed \(platform-unauthenticated\)$/);
    expect(failed[1]).toMatch(/^ {2}the last one without a failure: .+ ago$/);
    expect(failed[2]).toMatch(
      /^Last night \(to 20..-..-..\): LOOK, 0 of 0 exports archived; "iotda-archiver report --night /,
    );
  });

  test("says when an export that is not archived may be destroyed", async () => {
    const scene = await openScene();
    await storeNight(scene, "ok", 40);
    const status = await look(scene);
    expect(status.outlook?.lossFrom).toMatch(/Z$/);
    expect(linesOf(scene, status)).toMatch(/ {2}an export that is not archived may be destroyed in 1?\d+ h/);
  });

  test("without the platform shows store and queue, and no request's standing", async () => {
    const scene = await openScene();
    fail(scene, "platform.listExportTasks", platformError("platform-unavailable"));
    const status = await look(scene);
    expect(documentOf(status)).toMatchObject({
      ...KNOWN,
      platform: null,
      requests: { open: 1, batchTasks: 1, requests: [{ reason: "platform-not-seen" }] },
      failure: { code: "platform-unavailable" },
      failures: { platform: { code: "platform-unavailable", hint: expect.any(String) } },
    });
    const lines = linesOf(scene, status);
    expect(lines).toMatch(/^Platform: no usable answer: .+\n {2}.+\nQueue: 0 ready, 1 delayed/m);
    expect(lines).toMatch(/\nNext download slot: due .+\nOpen export requests: 1 batch task\n/);
    expect(lines).not.toMatch(/of 50|finished/);
  });

  test("without the store shows platform and queue, and says 0 of nothing in the archive", async () => {
    const scene = await openScene();
    for (const site of ["store.preflight", "store.getDocument", "store.list"] as const) {
      fail(scene, site, storeError("store-forbidden"));
    }
    const status = await look(scene);
    expect(documentOf(status)).toMatchObject({
      platform: { ...KNOWN.platform, archived: null },
      queue: KNOWN.queue,
      nextSlotAt: null,
      requests: null,
      failure: { code: "store-forbidden" },
      failures: { store: { code: "store-forbidden" } },
    });
    const lines = linesOf(scene, status);
    expect(lines).toMatch(/^Platform: 3 of 50 export slots used/);
    expect(lines).toContain("\n  of 2 finished: unknown how many are archived\n");
    expect(lines).toMatch(/\nStore: not usable: .+\n {2}.+\nNext download slot: unknown\n/);
    expect(lines).toMatch(/\nOpen export requests: unknown$/);
  });

  test("of a store that can be read and not be used shows what is in it", async () => {
    const scene = await openScene();
    fail(scene, "store.preflight", storeError("store-forbidden"));
    expect(documentOf(await look(scene))).toMatchObject({
      ...KNOWN,
      failure: { code: "store-forbidden" },
      failures: { store: { code: "store-forbidden" } },
    });
  });

  test("without the queue shows platform and store", async () => {
    const scene = await openScene();
    fail(scene, "queue.depth", queueError("queue-forbidden"));
    const status = await look(scene);
    expect(documentOf(status)).toMatchObject({
      ...KNOWN,
      queue: null,
      failure: { code: "queue-forbidden" },
      failures: { queue: { code: "queue-forbidden" } },
    });
    const lines = linesOf(scene, status);
    expect(lines).toMatch(/\nQueue: no usable answer: .+\n {2}.+\nRuns: /);
    expect(lines).not.toContain("Dead letters");
  });

  test("without any of them says so of each", async () => {
    const scene = await openScene();
    fail(scene, "platform.listExportTasks", platformError("platform-unavailable"));
    fail(scene, "store.preflight", storeError("store-forbidden"));
    fail(scene, "store.getDocument", storeError("store-forbidden"));
    fail(scene, "queue.depth", queueError("queue-forbidden"));
    const { deletion, ...status } = await look(scene);
    expect(deletion).toBe("after-verify");
    expect(documentOf({ deletion, ...status })).toMatchObject({
      platform: null,
      queue: null,
      nextSlotAt: null,
      requests: null,
      failures: {
        platform: { code: "platform-unavailable" },
        store: { code: "store-forbidden" },
        queue: { code: "queue-forbidden" },
      },
    });
    expect(linesOf(scene, { deletion, ...status })).not.toMatch(/\b0\b|none/);
  });
});

describe("a queue behind an archive that cannot be opened", () => {
  /** The queue of an archive fails as the archive does. */
  async function lookAtWrongPlace(depthAlone: () => Promise<StatusReport["queue"]>) {
    const scene = await openScene();
    const error = storeError("store-forbidden");
    for (const site of ["store.preflight", "store.getDocument", "queue.depth"] as const) {
      fail(scene, site, error);
    }
    const ports = portsOf(scene.world.startRunner("status"));
    const settings = settingsOf(scene.world);
    const { signal } = new AbortController();
    const status = await scene.world.run(() => lookAtStatus({ ports, settings, signal, depthAlone }));
    return { status, lines: linesOf(scene, status) };
  }

  test("is shown all the same", async () => {
    const depth = { ready: 7, delayed: 0, inFlight: 0, deadLetters: 0, nextDueAtMs: undefined };
    const { status, lines } = await lookAtWrongPlace(async () => depth);
    expect(status.queue).toEqual(depth);
    expect(Object.keys(status.failures ?? {})).toEqual(["store"]);
    expect(lines).toContain("\nQueue: 7 ready");
  });

  test("that was never made is called so", async () => {
    const { status, lines } = await lookAtWrongPlace(async () => null);
    expect(status.queue).toBeNull();
    expect(lines).toContain("\nQueue: it does not exist yet\n");
  });

  test("that fails too, in the same way, is the one that is explained", async () => {
    const { status, lines } = await lookAtWrongPlace(async () => {
      throw storeError("store-forbidden");
    });
    expect(Object.keys(status.failures ?? {})).toEqual(["store", "queue"]);
    expect(lines).toMatch(/\nQueue: no usable answer: .+\n {2}.+\nRuns: .+\nStore: .+ for the same reason\n/);
  });
});
