import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Answer, drops, hangs, Receiver, saying } from "../../lib/notify/testing/receiver.ts";
import { finishedExports, openLab } from "./lab.ts";

const TOKEN = "PlantedToken0123456789";

describe.concurrent("report", () => {
  test("writes the page of a good night, ends with 0, and says where it lies", async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks(finishedExports(2, { createTime: new Date().toISOString() }));
    await lab.archiver("run");
    await lab.archiver("inventory");
    const { exitCode, stdout } = await lab.archiver("report");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^OK · 2 of 2 exports /);
    expect(stdout).toContain(`The page lies at ${join(lab.store.path, "reports/latest.html")}\n`);
    const page = await readFile(join(lab.store.path, "reports/latest.html"), "utf8");
    expect(page).toContain("export-01");
    const { document } = await lab.archiverJson("report");
    expect(document).toMatchObject({ verdict: "ok", counts: { archived: 2, deleted: 2 } });
  });

  test("ends with 3 for a night that needs somebody, and writes the page where it is asked to", async (context) => {
    const lab = await openLab(context);
    await lab.control.addTasks(
      finishedExports(1, { status: "Failed", createTime: new Date().toISOString() }),
    );
    await lab.archiver("run");
    const out = join(lab.folder, "night.html");
    const { exitCode, stdout } = await lab.archiver("report", "--out", out);
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 3, stdout: expect.stringMatching(/^LOOK · /) });
    expect(stdout).toContain("export-01");
    expect(await readFile(out, "utf8")).toContain("<!doctype html>");
  });

  test("tells the night once, however often it is made, and shows no address", async (context) => {
    await using receiver = await Receiver.open(saying(200));
    const settings = { ARCHIVER_NOTIFY: `${receiver.origin}/${TOKEN}` };
    const lab = await openLab(context, { settings });
    await lab.archiver("run");
    const first = await lab.archiver("report");
    const second = await lab.archiver("report");
    expect(first.stdout).toContain("Told: json ");
    expect(second.stdout).not.toContain("Told: ");
    expect(receiver.received).toHaveLength(1);
    expect(JSON.parse(receiver.received[0]?.body ?? "")).toMatchObject({ kind: "night" });
    expect(first.stdout + first.stderr + second.stdout).not.toContain(TOKEN);
  });

  test.for<[string, Answer]>([
    ["refuses", saying(500)],
    ["drops connections", drops],
  ])("whoever is told and %s changes nothing but a line", async ([_what, answer], context) => {
    await using receiver = await Receiver.open(answer);
    const settings = { ARCHIVER_NOTIFY: `${receiver.origin}/${TOKEN}` };
    const lab = await openLab(context, { settings });
    await lab.control.addTasks(finishedExports(1, { createTime: new Date().toISOString() }));
    await lab.archiver("run");
    await lab.archiver("inventory");
    const { exitCode, stdout } = await lab.archiver("report");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("Not told: json ");
    expect(stdout).not.toContain(TOKEN);
  });

  test("ends early when it is interrupted, and speaks of no tasks", async (context) => {
    await using receiver = await Receiver.open(hangs);
    const lab = await openLab(context, { settings: { ARCHIVER_NOTIFY: `${receiver.origin}/${TOKEN}` } });
    await lab.archiver("run");
    const running = lab.start("report");
    expect(await running.until(() => receiver.received.length > 0)).toBe(true);
    running.kill("SIGINT");
    expect(await running.ended).toMatchObject({
      exitCode: 130,
      stderr: "Stopping.\n",
    });
  });

  test("tells the night also when it cannot write the page where it is asked to", async (context) => {
    await using receiver = await Receiver.open(saying(200));
    const lab = await openLab(context, { settings: { ARCHIVER_NOTIFY: `${receiver.origin}/${TOKEN}` } });
    await lab.archiver("run");
    expect(await lab.archiver("report", "--out", lab.folder)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("--out: names a file that cannot be written"),
    });
    expect(receiver.received).toHaveLength(1);
    expect(await lab.store.keys("reports/")).toContain("reports/latest.html");
  });

  test.for<[string, readonly string[], string]>([
    ["a night that is not over", ["--night", "2999-01-01"], "2999-01-01 is not over"],
    ["a night before the archive", ["--night", "2020-01-01"], "2020-01-01 is before this archive"],
    ["no date", ["--night", "yesterday"], "It must be a date such as 2026-11-27"],
  ])("refuses %s", async ([_what, args, problem], context) => {
    const lab = await openLab(context);
    expect(await lab.archiver("report", ...args)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(problem),
    });
  });

  test("names every problem of the expected exports, and writes no page", async (context) => {
    const lab = await openLab(context, { settings: { ARCHIVER_EXPECT: '{"rules":[{"name":"nightly"}]}' } });
    const { exitCode, stderr } = await lab.archiver("report");
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("by") });
    expect(await lab.store.keys("reports/")).toEqual([]);
  });

  test("without its archive makes no page", async (context) => {
    const lab = await openLab(context);
    await lab.archiver("run");
    await rm(join(lab.store.path, "archive.json"));
    expect(await lab.archiver("report")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("archive.json"),
    });
  });
});
