import { expect, test, vi } from "vitest";
import { openCloudLab } from "./cloud-lab.ts";
import { finishedExports } from "./lab.ts";

/** Ten of them are how long an unfinished export is postponed: longer than a poll of the lab, 3 s. */
const INTERVAL_MS = 500;

test("`run` waits for what it has postponed itself, though SQS does not tell when it is due", async (context) => {
  const lab = await openCloudLab(context, {
    intervalMs: INTERVAL_MS,
    s3: { profile: "aws" },
    storeProfile: "aws",
  });
  const [finished] = finishedExports(1);
  const { exportTaskId } = await lab.control.addTask({ ...finished, status: "Processing" });
  lab.queue.send(exportTaskId);
  const running = lab.start("run", "--json");
  await vi.waitFor(() => expect(lab.queue.delayedUnseen()).toHaveLength(1), { timeout: 30_000 });
  await lab.control.patchTask(exportTaskId, { status: "Success" });

  const { exitCode, stdout } = await running.ended;
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    stopReason: "drained",
    counts: { archived: 1, deleted: 1 },
    left: { ready: 0, delayed: 0, inFlight: 0 },
  });
});
