import { describe, expect, test } from "vitest";
import type { PlannedFault, Site, SiteCall } from "../world/faults.ts";
import { platformError, queueError, storeError } from "../world/port-errors.ts";
import { MINUTE_MS, onlyEntry, Scene } from "./scene.ts";

const subjectHas =
  (text: string) =>
  ({ subject }: SiteCall): boolean =>
    subject.includes(text);

const STORE_ERROR = storeError("store-unavailable");
const QUEUE_ERROR = queueError("queue-unavailable");

/** A call that changes something outside, and how its answer gets lost. */
interface Write {
  readonly name: string;
  readonly site: Site;
  readonly error: Error;
  readonly match?: (call: SiteCall) => boolean;
}

const WRITES: readonly Write[] = [
  { name: "openUpload", site: "store.openUpload", error: STORE_ERROR },
  { name: "write", site: "store.write", error: STORE_ERROR },
  { name: "complete", site: "store.complete", error: STORE_ERROR },
  {
    name: "the archived record",
    site: "store.putDocument",
    error: STORE_ERROR,
    match: subjectHas("/archived"),
  },
  {
    name: "the deleted record",
    site: "store.putDocument",
    error: STORE_ERROR,
    match: subjectHas("/deleted"),
  },
  {
    name: "the pacing state",
    site: "store.putDocument",
    error: STORE_ERROR,
    match: subjectHas("state/pacing"),
  },
  { name: "the report", site: "store.putDocument", error: STORE_ERROR, match: subjectHas("runs/") },
  { name: "abortUploadsUnder", site: "store.abortUploadsUnder", error: STORE_ERROR },
  { name: "delete", site: "platform.deleteExportTask", error: platformError("platform-unreachable") },
  { name: "delete, 5xx", site: "platform.deleteExportTask", error: platformError("platform-unavailable") },
  { name: "receive", site: "queue.receive", error: QUEUE_ERROR },
  { name: "renew", site: "queue.renew", error: QUEUE_ERROR },
  { name: "acknowledge", site: "queue.acknowledge", error: QUEUE_ERROR },
];

describe("a call that had its effect and whose answer was lost", () => {
  test.each(WRITES)("$name", async ({ name: _name, ...write }) => {
    for (let occurrence = 1; occurrence <= 4; occurrence += 1) {
      const scene = new Scene({ seed: occurrence, queue: { visibilityMs: 30_000 } });
      const ids = scene.addTasks(3);
      scene.world.faults.plant({ ...write, occurrence, form: "done-answer-lost" });
      await scene.runUntilQueueIsEmpty(3);
      scene.expectAllDone(ids);
    }
  });

  test.each(WRITES)("$name: twice in a row", async ({ name: _name, ...write }) => {
    const scene = new Scene({ queue: { visibilityMs: 30_000 } });
    const ids = scene.addTasks(3);
    scene.world.faults.plant({ ...write, times: 2, form: "done-answer-lost" });
    await scene.runUntilQueueIsEmpty(5);
    scene.expectAllDone(ids);
  });

  test("a record that says conflict although it was written is recognised as ours", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.faults.plant({
      site: "store.putDocument",
      match: subjectHas("/archived"),
      form: "done-says-conflict",
    });
    const report = await scene.run();
    scene.expectAllDone([id]);
    expect(report.counts).toMatchObject({ archived: 1, deleted: 1 });
  });

  test("completing: the object is adopted by the next try", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.faults.plant({ site: "store.complete", form: "done-answer-lost", error: STORE_ERROR });
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "retried" });
    await scene.wait(2 * MINUTE_MS);
    await scene.run();
    scene.expectAllDone([id]);
    expect(scene.objects(id)).toHaveLength(1);
    expect(scene.count("platform.showExportTask")).toBe(1);
  });

  test("deleting: the list decides, in the same attempt", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const error = platformError("platform-unreachable");
    scene.world.faults.plant({ site: "platform.deleteExportTask", form: "done-answer-lost", error });
    expect(onlyEntry(await scene.run()).outcome).toBe("archived-deleted");
    scene.expectAllDone([id]);
    expect(scene.record(id, "deleted").outcome).toBe("deleted");
  });

  test("re-sending: the message may be there twice, the work is done once", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.faults.plant(
      { site: "platform.body", form: "body", damage: { kind: "html" } },
      { site: "queue.send", form: "done-answer-lost", error: QUEUE_ERROR },
    );
    expect(await scene.run()).toMatchObject({
      stopReason: "system-failure",
      failure: { code: "queue-unavailable" },
    });
    expect(scene.bodies()).toHaveLength(2);
    await scene.wait(2 * MINUTE_MS);
    await scene.runUntilQueueIsEmpty(3);
    scene.expectAllDone([id]);
  });

  test("a dead letter: repeated, never lost", async () => {
    const scene = new Scene();
    const id = scene.addTask({ status: "Failed" });
    scene.world.faults.plant({ site: "queue.deadLetter", form: "done-answer-lost", error: QUEUE_ERROR });
    await scene.runUntilQueueIsEmpty(3);
    expect(scene.world.queue.deadLetters).toHaveLength(2);
    expect(scene.recordNames(id)).toEqual(["dead-letter.json"]);
  });

  test("the dead letter's record: the next run finds it and acknowledges", async () => {
    const scene = new Scene();
    const id = scene.addTask({ status: "Failed" });
    const fault: PlannedFault = {
      site: "store.putDocument",
      match: subjectHas("/dead-letter"),
      form: "done-answer-lost",
      error: STORE_ERROR,
    };
    scene.world.faults.plant(fault);
    await scene.runUntilQueueIsEmpty(3);
    expect(scene.recordNames(id)).toContain("dead-letter.json");
    expect(scene.world.queue.deadLetters.length).toBeGreaterThan(0);
  });
});

describe("a delete that has no effect", () => {
  test.each([
    ["no answer", platformError("platform-unreachable"), "postponed", "still-listed"],
    ["5xx", platformError("platform-unavailable"), "retried", "platform-unavailable"],
  ])("%s", async (_name, error, outcome, reason) => {
    const scene = new Scene();
    const [first = "", second = ""] = scene.addTasks(2);
    scene.world.faults.plant({
      site: "platform.deleteExportTask",
      match: subjectHas(second),
      form: "not-done",
      error,
    });
    const report = await scene.run();
    expect(report.tasks).toContainEqual(expect.objectContaining({ exportTaskId: second, outcome, reason }));
    await scene.wait(6 * MINUTE_MS);
    await scene.run();
    scene.expectAllDone([first, second]);
    expect(scene.count("platform.showExportTask")).toBe(2);
  });

  test("204, but it stays listed: postponed, tried again later", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    const { platform } = scene.world;
    const deleteTask = platform.deleteTask.bind(platform);
    platform.deleteTask = () => undefined;
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "postponed", reason: "still-listed" });
    expect(scene.recordNames(id)).toEqual(["archived.json"]);
    platform.deleteTask = deleteTask;
    await scene.wait(6 * MINUTE_MS);
    await scene.run();
    scene.expectAllDone([id]);
  });

  test("an upload that cannot be aborted is told of and ended with the task", async () => {
    const scene = new Scene();
    const id = scene.addTask();
    scene.world.faults.plant(
      { site: "platform.body", form: "body", damage: { kind: "short", keepBytes: 2_000, declared: "whole" } },
      { site: "store.abort", form: "not-done", error: STORE_ERROR },
    );
    expect(onlyEntry(await scene.run())).toMatchObject({ outcome: "retried", reason: "short-body" });
    expect(scene.events).toContainEqual(expect.objectContaining({ code: "upload-left-open" }));
    expect(scene.world.store.openUploads).toHaveLength(1);
    await scene.wait(2 * MINUTE_MS);
    await scene.run();
    scene.expectAllDone([id]);
  });
});
