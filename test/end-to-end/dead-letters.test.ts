import * as v from "valibot";
import { describe, expect, type TestContext, test } from "vitest";
import { deadLettersSchema, runReportSchema, statusSchema } from "./documents.ts";
import { finishedExports, type Lab, type LabOptions, openLab } from "./lab.ts";

const FAILED = { exportTaskId: "failed-one", condition: { task_id: "failed" }, status: "Failed" } as const;

async function openNight(context: TestContext, exports = 2, options: LabOptions = {}): Promise<Lab> {
  const lab = await openLab(context, options);
  await lab.control.addTasks([...finishedExports(exports), FAILED]);
  return lab;
}

describe.concurrent("dead letters", () => {
  test("are moved back by the export task's id", async (context) => {
    const lab = await openNight(context, 0);
    await lab.archiver("run");
    const moved = await lab.archiver("dead-letters", "redrive", "failed-one", "no-such-task");
    expect(moved.exitCode, "no-such-task is not a letter's").toBe(1);
    expect(moved.stdout).toMatch(/^Moved back 1: failed-one\nNo dead letter has the id no-such-task; /);
    const again = await lab.archiverJson("dead-letters", "redrive", "no-such-task");
    expect(again.document).toMatchObject({ unknown: ["no-such-task"], failure: { code: "no-such-letter" } });
    expect((await lab.archiver("status")).stdout).toMatch(/^Queue: 1 ready, .*\nDead letters: 0$/m);
  });

  test("are listed up to a limit, which says that there are more", async (context) => {
    const lab = await openNight(context, 0);
    await lab.control.addTasks([{ ...FAILED, exportTaskId: "failed-two" }]);
    await lab.archiver("run");
    const first = await lab.archiverJson("dead-letters", "list", "--limit", "1");
    expect(v.parse(deadLettersSchema, first.document)).toMatchObject({
      deadLetters: [{ id: "1" }],
      more: true,
    });
    expect((await lab.archiver("dead-letters", "--limit", "1")).stdout).toContain("There are more: --limit");
    const both = await lab.archiverJson("dead-letters", "list", "--limit", "2");
    expect(v.parse(deadLettersSchema, both.document)).toMatchObject({ deadLetters: [{}, {}], more: false });
  });

  test("are dismissed with a note of who and why, and nothing else changes", async (context) => {
    const lab = await openNight(context);
    await lab.archiver("run");
    await lab.archiver("dead-letters", "redrive", "--all");
    await lab.archiver("run");
    const copies = await lab.store.keys("exports");
    const before = v.parse(statusSchema, (await lab.archiverJson("status")).document);

    const refused = await lab.archiver("dead-letters", "dismiss", "failed-one");
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--reason") });
    const unknown = await lab.archiver("dead-letters", "dismiss", "export-01", "--reason", "x");
    expect(unknown).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/^No dead letter has the id export-01; /),
    });
    expect(
      (await lab.archiverJson("dead-letters", "dismiss", "export-01", "--reason", "x")).document,
    ).toEqual({
      dismissed: [],
      unknown: ["export-01"],
      failure: expect.objectContaining({ code: "no-such-letter" }),
    });
    expect(await lab.store.keys("dead-letters")).toEqual([]);

    const reason = "asked for again";
    const words = ["dead-letters", "dismiss", "failed-one", "--reason", reason, "--by", "ann"];
    const dismissed = await lab.archiverJson(...words);
    expect(dismissed.exitCode).toBe(0);
    expect(dismissed.document).toMatchObject({ dismissed: [{ reason: "export-failed" }] });
    const [note = "", ...more] = await lab.store.keys("dead-letters");
    expect(more).toEqual([]);
    expect(await lab.store.json(note)).toMatchObject({
      reason,
      by: "ann",
      exportTaskId: "failed-one",
      letter: { reason: "export-failed" },
    });
    expect((await lab.archiver("dead-letters")).stdout).toBe("There are no dead letters.\n");
    expect(await lab.store.keys("exports")).toEqual(copies);
    const after = v.parse(statusSchema, (await lab.archiverJson("status")).document);
    expect(after).toEqual({ ...before, queue: { ...before.queue, deadLetters: 0 } });
    const run = await lab.archiverJson("run");
    expect(v.parse(runReportSchema, run.document), "not given up again").toMatchObject({
      counts: { received: 0, deadLettered: 0 },
      discovered: { skipped: [{ exportTaskId: "failed-one" }] },
    });
  });

  test("stay when the dismissal cannot be noted", async (context) => {
    const lab = await openNight(context, 0);
    await lab.archiver("run");
    await lab.writeSettings({ ARCHIVER_STORE: `file://${lab.folder}/not-there` });
    const failed = await lab.archiver("dead-letters", "dismiss", "failed-one", "--reason", "x");
    expect(failed).toMatchObject({ exitCode: 1, stdout: "" });
    expect(lab.queue.letters()).toHaveLength(1);
  });
});
