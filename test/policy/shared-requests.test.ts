import { describe, expect, test } from "vitest";
import { lookAtRequests, type OpenRequests } from "../../lib/requests/open-requests.ts";
import { freshList } from "../../lib/run/platform-list.ts";
import { portsOf, settingsOf } from "../world/archive-run.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { DAY_MS, RequestsScene } from "./requests-scene.ts";

/** A store in which another deployment keeps this many open requests, all older than the one of ours. */
async function openShared(foreignRequests: number): Promise<RequestsScene> {
  const scene = new RequestsScene();
  const { store } = scene.world;
  await scene.request("theirs", scene.nowMs() - DAY_MS);
  const [key = ""] = scene.openRequests();
  const text = store.textAt(key)?.replace("project-1", "project-2") ?? "";
  store.removeObject(key);
  for (let n = 1; n <= foreignRequests; n += 1) {
    const name = `theirs-${n}`;
    store.plantObject(key.replace("theirs", name), Buffer.from(text.replace("theirs", name)));
  }
  await scene.request("ours");
  return scene;
}

async function look(scene: RequestsScene, limit: number): Promise<OpenRequests> {
  const { world } = scene;
  const runner = world.startRunner("status");
  const given = { ports: portsOf(runner), settings: settingsOf(world), signal: ALWAYS.signal };
  return await world.run(async () => {
    const view = await freshList(given.ports, given.settings, given.signal);
    return await lookAtRequests(given, view, limit);
  });
}

describe("requests of another deployment in the same store", () => {
  test("keep none of ours from its turn", async () => {
    const scene = await openShared(250);
    const { requests } = await scene.discover();
    expect(requests).toMatchObject({ created: [{ batchTaskId: "ours" }], waiting: [] });
  });

  test("are none that status counts or shows", async () => {
    const scene = await openShared(5);
    expect(await look(scene, 3)).toMatchObject({
      open: 1,
      requests: [{ batchTaskId: "ours", reason: "next-run" }],
    });
  });

  test("beyond what one run reads let ours wait, and report and status say so", async () => {
    const scene = await openShared(1_010);
    const { requests } = await scene.discover();
    const waits = { batchTaskId: "ours", reason: "older-requests-first" };
    expect(requests?.created).toEqual([]);
    expect(requests?.waiting).toContainEqual(waits);
    expect(requests?.waiting).toHaveLength(11);
    expect((await look(scene, 100)).requests).toContainEqual(waits);
  });
});

test("at most 200 of ours are worked on in one run; the others are known to wait", async () => {
  const scene = new RequestsScene();
  const nowMs = scene.nowMs();
  for (let n = 1; n <= 203; n += 1) {
    await scene.request(`b${n}`, nowMs + n * 1_000);
  }
  const { requests } = await scene.discover();
  expect(requests?.waiting.filter(({ reason }) => reason === "older-requests-first")).toEqual(
    ["b201", "b202", "b203"].map((batchTaskId) => ({ batchTaskId, reason: "older-requests-first" })),
  );
  const { open, requests: shown } = await look(scene, 2);
  expect([open, shown.map(({ batchTaskId }) => batchTaskId)]).toEqual([203, ["b1", "b2"]]);
});

test("a batch task that is asked for twice is one batch task, whatever is shown of it", async () => {
  const scene = new RequestsScene();
  const nowMs = scene.nowMs();
  await scene.request("b1", nowMs);
  await scene.request("b1", nowMs + 1_000);
  await scene.request("b2", nowMs + 2_000);
  expect(await look(scene, 1)).toMatchObject({ open: 3, batchTasks: 2, requests: [{ batchTaskId: "b1" }] });
});
