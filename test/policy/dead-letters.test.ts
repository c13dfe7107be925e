import { describe, expect, test } from "vitest";
import { parseBody } from "../../lib/queue/message-codec.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { exportFile } from "../world/export-file.ts";
import type { PlannedFault } from "../world/faults.ts";
import { queueError, storeError } from "../world/port-errors.ts";
import { HOUR_MS, MINUTE_MS, onlyEntry, Scene } from "./scene.ts";

/** Moves every dead letter back, as `dead-letters retry` does. */
async function redrive(scene: Scene): Promise<void> {
  const { queue } = scene.world.startRunner("operator");
  await scene.world.run(() => queue.redrive("all", ALWAYS));
}

/** A task whose file was not an archive twice. */
async function sceneWithRejectedTask(): Promise<{ scene: Scene; id: string }> {
  const scene = new Scene();
  const id = scene.addTask();
  const damage = { kind: "flip", atByte: 900 } as const;
  scene.world.faults.plant({ site: "platform.body", times: 2, form: "body", damage });
  await scene.run();
  await scene.wait(2 * MINUTE_MS);
  await scene.run();
  expect(scene.world.queue.deadLetters).toMatchObject([{ reason: "not-accepted" }]);
  await scene.wait(MINUTE_MS);
  return { scene, id };
}

describe("a letter", () => {
  test("carries the body without its progress, the reason, a sentence, the run", async () => {
    const { scene, id } = await sceneWithRejectedTask();
    const [letter] = scene.world.queue.deadLetters;
    expect(parseBody(letter?.body ?? "")).toEqual({ kind: "task", message: { exportTaskId: id } });
    const record = scene.record(id, "dead-letter");
    expect(letter?.detail).toMatch(/^The platform sent the same file twice: .*\.$/);
    expect(letter).toMatchObject({
      attempts: 1,
      runId: record.runId,
      detail: record.detail,
    });
    // The durable record keeps what was received.
    expect(parseBody(String(record.body))).toMatchObject({ message: { exportTaskId: id, attempts: 1 } });
  });

  test("moved back starts afresh and is archived", async () => {
    const { scene, id } = await sceneWithRejectedTask();
    await redrive(scene);
    const report = await scene.run();
    expect(onlyEntry(report).outcome).toBe("archived-deleted");
    expect(scene.recordNames(id)).toEqual(["archived.json", "dead-letter.json", "deleted.json"]);
    expect(scene.record(id, "archived").attempts).toBe(0);
    expect(scene.world.queue.deadLetters).toEqual([]);
  });

  test("moved back and given up again gets a second record", async () => {
    const scene = new Scene();
    const id = scene.addTask({ status: "Failed" });
    await scene.run();
    await scene.wait(MINUTE_MS);
    await redrive(scene);
    await scene.run();
    expect(scene.recordNames(id)).toEqual(["dead-letter-2.json", "dead-letter.json"]);
    expect(scene.world.queue.deadLetters).toHaveLength(1);
  });

  test("ends uploads that a dead runner left open", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.faults.plant({ site: "store.openUpload", form: "crash", when: "after" });
    await scene.crash();
    await scene.wait(2 * MINUTE_MS);
    const error = storeError("store-too-large");
    scene.world.faults.plant({ site: "store.openUpload", form: "not-done", error });
    await scene.run();
    expect(scene.record(id, "dead-letter").reason).toBe("too-large");
    expect(scene.world.store.openUploads).toEqual([]);
  });

  test.each<[string, PlannedFault]>([
    ["the letter", { site: "queue.deadLetter", form: "crash", when: "after" }],
    [
      "the record",
      {
        site: "store.putDocument",
        match: ({ subject }) => subject.includes("/dead-letter"),
        form: "crash",
        when: "after",
      },
    ],
  ])("dying after %s repeats the letter, never loses it", async (_name, fault) => {
    const scene = new Scene();
    const id = scene.addTask({ status: "Failed" });
    scene.world.faults.plant(fault);
    await scene.crash();
    expect(scene.bodies()).toHaveLength(1);
    await scene.wait(2 * MINUTE_MS);
    await scene.run();
    expect(scene.bodies()).toEqual([]);
    expect(scene.world.queue.deadLetters.length).toBeGreaterThanOrEqual(1);
    expect(scene.recordNames(id)).toContain("dead-letter.json");
  });

  test("that cannot be sent stops the run; the message stays", async () => {
    const scene = new Scene();
    const id = scene.addTask({ status: "Failed" });
    const error = queueError("queue-unavailable");
    scene.world.faults.plant({ site: "queue.deadLetter", form: "not-done", error });
    expect(await scene.run()).toMatchObject({
      stopReason: "system-failure",
      failure: { code: "queue-unavailable" },
    });
    await scene.wait(2 * MINUTE_MS);
    await scene.run();
    expect(scene.world.queue.deadLetters).toHaveLength(1);
    expect(scene.recordNames(id)).toEqual(["dead-letter.json"]);
  });
});

describe("a dead-letter record and later messages", () => {
  test("one that was requested before the letter is settled by it", async () => {
    const { scene, id } = await sceneWithRejectedTask();
    scene.send({ exportTaskId: id, requestedAtMs: scene.world.clock.wallMs() - HOUR_MS });
    const report = await scene.run();
    expect(onlyEntry(report)).toMatchObject({ outcome: "already-done", reason: "dead-lettered" });
    expect(scene.bodies()).toEqual([]);
    expect(scene.world.platform.has(id)).toBe(true);
  });

  test("one from the very moment of the request is not newer than it: the task is worked on", async () => {
    const { scene, id } = await sceneWithRejectedTask();
    scene.send({
      exportTaskId: id,
      requestedAtMs: Date.parse(String(scene.record(id, "dead-letter").deadLetteredAt)),
    });
    expect(onlyEntry(await scene.run()).outcome).toBe("archived-deleted");
  });

  test("one about an older revision does not settle the listed one", async () => {
    const { scene, id } = await sceneWithRejectedTask();
    scene.world.platform.overwriteTask(id, exportFile(77));
    scene.send({ exportTaskId: id, requestedAtMs: scene.world.clock.wallMs() - HOUR_MS });
    expect(onlyEntry(await scene.run()).outcome).toBe("archived-deleted");
  });

  test("an absent task is settled by a letter about any of its revisions", async () => {
    const { scene, id } = await sceneWithRejectedTask();
    scene.world.platform.removeTask(id);
    scene.send({ exportTaskId: id, requestedAtMs: scene.world.clock.wallMs() - HOUR_MS });
    expect(onlyEntry(await scene.run()).reason).toBe("dead-lettered");
  });
});

describe("unreadable messages", () => {
  test.each(["", "not json {", "[]", '{"exportTaskId":"../../etc"}', '{"attempts":1}'])(
    "%j goes to the dead letters byte for byte, and the run goes on",
    async (body) => {
      const scene = new Scene();
      scene.world.queue.send(body);
      const id = scene.addTask();
      const report = await scene.run();
      expect(report).toMatchObject({ stopReason: "drained", counts: { archived: 1, deadLettered: 1 } });
      expect(report.tasks).toContainEqual(
        expect.objectContaining({ exportTaskId: "(unreadable)", reason: "unreadable" }),
      );
      expect(scene.world.queue.deadLetters).toMatchObject([{ body, reason: "unreadable" }]);
      const [key = ""] = scene.world.store.keysUnder("dead-letters/");
      expect(JSON.parse(scene.world.store.textAt(key) ?? "")).toMatchObject({ body, reason: "unreadable" });
      expect(scene.bodies()).toEqual([]);
      expect(scene.world.platform.has(id)).toBe(false);
    },
  );

  test("whose lease ran out meanwhile is somebody else's by now", async () => {
    const scene = new Scene();
    scene.world.queue.send("not json {");
    const error = queueError("queue-handle-expired");
    scene.world.faults.plant({ site: "queue.acknowledge", form: "not-done", error });
    expect((await scene.run()).stopReason).toBe("drained");
    expect(scene.events).toContainEqual({ kind: "lease-lost", exportTaskId: undefined });
    await scene.wait(2 * MINUTE_MS);
    await scene.run();
    expect(scene.bodies()).toEqual([]);
  });

  test("a body longer than a record keeps is kept whole in the queue, cut in the record", async () => {
    const scene = new Scene();
    const body = `{${"x".repeat(10_000)}`;
    scene.world.queue.send(body);
    await scene.run();
    expect(scene.world.queue.deadLetters).toMatchObject([{ body }]);
    const [key = ""] = scene.world.store.keysUnder("dead-letters/");
    expect(JSON.parse(scene.world.store.textAt(key) ?? "").body).toHaveLength(4_096);
  });
});
