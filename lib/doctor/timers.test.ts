import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { ScheduleFile } from "./ports.ts";
import { nodePathsOf, settingsFileOf, timerEntries } from "./timers.ts";

function cron(text: string): ScheduleFile {
  return { kind: "cron", path: "/etc/cron.d/it", text };
}

function service(text: string, path = "/etc/systemd/system/iotda-archiver.service"): ScheduleFile {
  return { kind: "systemd-service", path, text };
}

const TIMER: ScheduleFile = {
  kind: "systemd-timer",
  path: "/etc/systemd/system/iotda-archiver.timer",
  text: "[Timer]\nOnCalendar=*:00/30",
};

async function example(name: string): Promise<string> {
  return await readFile(new URL(`../../examples/${name}`, import.meta.url), "utf8");
}

describe("entries that start archive runs", () => {
  test("the example for cron", async () => {
    const entries = timerEntries([cron(await example("iotda-archiver.cron"))]);
    expect(entries).toMatchObject([{ by: "cron", folders: ["/usr/local/bin", "/usr/bin", "/bin"] }]);
    expect(entries.map(settingsFileOf)).toEqual(["/etc/iotda-archiver.env"]);
  });

  test("the example for systemd, started by its timer", async () => {
    const files = [service(await example("iotda-archiver.service"))];
    expect(timerEntries(files)).toEqual([]);
    const timer = { ...TIMER, text: await example("iotda-archiver.timer") };
    const entries = timerEntries([...files, timer]);
    expect(entries).toMatchObject([{ by: "systemd", folders: ["/usr/local/bin", "/usr/bin", "/bin"] }]);
    expect(entries.map(settingsFileOf)).toEqual(["/etc/iotda-archiver.env"]);
  });

  test.each([
    ["a table of one user's", "*/30 * * * * /opt/iotda-archiver run", ["/usr/bin/node", "/bin/node"]],
    [
      "a path in quotes",
      'PATH="/opt/node/bin:/bin"\n* * * * * iotda-archiver run',
      ["/opt/node/bin/node", "/bin/node"],
    ],
    ["an absolute Node", "* * * * * /opt/node /srv/dist/cli.mjs run --config=/a.env", ["/opt/node"]],
    ["a Node to be looked for", "* * * * * node dist/cli.mjs archive", ["/usr/bin/node", "/bin/node"]],
    [
      "a check in front",
      "* * * * * root flock -n /run/it iotda-archiver run",
      ["/usr/bin/node", "/bin/node"],
    ],
  ])("%s", (_what, text, paths) => {
    expect(timerEntries([cron(text)]).map(nodePathsOf)).toEqual([paths]);
  });

  test.each([
    ["a comment", "# * * * * * iotda-archiver run"],
    ["another command", "20 7 * * * archiver iotda-archiver inventory"],
    ["another program", "* * * * * run-parts /etc/cron.hourly"],
    ["nothing", ""],
  ])("but not %s", (_what, text) => {
    expect(timerEntries([cron(text)])).toEqual([]);
  });

  test("a path counts from its line on, as cron reads it", () => {
    const text = "1 * * * * iotda-archiver run\nPATH=/opt\n2 * * * * iotda-archiver run";
    expect(timerEntries([cron(text)]).map(({ folders }) => folders)).toEqual([
      ["/usr/bin", "/bin"],
      ["/opt"],
    ]);
  });

  test("a timer may name its unit", () => {
    const unit = service("[Service]\nExecStart=iotda-archiver run", "/etc/systemd/system/nights.service");
    const timer = { ...TIMER, text: "[Timer]\nUnit=nights.service" };
    expect(timerEntries([unit, TIMER])).toEqual([]);
    expect(timerEntries([unit, timer])).toHaveLength(1);
  });
});

test.each([
  ["iotda-archiver run --config /a.env", "/a.env"],
  ["iotda-archiver run --config=/a.env", "/a.env"],
  ["iotda-archiver run --env-file /a.env", "/a.env"],
  ["iotda-archiver run", undefined],
])("%s names the file %s", (command, file) => {
  expect(timerEntries([cron(`* * * * * ${command}`)]).map(settingsFileOf)).toEqual([file]);
});
