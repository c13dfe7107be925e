import { describe, expect, test } from "vitest";
import { retryDelayMs } from "../../lib/archive/settings.ts";
import { exportFile, fileOf, zipOf } from "../world/export-file.ts";
import type { BodyDamage, Fault, PlannedFault, Site } from "../world/faults.ts";
import { platformError, storeError } from "../world/port-errors.ts";
import { HOUR_MS, INTERVAL_MS, MINUTE_MS, Scene } from "./scene.ts";

const FOREVER = Number.POSITIVE_INFINITY;
const EMPTY_ZIP = Buffer.concat([Buffer.from("PK\x05\x06", "latin1"), Buffer.alloc(18)]);

const damaged = (damage: BodyDamage): { site: Site } & Fault => ({
  site: "platform.body",
  form: "body",
  damage,
});
const failing = (site: Site, error: Error): { site: Site } & Fault => ({ site, form: "not-done", error });

/** A healthy task first, which shows that the system works, then the one that the fault hits. */
function sceneWithPoison(fault: { site: Site } & Fault, times = FOREVER) {
  const scene = new Scene();
  const healthyId = scene.addTask();
  const poisonedId = scene.addTask();
  const match = ({ subject }: { subject: string }) => subject.includes(poisonedId);
  scene.world.faults.plant({ ...fault, match, times } as PlannedFault);
  return { scene, healthyId, poisonedId };
}

const TRANSIENT: readonly (readonly [name: string, code: string, fault: { site: Site } & Fault])[] = [
  [
    "no connection",
    "platform-unreachable",
    failing("platform.showExportTask", platformError("platform-unreachable")),
  ],
  ["5xx", "platform-unavailable", failing("platform.showExportTask", platformError("platform-unavailable"))],
  ["a web page", "platform-disguised-error", damaged({ kind: "html" })],
  ["a reset in the middle", "platform-unreachable", damaged({ kind: "reset", afterBytes: 1_200 })],
  ["a short body", "short-body", damaged({ kind: "short", keepBytes: 2_000, declared: "whole" })],
  [
    "a short body that is as long as announced",
    "short-body",
    damaged({ kind: "short", keepBytes: 2_000, declared: "sent" }),
  ],
  [
    "a short body without length",
    "short-body",
    damaged({ kind: "short", keepBytes: 2_000, declared: "none" }),
  ],
  ["no byte", "short-body", damaged({ kind: "short", keepBytes: 0, declared: "sent" })],
  ["two bytes", "short-body", damaged({ kind: "short", keepBytes: 2, declared: "none" })],
  ["more bytes than announced", "short-body", damaged({ kind: "extra", extraBytes: 5, declared: "whole" })],
  [
    "bytes after the end, announced",
    "short-body",
    damaged({ kind: "extra", extraBytes: 5, declared: "sent" }),
  ],
  [
    "bytes after the end, no length",
    "short-body",
    damaged({ kind: "extra", extraBytes: 5, declared: "none" }),
  ],
  ["the store refuses a part", "store-unavailable", failing("store.write", storeError("store-unavailable"))],
  [
    "the store refuses to begin",
    "store-unavailable",
    failing("store.openUpload", storeError("store-unavailable")),
  ],
  [
    "the store refuses to complete",
    "store-unavailable",
    failing("store.complete", storeError("store-unavailable")),
  ],
];

const REJECTED: readonly (readonly [name: string, damage: BodyDamage])[] = [
  ["a flipped byte", { kind: "flip", atByte: 1_000 }],
  ["an empty archive", { kind: "replace", bytes: EMPTY_ZIP }],
  ["no archive at all", { kind: "replace", bytes: Buffer.from("export,of,rows\n1,2,3\n") }],
];

describe("a transient failure counts as an attempt once another task has succeeded", () => {
  test.each(TRANSIENT)("%s: %s", async (_name, code, fault) => {
    const { scene, healthyId, poisonedId } = sceneWithPoison(fault, 1);
    const startedMs = scene.world.clock.wallMs();
    const report = await scene.run();
    expect(report.stopReason).toBe("drained");
    expect(report.counts).toMatchObject({ archived: 1, deleted: 1, retried: 1, deadLettered: 0 });
    expect(report.tasks).toContainEqual(
      expect.objectContaining({ exportTaskId: poisonedId, outcome: "retried", reason: code }),
    );
    const message = scene.message();
    expect(message).toMatchObject({ exportTaskId: poisonedId, attempts: 1 });
    expect(message.firstFailedAtMs).toBeGreaterThan(startedMs);
    expect(message.requestedAtMs).toBeLessThanOrEqual(message.firstFailedAtMs ?? 0);
    expect(scene.objects(poisonedId)).toEqual([]);
    expect(scene.world.store.openUploads).toEqual([]);

    await scene.wait(2 * INTERVAL_MS);
    await scene.run();
    scene.expectAllDone([healthyId, poisonedId]);
    expect(scene.record(poisonedId, "archived").attempts).toBe(1);
  });

  test.each(REJECTED)("%s: kept in mind and tried again", async (_name, damage) => {
    const { scene, healthyId, poisonedId } = sceneWithPoison(damaged(damage), 1);
    await scene.run();
    const message = scene.message();
    expect(message).toMatchObject({ exportTaskId: poisonedId, attempts: 1 });
    expect(message.rejectedSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(scene.objects(poisonedId)).toEqual([]);
    await scene.wait(2 * INTERVAL_MS);
    await scene.run();
    scene.expectAllDone([healthyId, poisonedId]);
  });

  test("no length announced is not a failure", async () => {
    const { scene, healthyId, poisonedId } = sceneWithPoison(damaged({ kind: "no-length" }));
    await scene.run();
    scene.expectAllDone([healthyId, poisonedId]);
  });

  test("it counts too when the success comes after it", async () => {
    const scene = new Scene();
    const [poisonedId = "", healthyId = ""] = scene.addTasks(2);
    scene.world.faults.plant({
      site: "platform.showExportTask",
      match: ({ subject }) => subject === poisonedId,
      form: "not-done",
      error: platformError("platform-unavailable"),
    });
    const report = await scene.run();
    expect(report.tasks.map(({ outcome }) => outcome)).toEqual(["archived-deleted", "retried"]);
    expect(scene.message()).toMatchObject({ exportTaskId: poisonedId, attempts: 1 });
    await scene.wait(2 * INTERVAL_MS);
    await scene.run();
    scene.expectAllDone([healthyId, poisonedId]);
  });

  test("one task alone that fails with a task's own failure counts at the end of the run", async () => {
    const scene = new Scene();
    scene.addTask();
    scene.world.faults.plant(damaged({ kind: "html" }));
    const report = await scene.run();
    expect(report).toMatchObject({ stopReason: "drained", counts: { retried: 1 } });
    expect(scene.message().attempts).toBe(1);
  });

  test("a stored copy that differs is told of, never recorded, and archived again", async () => {
    const scene = new Scene();
    const [healthyId = "", id = ""] = scene.addTasks(2);
    scene.world.faults.plant({
      site: "store.read",
      match: ({ subject }) => subject.includes(id),
      form: "race",
      act: () => {
        const [key = ""] = scene.objects(id);
        const bytes = Buffer.from(scene.world.store.entries.get(key)?.bytes ?? Buffer.of());
        scene.world.store.plantObject(key, bytes.fill(1, 200, 210));
      },
    });
    await scene.run();
    expect(scene.events).toContainEqual(
      expect.objectContaining({ kind: "verification-failed", exportTaskId: id }),
    );
    expect(scene.recordNames(id)).toEqual([]);
    await scene.wait(2 * INTERVAL_MS);
    await scene.run();
    expect(scene.objects(id)).toHaveLength(2);
    scene.expectAllDone([healthyId, id]);
  });
});

describe("what was not foreseen", () => {
  test("an error of no known kind counts as a try; its text, which may hold a secret, is never told", async () => {
    const scene = new Scene();
    scene.addTask();
    const error = new Error("GET https://host/?X-Signature=topsecret failed");
    scene.world.faults.plant({ site: "platform.showExportTask", form: "not-done", error });
    const report = await scene.run();
    expect(report.tasks).toMatchObject([{ outcome: "retried", reason: "internal-error" }]);
    expect(JSON.stringify([scene.events, report])).not.toContain("topsecret");
  });

  test("a stored copy that is shorter than what was sent", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const act = () => {
      const [key = ""] = scene.objects(id);
      scene.world.store.plantObject(key, Buffer.from("PK"));
    };
    scene.world.faults.plant({ site: "store.read", form: "race", act });
    const report = await scene.run();
    expect(report.tasks).toMatchObject([{ outcome: "retried", reason: "copy-differs" }]);
    const message = expect.stringMatching(/2 B instead of \d/);
    expect(scene.events).toContainEqual(
      expect.objectContaining({ kind: "failed", failure: expect.objectContaining({ message }) }),
    );
    expect(scene.recordNames(id)).toEqual([]);
  });

  test("progress is told every 256 KiB and at the end", async () => {
    const scene = new Scene({ platform: { chunkBytes: 64 * 1024 }, store: { chunkBytes: 256 * 1024 } });
    const file = exportFile(5, 600 * 1024);
    const id = scene.addTask({ file });
    await scene.run();
    scene.expectAllDone([id]);
    const told = scene.events.flatMap((event) => (event.kind === "bytes" ? [event.receivedBytes] : []));
    expect(told).toEqual([256 * 1024, 512 * 1024, file.bytes.length]);
  });
});

describe("delays of failed tries", () => {
  test("full jitter of min(900 s, interval × 2^attempts)", () => {
    expect(retryDelayMs(INTERVAL_MS, 1, 0)).toBe(0);
    expect(retryDelayMs(INTERVAL_MS, 1, 0.999_999)).toBe(2 * INTERVAL_MS - 1);
    expect(retryDelayMs(INTERVAL_MS, 3, 0.5)).toBe(4 * INTERVAL_MS);
    expect(retryDelayMs(INTERVAL_MS, 5, 0.5)).toBe(450_000);
    expect(retryDelayMs(INTERVAL_MS, 10_000, 0.999_999_9)).toBeLessThan(900_000);
  });

  test("the delays of one world spread over the whole range", async () => {
    const delays: number[] = [];
    for (let seed = 1; seed <= 25; seed += 1) {
      const scene = new Scene({ seed });
      scene.addTask();
      scene.world.faults.plant(damaged({ kind: "html" }));
      await scene.run();
      delays.push(scene.delayMs());
    }
    expect(Math.min(...delays)).toBeLessThan(0.25 * 2 * INTERVAL_MS);
    expect(Math.max(...delays)).toBeGreaterThan(0.75 * 2 * INTERVAL_MS);
    expect(Math.max(...delays)).toBeLessThanOrEqual(2 * INTERVAL_MS);
  });
});

describe("giving up", () => {
  test("max-attempts only when the patience of 48 h has passed as well", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.faults.plant({ ...damaged({ kind: "html" }), times: FOREVER } as PlannedFault);
    const startedMs = scene.world.clock.monotonicMs();
    let runs = 0;
    while (scene.world.queue.deadLetters.length === 0) {
      await scene.run();
      runs += 1;
      await scene.wait(15 * MINUTE_MS);
      expect(runs).toBeLessThan(250);
    }
    expect(scene.world.clock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(48 * HOUR_MS);
    expect(scene.world.clock.monotonicMs() - startedMs).toBeLessThan(49 * HOUR_MS);
    expect(scene.world.queue.deadLetters).toHaveLength(1);
    const [letter] = scene.world.queue.deadLetters;
    expect(letter).toMatchObject({ reason: "max-attempts" });
    expect(letter?.attempts).toBeGreaterThan(100);
    expect(letter?.detail).toContain("platform-disguised-error");
    expect(scene.record(id, "dead-letter")).toMatchObject({ reason: "max-attempts", exportTaskId: id });
    expect(scene.bodies()).toEqual([]);
    expect(scene.world.platform.has(id)).toBe(true);
  });

  test("patience alone is not enough either", async () => {
    const { scene } = sceneWithPoison(damaged({ kind: "html" }));
    const settings = { giveUpAfterMs: 0, maxAttempts: 3 };
    for (let run = 1; run <= 2; run += 1) {
      await scene.run({ settings });
      expect(scene.message().attempts).toBe(run);
      await scene.wait(HOUR_MS);
    }
    await scene.run({ settings });
    expect(scene.world.queue.deadLetters).toMatchObject([{ reason: "max-attempts", attempts: 3 }]);
    expect(scene.bodies()).toEqual([]);
  });

  test.each(REJECTED)("not-accepted at two equal bodies: %s", async (_name, damage) => {
    const { scene, poisonedId } = sceneWithPoison(damaged(damage));
    await scene.run();
    await scene.wait(2 * INTERVAL_MS);
    const report = await scene.run();
    expect(report.tasks).toMatchObject([
      { exportTaskId: poisonedId, outcome: "dead-lettered", reason: "not-accepted" },
    ]);
    expect(scene.world.queue.deadLetters).toMatchObject([{ reason: "not-accepted" }]);
    expect(scene.record(poisonedId, "dead-letter").reason).toBe("not-accepted");
    expect(scene.objects(poisonedId)).toEqual([]);
    expect(scene.world.platform.has(poisonedId)).toBe(true);
  });

  test("not at two different ones", async () => {
    const { scene, healthyId, poisonedId } = sceneWithPoison(damaged({ kind: "flip", atByte: 1_000 }), 1);
    const match = ({ subject }: { subject: string }) => subject === poisonedId;
    scene.world.faults.plant({
      site: "platform.body",
      match,
      occurrence: 2,
      form: "body",
      damage: { kind: "flip", atByte: 1_001 },
    });
    for (let run = 1; run <= 3; run += 1) {
      await scene.run();
      await scene.wait(5 * MINUTE_MS);
    }
    scene.expectAllDone([healthyId, poisonedId]);
    expect(scene.record(poisonedId, "archived").attempts).toBe(2);
  });

  test("accept: any archives what is not a ZIP file", async () => {
    const scene = new Scene();
    const id = scene.addTask({ file: fileOf(Buffer.from("rows")) });
    await scene.run({ settings: { accept: "any" } });
    scene.expectAllDone([id]);
    expect(scene.record(id, "archived").verification).toMatchObject({ container: "off" });
  });

  test("too-large: more parts than the store takes", async () => {
    const { scene, poisonedId } = sceneWithPoison(failing("store.openUpload", storeError("store-too-large")));
    await scene.run();
    expect(scene.world.queue.deadLetters).toMatchObject([{ reason: "too-large" }]);
    expect(scene.record(poisonedId, "dead-letter").detail).toContain("store-too-large");
  });

  test("an encrypted archive is accepted by its structure", async () => {
    const bytes = Buffer.from(zipOf(Buffer.from("secret rows")));
    // General purpose flag, bit 0, in the local header and in the directory.
    bytes.writeUInt16LE(1, 6);
    bytes.writeUInt16LE(1, bytes.lastIndexOf(Buffer.from("PK\x01\x02", "latin1")) + 8);
    const scene = new Scene();
    const id = scene.addTask({ file: fileOf(bytes) });
    await scene.run();
    scene.expectAllDone([id]);
    expect(scene.record(id, "archived").verification).toMatchObject({ container: "structure" });
  });
});
