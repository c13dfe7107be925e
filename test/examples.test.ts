import { readdir, readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import { describe, expect, test } from "vitest";
import { readConfiguration } from "../lib/config/configuration.ts";
import { parseExpectedExports } from "../lib/report/expected.ts";
import { parseRetentionPolicy } from "../lib/retention/policy.ts";

const ROOT = new URL("../", import.meta.url);
const PARTS = new Set(["platform", "store", "queue"] as const);

async function example(name: string): Promise<string> {
  return await readFile(new URL(`examples/${name}`, ROOT), "utf8");
}

/** The settings of an example in which somebody has put keys in place of the placeholders. */
async function filledIn(name: string) {
  return parseEnv(
    (await example(name)).replaceAll(/=your-(?:access-key-id|secret-key)$/gm, "=0123456789ABCDEF"),
  );
}

async function readme(): Promise<string> {
  return await readFile(new URL("README.md", ROOT), "utf8");
}

test("each example stands in the list of examples", async () => {
  const files = (await readdir(new URL("examples/", ROOT))).filter((name) => name !== "README.md");
  const list = await example("README.md");
  const linked = [...list.matchAll(/\]\(([^)./]+[^)/]*)\)/g)].map(([, name]) => name);
  expect(linked.toSorted()).toEqual(files.toSorted());
});

describe("settings", () => {
  test.each(["iotda-archiver.env", "obs.env", "bucket.env"])(
    "%s is taken by the program, and deletes nothing",
    async (name) => {
      const { archive } = readConfiguration(await filledIn(name), PARTS);
      expect(archive.deletion).toBe("never");
    },
  );

  test("are refused while a placeholder stands for a key", async () => {
    const settings = parseEnv(await example("iotda-archiver.env"));
    expect(() => readConfiguration(settings, PARTS)).toThrow("is the placeholder of an example");
  });

  test("obs.env chooses the profile of OBS, and its keys", async () => {
    const { store } = readConfiguration(await filledIn("obs.env"), PARTS);
    expect(store).toMatchObject({ profile: "obs", credentials: { kind: "huawei" } });
  });

  test("iotda-archiver.env has all settings of the README's example, with the same places", async () => {
    const [, block = ""] = /^```sh\n(ARCHIVER_IOTDA_ENDPOINT.*?)^```/ms.exec(await readme()) ?? [];
    const { HUAWEICLOUD_SDK_AK: _ak, HUAWEICLOUD_SDK_SK: _sk, ...places } = parseEnv(block);
    expect(Object.keys(places).length).toBeGreaterThan(3);
    expect(parseEnv(await example("iotda-archiver.env"))).toMatchObject(places);
  });
});

test("the retention policy is one, and asks a folder for no lock", async () => {
  const { rules, default: otherwise } = parseRetentionPolicy(await example("retention-policy.json"));
  expect([...rules, otherwise].map(({ lock }) => lock)).toEqual(["none", "none", "none"]);
});

test("the expected exports are rules, and iotda-archiver.env names their place", async () => {
  const rules = parseExpectedExports(await example("expected-exports.json"));
  expect(rules.map(({ name }) => name)).toEqual(["nightly", "meters", "weekly"]);
  const [, file = ""] = /^#ARCHIVER_EXPECT=file:\/\/(.+)$/m.exec(await example("iotda-archiver.env")) ?? [];
  expect(await example("README.md")).toContain(
    `[expected-exports.json](expected-exports.json) | \`${file}\``,
  );
});

test("the settings that iotda-archiver.env has ready are taken when they are uncommented", async () => {
  const all = (await example("iotda-archiver.env")).replaceAll(/^#(?=[A-Z_]+=)/gm, "");
  const settings = { ...parseEnv(all), ...(await filledIn("iotda-archiver.env")) };
  const { notification, report } = readConfiguration(settings, PARTS);
  expect(notification).toMatchObject({ heartbeatUrl: expect.anything(), targets: [expect.anything()] });
  expect(report).toMatchObject({ timeZone: "Asia/Shanghai", expect: expect.anything() });
});

const UNITS = ["iotda-archiver", "iotda-archiver-inventory", "iotda-archiver-report"] as const;

describe("schedules", () => {
  test.each([
    ["run", /^\*\/30 .*$/m],
    ["inventory", /^20 7 .*$/m],
    ["report", /^50 7 .*$/m],
  ])("cron runs the README's line of %s", async (command, pattern) => {
    const [line = ""] = pattern.exec(await readme()) ?? [];
    expect(line).toContain(`iotda-archiver ${command}`);
    expect((await example("iotda-archiver.cron")).split("\n")).toContain(line);
  });

  test("cron would take a bare % for a line end", async () => {
    expect(await example("iotda-archiver.cron")).not.toMatch(/^[^#].*[^\\]%/m);
  });

  test.each(UNITS)(
    "systemd and cron run the same command into the same log, which is rotated: %s",
    async (unit) => {
      const service = await example(`${unit}.service`);
      const cron = await example("iotda-archiver.cron");
      const [, started = ""] = /^ExecStart=\/usr\/local\/bin\/(.+)$/m.exec(service) ?? [];
      const [, log = ""] = /^StandardOutput=append:(.+)$/m.exec(service) ?? [];
      expect(cron).toContain(` ${started} >>${log} `);
      expect((await example("iotda-archiver.logrotate")).split("\n")).toContain(`${log} {`);
      expect(await example(`${unit}.timer`)).toContain(`Unit=${unit}.service`);
    },
  );

  test.each(UNITS)(
    "%s may write where its settings point, and waits for the archive's disk",
    async (unit) => {
      const service = await example(`${unit}.service`);
      const settings = parseEnv(await example("iotda-archiver.env"));
      const folder = new URL(settings.ARCHIVER_STORE ?? "").pathname;
      const queueFolder = new URL(".", settings.ARCHIVER_QUEUE).pathname.replace(/\/$/, "");
      expect(service).toContain(`ReadWritePaths=${folder} ${queueFolder}\n`);
      expect(service).toContain(`RequiresMountsFor=${folder}\n`);
    },
  );
});
