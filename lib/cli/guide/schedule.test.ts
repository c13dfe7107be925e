import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { cronLines, type Installed, systemdUnits } from "./schedule.ts";

const AS_IN_README: Installed = {
  user: "archiver",
  program: "/usr/local/bin/iotda-archiver",
  nodeFolder: "/usr/local/bin",
  settingsFile: "/etc/iotda-archiver.env",
  logFile: "/var/log/iotda-archiver/run.log",
  mayOverlap: true,
};

async function exampleLines(name: string): Promise<readonly string[]> {
  const text = await readFile(new URL(`../../../examples/${name}`, import.meta.url), "utf8");
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

test("the lines for cron are those of the example", async () => {
  const lines = cronLines({ ...AS_IN_README, program: "iotda-archiver" });
  expect(lines).toEqual(await exampleLines("iotda-archiver.cron"));
});

test("where one runner may work at a time, a run that comes too early does not begin", () => {
  const [, run, ...others] = cronLines({ ...AS_IN_README, mayOverlap: false });
  expect(run).toContain(
    " archiver  flock -n /var/log/iotda-archiver/run.log.lock /usr/local/bin/iotda-archiver run ",
  );
  expect(others.join("\n")).not.toContain("flock");
});

test.each([0, 1])("unit %i for systemd has lines of the example alone", async (index) => {
  const [name, lines] = systemdUnits(AS_IN_README)[index] ?? ["", []];
  expect(await exampleLines(name)).toEqual(expect.arrayContaining(lines.filter((line) => line !== "")));
});

test("paths that a shell, cron or systemd would take apart are quoted", () => {
  const odd = { ...AS_IN_README, settingsFile: "/home/ann/it's 100% mine.env" };
  expect(cronLines(odd)[1]).toContain(`--config '/home/ann/it'\\''s 100\\% mine.env' >>`);
  expect(systemdUnits(odd)[0]?.[1]).toContain(
    'ExecStart=/usr/local/bin/iotda-archiver run --max-minutes 29 --config "/home/ann/it\'s 100%% mine.env"',
  );
});
