import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { finishedExports, openLab } from "./lab.ts";

const COUNT = 3;

test.concurrent("an inventory reads copies again and restores one, and a changed copy ends it with 3", async (context) => {
  // With a limit of a day every copy is due.
  const lab = await openLab(context, { settings: { ARCHIVER_VERIFY_WITHIN_DAYS: "1" } });
  await lab.control.addTasks(finishedExports(COUNT));
  expect((await lab.archiver("run")).exitCode).toBe(0);
  expect(await lab.archiverJson("inventory")).toMatchObject({
    exitCode: 0,
    document: {
      verification: {
        limitDays: 1,
        copies: COUNT,
        checked: COUNT,
        intact: COUNT,
        isLimitKept: true,
        drill: { result: "restored" },
      },
    },
  });
  expect(await lab.store.keys("verification/")).toHaveLength(1);

  const [key = ""] = await lab.store.keys("exports/");
  const file = join(lab.store.path, key);
  const bytes = await readFile(file);
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  await writeFile(file, bytes);
  const { exitCode, stdout } = await lab.archiver("inventory");
  expect(exitCode).toBe(3);
  expect(stdout).toContain(`CHANGED: ${key}`);
  expect(stdout).toContain(`${COUNT} of ${COUNT} copies read again`);
  expect(stdout).toContain("1 damaged");
  // A month passes before the next drill.
  expect(stdout).not.toContain("Drill");
});

test.concurrent("a damaged export that the platform still has is archived again by the next run", async (context) => {
  const lab = await openLab(context, { settings: { ARCHIVER_DELETE: "never" } });
  await lab.control.addTasks(finishedExports(COUNT));
  expect((await lab.archiver("run")).exitCode).toBe(0);
  const [key = ""] = await lab.store.keys("exports/");
  await rm(join(lab.store.path, key));
  const { exitCode, stdout } = await lab.archiver("inventory");
  expect(exitCode).toBe(3);
  expect(stdout).toContain("The next archive run archives again: export-01.");
  expect(lab.queue.messages()).toHaveLength(1);
  expect((await lab.archiver("archive")).exitCode).toBe(0);
  expect(await lab.archiverJson("inventory")).toMatchObject({
    exitCode: 0,
    document: { counts: { exports: COUNT, objects: COUNT, damaged: 0, orphans: 0 } },
  });
});

test.concurrent("verify --due reads what is due by the catalogue, and lists nothing", async (context) => {
  const lab = await openLab(context, { settings: { ARCHIVER_VERIFY_WITHIN_DAYS: "1" } });
  await lab.control.addTasks(finishedExports(COUNT));
  expect((await lab.archiver("run")).exitCode).toBe(0);
  const first = await lab.archiverJson("verify", "--due");
  expect(first).toMatchObject({ exitCode: 0, document: { counts: { exports: COUNT } } });
  expect(first.stderr).toContain("There is no catalogue of the last 26 hours");
  const second = await lab.archiverJson("verify", "--due");
  expect(second.stderr).toBe("");
  expect(second).toMatchObject({
    exitCode: 0,
    document: { stopReason: "done", damage: [], verification: { checked: COUNT, intact: COUNT } },
  });
  expect(second.document).not.toHaveProperty("counts");

  const [key = ""] = await lab.store.keys("exports/");
  await rm(join(lab.store.path, key));
  const { exitCode, stdout } = await lab.archiver("verify", "--due");
  expect(exitCode).toBe(3);
  expect(stdout).toContain(`MISSING: ${key}`);

  await lab.writeSettings({ ARCHIVER_VERIFY_WITHIN_DAYS: "0" });
  expect(await lab.archiver("verify", "--due")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("ARCHIVER_VERIFY_WITHIN_DAYS: is 0, so no copy is ever due"),
  });
});

test.concurrent("the reading can be switched off, and too small a budget is said", async (context) => {
  const lab = await openLab(context, { settings: { ARCHIVER_VERIFY_WITHIN_DAYS: "0" } });
  await lab.control.addTasks(finishedExports(COUNT));
  expect((await lab.archiver("run")).exitCode).toBe(0);
  expect(await lab.archiver("inventory")).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining("No copy was read again: ARCHIVER_VERIFY_WITHIN_DAYS is 0."),
  });
  await lab.writeSettings({ ARCHIVER_VERIFY_WITHIN_DAYS: "1", ARCHIVER_VERIFY_BYTES_PER_DAY: "1" });
  const missed = await lab.archiver("inventory");
  expect(missed.exitCode).toBe(3);
  expect(missed.stdout).toMatch(/Next: set ARCHIVER_VERIFY_BYTES_PER_DAY to \d+ \(/);
});
