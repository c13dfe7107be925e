import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { finishedExports, type Lab, openLab } from "./lab.ts";

const COUNT = 3;

/** Exports of two batch tasks, archived. */
async function archivedLab(context: Parameters<typeof openLab>[0]): Promise<Lab> {
  const lab = await openLab(context);
  const exports = finishedExports(COUNT).map((spec, index) => ({
    ...spec,
    condition: { task_id: index === 0 ? "batch-01" : "batch-02" },
    endTime: `2026-11-21T02:0${index}:00.000Z`,
  }));
  await lab.control.addTasks(exports);
  expect((await lab.archiver("run")).exitCode).toBe(0);
  return lab;
}

test.concurrent("an operator who knows a batch task has its latest file in two commands", async (context) => {
  const lab = await archivedLab(context);
  const listed = await lab.archiver("list", "--batch-task", "batch-02");
  expect(listed.exitCode).toBe(0);
  const [, args = ""] = /^Next: iotda-archiver (restore .*) --to \.$/m.exec(listed.stdout) ?? [];
  const folder = join(lab.folder, "restored");
  await mkdir(folder);
  const restored = await lab.archiver(...args.split(" "), "--to", folder);
  expect(restored).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^Restored revision \w{8} of /),
  });
  const [name = ""] = await readdir(folder);
  expect(name).toMatch(/^export-03-[0-9a-f]{8}\.zip$/);
  const digest = createHash("sha256")
    .update(await readFile(join(folder, name)))
    .digest("hex");
  expect(restored.stdout).toContain(digest);
});

test.concurrent("the catalogue is made by the inventory, and shows what was archived after it", async (context) => {
  const lab = await archivedLab(context);
  const before = await lab.archiverJson("list");
  expect(before.stderr).toContain("There is no catalogue yet");
  expect(before.document).toMatchObject({ source: "records", more: false });
  expect(await lab.archiverJson("inventory")).toMatchObject({
    exitCode: 0,
    document: { stopReason: "done", counts: { exports: COUNT, damaged: 0, orphans: 0 } },
  });
  await lab.control.addTasks([{ ...finishedExports(COUNT + 1).slice(-1)[0], exportTaskId: "export-late" }]);
  expect((await lab.archiver("run")).exitCode).toBe(0);
  const { document, stderr } = await lab.archiverJson("list", "--limit", "2");
  expect(stderr).toBe("");
  expect(document).toMatchObject({
    source: "catalogue",
    more: true,
    gaps: [],
    exports: [{ exportTaskId: "export-late", state: "deleted" }, {}],
  });
  const csv = (await lab.archiver("list", "--csv")).stdout.trimEnd().split("\n");
  expect(csv).toHaveLength(COUNT + 2);
  expect(csv[0]).toMatch(/^exportTaskId,revision,/);
  const shown = await lab.archiver("show", "export-late");
  expect(shown.stdout).toMatch(/archived, and deleted from the platform/);
  expect(shown.stdout).toContain("iotda-archiver restore export-late --to .");
  expect(await lab.archiverJson("find", "LATE")).toMatchObject({
    document: { exports: [{ exportTaskId: "export-late" }] },
  });
});

test.concurrent("an object that is gone is damage the same day: exit 3, and lists name it", async (context) => {
  const lab = await archivedLab(context);
  const [key = ""] = (await lab.store.keys("exports")).filter((one) => one.includes("/export-01/"));
  await rm(join(lab.store.path, key));
  const inventory = await lab.archiver("inventory");
  expect(inventory).toMatchObject({ exitCode: 3, stdout: expect.stringContaining(`MISSING: ${key}`) });
  const { document } = await lab.archiverJson("list", "--state", "damaged");
  expect(document).toMatchObject({ exports: [{ exportTaskId: "export-01", damage: "missing" }] });
});

test.concurrent("restore writes to stdout the bytes alone, and ends with 1 when they are not proved", async (context) => {
  const lab = await archivedLab(context);
  const whole = await lab.archiver("restore", "--batch-task", "batch-01", "--to", "-");
  expect(whole).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^PK/) });
  expect(whole.stderr).toMatch(/Restored revision \w{8} of export-01 to stdout: /);
  const several = await lab.archiver("restore", "--batch-task", "batch-02", "--to", "-");
  expect(several).toMatchObject({ exitCode: 1, stdout: "" });
  expect(several.stderr).toContain("has 2 archived exports");
  const [key = ""] = (await lab.store.keys("exports")).filter((one) => one.includes("/export-01/"));
  const file = join(lab.store.path, key);
  const bytes = await readFile(file);
  await chmod(file, 0o600);
  await writeFile(file, bytes.fill("x", 40, 41));
  const damaged = await lab.archiver("restore", "export-01", "--to", "-");
  expect(damaged.exitCode).toBe(1);
  expect(damaged.stderr).toContain("Throw away what was written to stdout");
});
