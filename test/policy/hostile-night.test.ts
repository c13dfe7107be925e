import { expect, test } from "vitest";
import { idempotencyKeyOf } from "../../lib/domain/export-task.ts";
import { recordKey } from "../../lib/domain/key-layout.ts";
import { PlatformError } from "../../lib/ports/platform.ts";
import type { Night } from "../../lib/report/night.ts";
import { parseStoredNight } from "../../lib/report/stored-night.ts";
import { nightIn } from "./report-scene.ts";
import { Scene } from "./scene.ts";

const LONG = "x".repeat(20_000);

/** The night that has just ended. */
async function nightOf(scene: Scene): Promise<Night> {
  return (await nightIn(scene)).night;
}

function givenUpFor(reason: string): Scene {
  const scene = new Scene();
  const id = scene.world.platform.addTask({});
  const { scope, clock, store } = scene.world;
  const revision = scene.revision(id);
  const record = {
    schemaVersion: 1,
    idempotencyKey: idempotencyKeyOf(scope, id, revision),
    exportTaskId: id,
    revision,
    reason,
    detail: LONG,
    attempts: 1,
    runId: "run",
    deadLetteredAt: new Date(clock.wallMs()).toISOString(),
    body: id,
  };
  store.plantObject(recordKey(scope, id, revision, "dead-letter", 1), Buffer.from(JSON.stringify(record)));
  return scene;
}

function unreachableWith(message: string): Scene {
  const scene = new Scene();
  const error = new PlatformError("platform-unreachable", message, {
    scope: "system",
    retry: "later",
    hint: message,
  });
  const times = Number.POSITIVE_INFINITY;
  scene.world.faults.plant({ site: "platform.listExportTasks", times, form: "not-done", error });
  return scene;
}

function madeWith(exportCount: number): Scene {
  const scene = new Scene();
  scene.world.platform.addTask({ exportCount });
  return scene;
}

test.each([
  [
    "a reason without end",
    () => givenUpFor(LONG),
    ({ exports }: Night) => exports[0]?.standing === "given-up",
  ],
  [
    "a failure without end",
    () => unreachableWith(LONG),
    ({ unknown }: Night) => unknown.platform !== undefined,
  ],
  ["fewer rows than none", () => madeWith(-1), ({ exports }: Night) => exports[0]?.rows === -1],
])("a night with %s is read again as it was stored", async (_what, sceneOf, isThere) => {
  const scene = sceneOf();
  const night = await nightOf(scene);
  expect(isThere(night)).toBe(true);
  const text = JSON.stringify(night);
  expect(JSON.stringify(parseStoredNight({ text }, scene.world.scope, night.date))).toBe(text);
});
