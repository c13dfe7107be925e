import { chmod } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GROUPS } from "../../lib/doctor/check.ts";
import { startArchiver } from "./command-line.ts";
import { copyHealthy, type HealthyFolder, makeHealthyFolder } from "./doctor-lab.ts";

let healthy: HealthyFolder;
beforeAll(async () => {
  healthy = await makeHealthyFolder();
});
afterAll(() => healthy.remove());

describe.concurrent("the command ends", () => {
  test("with 0 when all is well; the verdict is the last line", async (context) => {
    const lab = await copyHealthy(healthy, context);
    const before = await lab.snapshot();
    // Of this machine's own cron nothing is asked.
    const groups = GROUPS.filter((group) => group !== "schedule").join(",");
    const { exitCode, stdout, stderr } = await lab.archiver("doctor", "--only", groups);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^settings\n {2}√ /);
    expect(stdout).toMatch(/\nAll is well\. \d+ √(?:, \d+ –)?\n$/);
    expect(await lab.snapshot()).toEqual(before);
  });

  test("with 3 for what will hurt, and the remedy below it", async (context) => {
    const lab = await copyHealthy(healthy, context);
    await chmod(lab.envFile, 0o644);
    const { exitCode, stdout, stderr } = await lab.archiver("doctor", "--only", "settings");
    expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: "" });
    expect(stdout).toMatch(
      /‼ .* has mode 0644: everybody can read the keys in it\n {6}→ chmod 600 .*\n {6}README\.md#/,
    );
    expect(stdout).toMatch(/\nIt works, but something will hurt\. \d+ √, 1 ‼\n$/);
    expect(stdout).not.toMatch(/^platform$/m);
  });

  test("with 1 for what is broken; programs read the same", async (context) => {
    const lab = await copyHealthy(healthy, context);
    await lab.writeSettings({ ARCHIVER_IOTDA_ENDPOINT: "http://127.0.0.1:1" });
    const { exitCode, document } = await lab.archiverJson("doctor", "--only", "platform,queue");
    expect(exitCode).toBe(1);
    expect(document).toMatchObject({ verdict: "broken" });
    const { checks } = document as { readonly checks: readonly Record<string, unknown>[] };
    expect(new Set(checks.map(({ group }) => group))).toEqual(new Set(["platform", "queue"]));
    expect(new Set(checks.flatMap(Object.keys))).toEqual(
      new Set(["group", "id", "status", "text", "remedy", "documentation"]),
    );
  });

  test("with 1 for settings that cannot be used, and says what it did not examine", async (context) => {
    const lab = await copyHealthy(healthy, context);
    await lab.writeSettings({ ARCHIVER_DELET: "never" });
    const { exitCode, stdout } = await lab.archiver("doctor");
    expect(exitCode).toBe(1);
    expect(stdout).toContain("→ Did you mean ARCHIVER_DELETE?");
    expect(stdout).toContain("Not examined, because the settings cannot be used: platform, store, queue");
  });

  test.each([
    ["a group that it does not know", ["--only", "platfrom"], "The groups are settings, platform"],
    ["nothing set at all", [], "name a file with --config"],
    ["a file that is not there", ["--config", "/nowhere/archiver.env"], "cannot be read (ENOENT)"],
  ])("with 2 for %s", async (_what, words, said) => {
    const { exitCode, stderr } = await startArchiver(["doctor", ...words]).ended;
    expect(exitCode).toBe(2);
    expect(stderr).toContain(said);
  });
});
