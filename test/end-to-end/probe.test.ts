import * as v from "valibot";
import { describe, expect, test } from "vitest";
import type { SettingsInput } from "../../sandbox/start.ts";
import { openCloudLab } from "./cloud-lab.ts";
import { finishedExports, type Lab, openLab } from "./lab.ts";
import { answerTo, expectNothingSecret, LIVE, probed, sentTo, sheetSchema } from "./probe-sheet.ts";

/** Two exports that are archived and still on the platform, as after a first night. */
async function afterFirstNight(lab: Lab): Promise<void> {
  await lab.writeSettings({ ARCHIVER_DELETE: "never" });
  await lab.control.addTasks(finishedExports(2));
  expect(await lab.archiver("run")).toMatchObject({ exitCode: 0 });
}

describe.concurrent("probe", () => {
  test("without --live says what it would ask, and sends nothing", async (context) => {
    const lab = await openLab(context);
    const { exitCode, stdout } = await lab.archiver("probe");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("(docs/iotda-api.md §1.4)\n  Costs a list: ");
    expect(stdout).toMatch(/\nNothing was asked\. Add --live to ask\.\n$/);
    const { document } = await lab.archiverJson("probe");
    expect(document).toMatchObject({ live: false });
    expect(await lab.control.requests()).toEqual([]);
  });

  test("without a terminal wants --yes, and sends nothing", async (context) => {
    const lab = await openLab(context);
    const { exitCode, stderr } = await lab.archiver("probe", "--live");
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: "error: without a terminal, probe --live needs --yes\n",
    });
    expect(await lab.control.requests()).toEqual([]);
  });

  test("asks with three downloads and no create, and prints Markdown", async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks([...finishedExports(2), { exportTaskId: "ill", status: "Failed" }]);
    const ended = await lab.archiver(...LIVE);
    expect(ended.exitCode).toBe(0);
    expectNothingSecret(lab, ended);
    expect(await sentTo(lab)).toEqual({ creates: 0, downloads: 3 });
    expect(ended.stdout).toMatch(/^## Answers of the platform\n\n- asked: /);
    expect(ended.stdout).toContain("\n### Answered\n\n- `marker` (§1.4): ");
    expect(ended.stdout).toMatch(/\nThe probe left nothing on the platform\.\n$/);
    expect(ended.stderr).toContain("Asking for the file of an id of no task.\n");
  });

  test("on an empty platform says what could not be asked", async (context) => {
    const lab = await openLab(context);
    const { exitCode, sheet } = await probed(lab);
    expect(exitCode).toBe(0);
    expect(sheet.requests.downloads).toBe(1);
    expect(answerTo(sheet, "marker")).toMatch(/^not-asked: .*the list is empty/);
    expect(answerTo(sheet, "payload")).toMatch(/^not-asked: .*no finished export was listed/);
    expect(answerTo(sheet, "unknown-task")).toMatch(/^answered: .*status 404/);
  });
});

const QUIRKS: readonly (readonly [string, SettingsInput, string, RegExp])[] = [
  ["no length of the file", { fileContentLength: false }, "file-headers", /Absent: Content-Length/],
  ["another type of the file", { fileContentType: "application/zip" }, "file-headers", /`application\/zip`/],
  ["a type that holds a name", { fileContentType: "a; key=b" }, "file-headers", /\(not a plain value\)/],
  ["another code of an unknown id", { taskNotFoundCode: "IOTDA.012345" }, "unknown-task", /IOTDA\.012345/],
  [
    "another answer about a task without a file",
    { notFinished: { status: 409, code: "IOTDA.054321" } },
    "unfinished-file",
    /listed as `Failed` .* status 409 with code `IOTDA\.054321`/,
  ],
];

describe.concurrent("probe tells by its answers", () => {
  test.for(QUIRKS)("%s", async ([, sandbox, id, answer], context) => {
    const lab = await openLab(context, { sandbox });
    await lab.control.addTasks([...finishedExports(1), { exportTaskId: "ill", status: "Failed" }]);
    const { exitCode, sheet } = await probed(lab);
    expect(exitCode).toBe(0);
    expect(answerTo(sheet, id)).toMatch(/^answered: /);
    expect(answerTo(sheet, id)).toMatch(answer);
  });
});

describe.concurrent("probe --batch-task", () => {
  test.for([
    ["new-id", /^answered: No\. The export has a new id\. .* shows 0 and lacks 1/],
    ["same-id", /^answered: Yes\./],
  ] as const)(
    "makes one export and leaves it, where ids are: %s",
    async ([sameCondition, answer], context) => {
      const lab = await openLab(context, { sandbox: { sameCondition, processingMs: 60_000 } });
      await afterFirstNight(lab);
      const { exitCode, sheet } = await probed(lab, "--batch-task", "batch-01");
      expect(exitCode).toBe(0);
      expect(sheet.requests.creates).toBe(1);
      expect(answerTo(sheet, "same-condition")).toMatch(answer);
      expect(answerTo(sheet, "end-time")).toMatch(/^answered: .*absent in 1/);
      expect(answerTo(sheet, "unfinished-file")).toMatch(/listed as `Processing` .*status 400/);
      const { tasks } = await lab.control.state();
      const [task] = tasks.filter(({ condition }) => condition.task_id === "batch-01");
      expect(sheet.left).toEqual({ kind: "export", exportTaskId: task?.exportTaskId });
    },
  );

  test("leaves its export to the next run, which archives it", async (context) => {
    const lab = await openLab(context);
    const { exitCode, sheet } = await probed(lab, "--batch-task", "batch-07");
    expect(exitCode).toBe(0);
    expect(answerTo(sheet, "payload")).toMatch(/^answered: .*`\.xls`.*true BIFF/);
    expect(answerTo(sheet, "same-condition")).toMatch(/^not-asked: .*no earlier export/);
    const { document } = await lab.archiverJson("run");
    expect(document).toMatchObject({ counts: { archived: 1, deleted: 1 } });
  });

  test("is refused where 45 export slots are used, with or without it", async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks(finishedExports(45));
    for (const more of [[], ["--batch-task", "batch-99"]]) {
      const { exitCode, document, stderr } = await lab.archiverJson(...LIVE, ...more);
      expect(exitCode).toBe(1);
      expect(document).toMatchObject({ failure: { code: "probe-places-held" } });
      expect(stderr).toContain("45 of 50 export slots are used, so the probe asks nothing\n  Archive first");
    }
    expect((await lab.control.requests()).map(({ operation }) => operation)).toEqual([
      "listExportTasks",
      "listExportTasks",
    ]);
  });

  test("is refused where the create could overwrite an export that is not archived, or one that is held", async (context) => {
    const lab = await openLab(context);
    await afterFirstNight(lab);
    await lab.archiver("hold", "add", "export-01", "--reason", "audit");
    await lab.control.addTasks(finishedExports(3).slice(2));
    for (const [batchTask, why] of [
      ["batch-01", "an export of the same batch task is held"],
      ["batch-03", "an export of the same batch task is not archived yet"],
    ] as const) {
      const { exitCode, stderr } = await lab.archiver(...LIVE, "--batch-task", batchTask);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(why);
    }
    const operations = (await lab.control.requests()).map(({ operation }) => operation);
    expect(operations.filter((one) => one === "createExportTask")).toEqual([]);
  });

  test("finds its export by a list where the answer to the create is lost", async (context) => {
    const lab = await openLab(context);
    await lab.control.scriptFaults({ operation: "createExportTask", fault: { kind: "answer-lost" } });
    const { exitCode, sheet } = await probed(lab, "--batch-task", "batch-07");
    expect(exitCode).toBe(0);
    const [task] = (await lab.control.state()).tasks;
    expect(sheet.left).toEqual({ kind: "export", exportTaskId: task?.exportTaskId });
  });

  test("twice at once makes one export between them", async (context) => {
    const lab = await openLab(context);
    const both = await Promise.all([1, 2].map(() => lab.archiver(...LIVE, "--batch-task", "batch-07")));
    // The slower one is refused at its beginning, or says in its sheet why it made none.
    for (const { exitCode } of both) {
      expect([0, 1]).toContain(exitCode);
    }
    expect(both.map(({ exitCode }) => exitCode)).toContain(0);
    const operations = (await lab.control.requests()).map(({ operation }) => operation);
    expect(operations.filter((one) => one === "createExportTask")).toHaveLength(1);
    expect(operations.filter((one) => one === "showExportTask").length).toBeLessThanOrEqual(6);
    expect(operations).not.toContain("deleteExportTask");
  });
});

describe.concurrent("probe goes on after", () => {
  test("a download that is throttled, which it asks for again", async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks(finishedExports(1));
    const fault = { kind: "throttle", code: "IOTDA.021102" } as const;
    await lab.control.scriptFaults({ operation: "showExportTask", fault });
    const { exitCode, sheet } = await probed(lab);
    expect(exitCode).toBe(0);
    expect(sheet.requests.downloads).toBe(3);
    const met = /^answered: .*ShowExportTask: status 403 with code `IOTDA\.021102`/;
    expect(answerTo(sheet, "pace-refusal")).toMatch(met);
    expect(answerTo(sheet, "throttling-codes")).toMatch(met);
    expect(answerTo(sheet, "unknown-task")).toMatch(/^answered: .*404/);
    expect(answerTo(sheet, "payload")).toMatch(/^answered: /);
  });

  test("downloads that are all throttled, and ends with 3", async (context) => {
    const lab = await openLab(context, { intervalMs: 50 });
    await lab.control.addTasks(finishedExports(1));
    await lab.control.scriptFaults({ operation: "showExportTask", times: 9, fault: { kind: "throttle" } });
    const { exitCode, sheet } = await probed(lab);
    expect(exitCode).toBe(3);
    expect(sheet.requests.downloads).toBe(3);
    expect(answerTo(sheet, "unknown-task")).toMatch(
      /^failed: No answer: status 403 with code `IOTDA\.021101`/,
    );
    expect(answerTo(sheet, "payload")).toMatch(/^failed: /);
    expect(answerTo(sheet, "marker")).toMatch(/^answered: /);
  });

  test("answers that are lost or no answers, and ends with 3", async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks(finishedExports(1));
    await lab.control.scriptFaults(
      { operation: "listExportTasks", skip: 1, fault: { kind: "html" } },
      { operation: "showExportTask", exportTaskId: "export-01", fault: { kind: "answer-lost" } },
    );
    const { exitCode, sheet } = await probed(lab);
    expect(exitCode).toBe(3);
    expect(answerTo(sheet, "marker")).toMatch(/^failed: No answer: ListExportTasks: /);
    expect(answerTo(sheet, "file-headers")).toMatch(/^failed: No answer: ShowExportTask: /);
    expect(answerTo(sheet, "unknown-task")).toMatch(/^answered: /);
  });
});

test("probe on OBS warns that runners cannot share the pace there", async (context) => {
  const lab = await openCloudLab(context, { intervalMs: 200, s3: { profile: "obs" }, storeProfile: "obs" });
  await lab.control.addTasks(finishedExports(1));
  const { exitCode, stderr } = await lab.archiver(...LIVE);
  expect(exitCode).toBe(0);
  expect(stderr).toContain("Let no run start before the probe has ended.");
});

describe.concurrent("probe ends", () => {
  test("with 1 where there is no archive, before it asks the platform anything", async (context) => {
    const lab = await openLab(context, { begun: false });
    const { exitCode, document } = await lab.archiverJson(...LIVE);
    expect(exitCode).toBe(1);
    expect(document).toMatchObject({
      failure: { code: expect.stringMatching(/^(?:no-archive|store-missing)$/) },
    });
    expect(await lab.control.requests()).toEqual([]);
  });

  test("with 1 where the platform does not list", async (context) => {
    const lab = await openLab(context);
    await lab.control.scriptFaults({
      operation: "listExportTasks",
      fault: { kind: "status", status: 403, code: "IOTDA.000021" },
    });
    const { exitCode, document } = await lab.archiverJson(...LIVE);
    expect(exitCode).toBe(1);
    expect(document).toMatchObject({ failure: { code: "platform-forbidden" } });
  });

  test("at Ctrl-C with the answers so far, and says what it left", async (context) => {
    const lab = await openLab(context, { intervalMs: 60_000 });
    const running = lab.start(...LIVE, "--batch-task", "batch-07");
    expect(
      await running.until(({ stderr }) => /^Waiting .* for the next download slot\.$/m.test(stderr)),
    ).toBe(true);
    running.kill("SIGINT");
    const { exitCode, stdout, stderr } = await running.ended;
    expect(exitCode).toBe(130);
    expect(stderr).toMatch(/Stopping\.\n$/);
    const [task] = (await lab.control.state()).tasks;
    expect(stdout).toContain("- The probe was interrupted: ");
    expect(stdout).toContain("- `marker` (§1.4): ");
    expect(stdout).toMatch(/the probe ended before it could ask/);
    expect(stdout).toContain(`The probe left export task \`${task?.exportTaskId}\` on the platform.`);
    expect(await sentTo(lab)).toMatchObject({ creates: 1 });
  });

  test("at Ctrl-C while the create has no answer, and says that an export may be there", async (context) => {
    const lab = await openLab(context);
    await lab.control.scriptFaults({ operation: "createExportTask", fault: { kind: "stall" } });
    const running = lab.start(...LIVE, "--batch-task", "batch-07", "--json");
    const isSent = async () =>
      (await lab.control.requests()).some(({ operation }) => operation === "createExportTask");
    expect(await running.until(isSent)).toBe(true);
    running.kill("SIGINT");
    const { exitCode, stdout } = await running.ended;
    expect(exitCode).toBe(130);
    const sheet = v.parse(sheetSchema, JSON.parse(stdout));
    expect(sheet).toMatchObject({
      isInterrupted: true,
      left: { kind: "perhaps", batchTaskId: "batch-07" },
      requests: { creates: 1, downloads: 0 },
    });
  });
});
