import { expect, test } from "vitest";
import { finishedExports, openLab } from "./lab.ts";

test("a probe and a run beside it keep the pace, as the platform sees it", async (context) => {
  const lab = await openLab(context, {
    intervalMs: 2_000,
    apart: true,
    // What the probe asks about stays, however far the run is.
    settings: { ARCHIVER_DELETE: "never" },
  });
  await lab.control.addTasks([...finishedExports(4), { exportTaskId: "ill", status: "Failed" }]);
  const [run, probe] = await Promise.all([lab.archiver("run"), lab.archiver("probe", "--live", "--yes")]);
  expect([0, 3]).toContain(run.exitCode);
  expect(probe.exitCode, probe.stdout).toBe(0);
  const downloads = (await lab.control.requests()).filter(({ operation }) => operation === "showExportTask");
  expect(downloads).toHaveLength(7);
  expect(downloads.filter(({ throttled }) => throttled === true)).toEqual([]);
});
