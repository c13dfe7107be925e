import { describe, expect, type TestContext, test } from "vitest";
import { callFresh, linesOf } from "./function-host.ts";
import { type Lab, openLab, type SettingChanges } from "./lab.ts";

const POLICY = '{"schemaVersion":1,"rules":[],"default":{"keepDays":30,"lock":"none"}}';

/** An installation whose endpoint names a region. Nothing leaves the machine: no server listens where the proxy is. */
const ELSEWHERE: SettingChanges = {
  ARCHIVER_IOTDA_ENDPOINT: "https://iotda.cn-north-4.myhuaweicloud.com",
  ARCHIVER_DOWNLOAD_INTERVAL_MS: undefined,
  HTTPS_PROXY: "http://127.0.0.1:1",
};

async function openElsewhere(context: TestContext, more: SettingChanges = {}): Promise<Lab> {
  const lab = await openLab(context);
  await lab.writeSettings({ ...ELSEWHERE, ...more });
  return lab;
}

async function regionLines(lab: Lab, name: string, more: SettingChanges = {}): Promise<unknown[]> {
  const settings = lab.settings({ ...ELSEWHERE, ...more });
  const { log } = await callFresh(settings, name, { timeLeftMs: 600_000 });
  return linesOf(log).filter(({ message }) => message === "region-from-host");
}

describe.concurrent("an unset region, taken from the endpoint's host, is logged", () => {
  test.for(["archive", "discover", "expire", "inventory"])(
    "by the function %s, once",
    async (name, context) => {
      const lab = await openElsewhere(context);
      const policy = name === "expire" ? { ARCHIVER_RETENTION_POLICY: POLICY } : {};
      expect(await regionLines(lab, name, policy)).toMatchObject([{ level: "INFO", region: "cn-north-4" }]);
      expect(await regionLines(lab, name, { ...policy, ARCHIVER_IOTDA_REGION: "cn-south-1" })).toEqual([]);
    },
  );

  test.for([
    ["DEBUG", true],
    ["INFO", false],
  ] as const)("by the command line at %s: %s", async ([level, isSaid], context) => {
    const lab = await openElsewhere(context, { ARCHIVER_LOG_LEVEL: level });
    const { stderr } = await lab.archiver("status");
    expect(
      /INFO {2}ARCHIVER_IOTDA_REGION is not set; the program uses cn-north-4,/.test(stderr),
      stderr,
    ).toBe(isSaid);
  });
});
