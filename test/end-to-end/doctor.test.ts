import { afterAll, beforeAll, describe, expect, test } from "vitest";
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

describe("a healthy deployment", () => {
  test("is well, and keeps every byte", async (context) => {
    const lab: DoctorLab = await copyHealthy(healthy, context);
    const before = await lab.snapshot();
    const examined = await lab.examine();
    console.log(JSON.stringify(examined, null, 1));
    expect(failedIn(examined)).toEqual([]);
    expect(await lab.snapshot()).toEqual(before);
  });
});
