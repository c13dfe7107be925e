import { expect, test } from "vitest";
import { expectArchivedOnce } from "./archive-audit.ts";
import { openCloudLab } from "./cloud-lab.ts";
import { finishedExports } from "./lab.ts";

const INTERVAL_MS = 800;
/** More than the retries of all requests. */
const WHOLE_RUN = 500;
/** A missed export comes back after ten intervals; a run that finds nothing takes a few seconds. */
const MAX_RUNS = 10;

test("an object without its record is read back by ranges and adopted, not downloaded again", async (context) => {
  const lab = await openCloudLab(context, {
    intervalMs: INTERVAL_MS,
    s3: { profile: "generic-rich" },
    storeProfile: "generic",
  });
  const [small, large] = finishedExports(2);
  await lab.control.addTasks([{ ...small }, { ...large, fillerBytes: 12_000_000 }]);
  await lab.bucket.server.control.scriptFaults({
    operation: "PutObject",
    keyPrefix: lab.bucket.keyOf("records/"),
    times: WHOLE_RUN,
    fault: { kind: "status", status: 500, code: "InternalError" },
  });
  await lab.archiver("discover");
  // Unlike `run`, it does not wait for what is to be tried again: a refused export is left to another. The sandbox may
  // read a request late on a busy machine, and refuse the next one for coming too early.
  for (let run = 1; (await lab.bucket.keys("exports/")).length < 2; run += 1) {
    expect(run).toBeLessThanOrEqual(MAX_RUNS);
    await lab.archiver("archive");
  }
  expect(await lab.bucket.keys("records/")).toEqual([]);
  expect(await lab.bucket.keys("exports/")).toHaveLength(2);
  expect((await lab.control.state()).tasks).toHaveLength(2);

  await lab.bucket.server.control.clearFaults();
  for (let run = 1; lab.queue.messages().length > 0; run += 1) {
    expect(run).toBeLessThanOrEqual(5);
    expect(await lab.archiver("run", "--json")).toMatchObject({ exitCode: 0 });
  }
  await expectArchivedOnce(lab, 2);
  const downloads = (await lab.control.requests()).filter(({ operation }) => operation === "showExportTask");
  expect(downloads).toHaveLength(2);
  const records = await Promise.all(
    (await lab.bucket.keys("records/"))
      .filter((key) => key.endsWith("/archived.json"))
      .map((key) => lab.bucket.json(key)),
  );
  expect(records).toMatchObject([{ verification: { adopted: true } }, { verification: { adopted: true } }]);
});
