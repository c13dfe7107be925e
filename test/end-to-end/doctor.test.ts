import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { ARCHIVE_FAULTS, NOTIFICATION_FAULTS, SCHEDULE_FAULTS } from "./doctor-faults-of-nights.ts";
import { QUEUE_FAULTS, STORE_FAULTS } from "./doctor-faults-of-places.ts";
import { PLATFORM_FAULTS } from "./doctor-faults-of-platform.ts";
import { SETTING_FAULTS } from "./doctor-faults-of-settings.ts";
import {
  copyHealthy,
  type DoctorLab,
  failedIn,
  type HealthyFolder,
  makeHealthyFolder,
} from "./doctor-lab.ts";

let healthy: HealthyFolder;
beforeAll(async () => {
  healthy = await makeHealthyFolder();
});
afterAll(() => healthy.remove());

/** Everything that an examination must leave as it is. */
async function wholeWorld(lab: DoctorLab) {
  const { tasks, files, removals, served, lastDownloadMs } = await lab.control.state();
  return { files: await lab.snapshot(), platform: { tasks, files, removals, served, lastDownloadMs } };
}

describe("a healthy deployment", () => {
  test("is well, and keeps every byte", async (context) => {
    const lab = await copyHealthy(healthy, context);
    const before = await wholeWorld(lab);
    const examined = await lab.examine();
    expect(examined).toMatchObject({ verdict: "well" });
    expect(failedIn(examined)).toEqual([]);
    expect(examined.checks.filter(({ status }) => status === "unknown")).toEqual([]);
    expect(await wholeWorld(lab)).toEqual(before);
    const operations = (await lab.control.requests()).map(({ operation }) => operation);
    expect(operations).toEqual(["listExportTasks", "deleteExportTask"]);
  });
});

const FAULTS = [
  ...SETTING_FAULTS,
  ...PLATFORM_FAULTS,
  ...STORE_FAULTS,
  ...QUEUE_FAULTS,
  ...SCHEDULE_FAULTS,
  ...NOTIFICATION_FAULTS,
  ...ARCHIVE_FAULTS,
];

describe("one check names", () => {
  test.each(FAULTS)("$fault: $check", async (fault) => {
    const context = { onTestFinished };
    const lab = await copyHealthy(healthy, context);
    await fault.put(lab, context);
    const before = await wholeWorld(lab);
    const examined = await lab.examine();
    const failed = examined.checks.filter(({ status }) => status === "hurts" || status === "broken");
    expect(failed).toEqual([
      expect.objectContaining({
        id: fault.check,
        status: fault.status,
        remedy:
          fault.remedy instanceof RegExp
            ? expect.stringMatching(fault.remedy)
            : expect.stringContaining(fault.remedy),
      }),
    ]);
    expect(examined.verdict).toBe(fault.status);
    expect(JSON.stringify(examined)).not.toMatch(/planted|labSecretKey|labOtherSecret/);
    expect(await wholeWorld(lab)).toEqual(before);
  });
});
