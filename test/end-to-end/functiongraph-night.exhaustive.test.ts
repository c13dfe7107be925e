import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type HuaweiPackage, packageForHuawei } from "../../package-huawei.ts";
import type { DeployedFunction, InvocationView } from "../../sandbox/functiongraph/start.ts";
import { expectArchivedOnce, expectPaceKept } from "./archive-audit.ts";
import type { CloudLab } from "./cloud-lab.ts";
import { ROOT } from "./command-line.ts";
import { archiveReportSchema, discoverReportSchema, runReportSchema } from "./documents.ts";
import { auditedLab, openHuaweiLab } from "./functiongraph-lab.ts";
import { finishedExports } from "./lab.ts";

const INTERVAL_MS = 800;
const EXPORTS = 50;
/** Of a timer that fires often enough: a lease of a run that died stands for 30 s. */
const MAX_TICKS = 60;
const MIB = 1024 * 1024;

let folder: string;
let made: HuaweiPackage;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "archiver-package-"));
  made = await packageForHuawei(ROOT, folder);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

function reportOf({ outcome, body }: InvocationView) {
  expect(outcome, body).toBe("succeeded");
  return v.parse(archiveReportSchema, JSON.parse(body));
}

async function archivedNow({ bucket }: CloudLab): Promise<number> {
  return (await bucket.keys("exports/")).length;
}

/** Ticks until a run has drained the queue. */
async function tickUntilDrained(archive: DeployedFunction, lab: CloudLab) {
  for (let ticks = 0; ticks < MAX_TICKS; ticks += 1) {
    const report = reportOf(await archive.fireTimer('{"when":"always"}'));
    expect(report.failure).toBeUndefined();
    if ((await lab.bucket.keys("queue/messages/")).length === 0) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
}

describe("the package for FunctionGraph", () => {
  test("is small enough, and the same sources give the same bytes", async () => {
    expect(made.sizeBytes).toBeLessThan(60 * MIB);
    expect(made.unpackedBytes).toBeLessThan(160 * MIB);
    const again = await packageForHuawei(ROOT, join(folder, "again"));
    expect(again.sha256).toBe(made.sha256);
    console.info(
      `package: ${made.sizeBytes} bytes, ${made.unpackedBytes} unpacked, Node ${made.nodeVersion}`,
    );
  });

  test("archives a night of 50 on OBS, through a kill, a dropped tick, a rotated key and a run beside it", async (context) => {
    const code = { packageFile: made.file };
    const settings = { ARCHIVER_VISIBILITY_MS: "3000" };
    const options = { intervalMs: INTERVAL_MS, apart: true, settings };
    const { lab, graph, deploy } = await openHuaweiLab(context, code, options);
    await lab.control.addTasks(finishedExports(EXPORTS));
    const discover = deploy("discover");
    const archive = deploy("archive");
    const { body } = await discover.fireTimer();
    expect(v.parse(discoverReportSchema, JSON.parse(body)).enqueued).toHaveLength(EXPORTS);

    // A run is killed in its work, as at the end of its time-out.
    const killed = archive.fireTimer('{"when":"always"}');
    await vi.waitFor(async () => expect(await archivedNow(lab)).toBeGreaterThan(8), { timeout: 240_000 });
    expect(await archive.killBusy()).toBe(1);
    expect(await killed).toMatchObject({ outcome: "died" });
    expect(archive.notices).toHaveLength(1);

    // The next one has other keys; those before open nothing any more.
    await graph.agency.rotate({ expired: true });
    const archivedBefore = await archivedNow(lab);
    let running = archive.fireTimer('{"when":"always"}');
    const isOver = new Set<unknown>();
    void running.then((view) => isOver.add(view));
    while ((await archivedNow(lab)) < archivedBefore + 5) {
      if (isOver.size > 0) {
        // The lease of the killed run stood.
        isOver.clear();
        running = archive.fireTimer('{"when":"always"}');
        void running.then((view) => isOver.add(view));
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }

    // While it runs: a tick is dropped, keys change, and somebody runs the command line.
    expect(await archive.fireTimer('{"when":"always"}')).toMatchObject({ outcome: "discarded" });
    await graph.agency.rotate();
    const beside = await lab.archiver("run", "--json");
    expect(v.parse(runReportSchema, JSON.parse(beside.stdout))).toMatchObject({
      counts: { archived: 0, deleted: 0 },
    });
    expect(beside.stderr).toContain("Another run receives from the queue");

    const whole = reportOf(await running);
    expect(whole).toMatchObject({ stopReason: "drained", pacing: "unshared" });
    await tickUntilDrained(archive, lab);

    // The killed run may have left a copy without its record, which is then taken over or left as an orphan.
    await expectArchivedOnce(await auditedLab(lab), EXPORTS, { mayHaveOrphan: () => true });
    await expectPaceKept(await auditedLab(lab), INTERVAL_MS);
    expect(await lab.bucket.keys("queue/dead-letters/")).toEqual([]);
    expect((await lab.bucket.keys("exports/")).length).toBeLessThanOrEqual(EXPORTS + 2);
    const starts = archive.instances.map(({ coldStartMs = Number.NaN }) => Math.round(coldStartMs));
    const peak = Math.max(...archive.instances.map(({ peakBytes }) => peakBytes));
    expect(peak).toBeLessThan(256 * MIB);
    console.info(`archive: cold starts of ${starts.join(", ")} ms, at most ${Math.round(peak / MIB)} MiB`);
  });
});
