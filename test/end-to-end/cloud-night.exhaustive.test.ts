import * as v from "valibot";
import { describe, expect, type TestContext, test } from "vitest";
import type { S3FaultRuleInput, S3ProfileName } from "../../sandbox/s3/start.ts";
import type { FaultRuleInput } from "../../sandbox/start.ts";
import { effortOf } from "../simulation/effort.ts";
import { expectArchivedOnce, expectFailedOneLettered, expectPaceKept } from "./archive-audit.ts";
import { type CloudLab, type CloudLabOptions, openCloudLab } from "./cloud-lab.ts";
import { type RunDocument, runReportSchema } from "./documents.ts";
import { finishedExports } from "./lab.ts";

const INTERVAL_MS = 800;
const EXPORTS = 8;
/** Runs until nothing is queued; each fault delays its task, and SQS does not tell a run when it is back. */
const MAX_RUNS = 8;

interface Expected {
  readonly pacing: RunDocument["pacing"];
  readonly verification: "stored" | "read-back";
}

const PLATFORM_FAULTS: readonly FaultRuleInput[] = [
  { operation: "showExportTask", exportTaskId: "export-02", fault: { kind: "reset", afterBytes: 500 } },
  { operation: "showExportTask", exportTaskId: "export-03", fault: { kind: "truncate", bytes: 700 } },
  { operation: "showExportTask", exportTaskId: "export-04", fault: { kind: "throttle" } },
  { operation: "deleteExportTask", exportTaskId: "export-05", fault: { kind: "answer-lost" } },
];

/** Every kind of trouble once or twice, wherever exports and their records are written. */
function storeFaults(lab: CloudLab): S3FaultRuleInput[] {
  const of = (folder: string) => ({ keyPrefix: lab.bucket.keyOf(`${folder}/`) });
  const slowDown = { kind: "status", status: 503, code: "SlowDown" } as const;
  return [
    { operation: "PutObject", ...of("exports"), times: 2, fault: slowDown },
    { operation: "PutObject", ...of("exports"), skip: 1, fault: { kind: "answer-lost" } },
    {
      operation: "PutObject",
      ...of("exports"),
      skip: 2,
      fault: { kind: "status", status: 400, code: "ExpiredToken" },
    },
    { operation: "PutObject", ...of("records"), skip: 1, fault: { kind: "answer-lost" } },
    { operation: "UploadPart", ...of("exports"), fault: slowDown },
    { operation: "UploadPart", ...of("exports"), skip: 1, fault: { kind: "reset", afterBytes: 1_000 } },
    { operation: "CompleteMultipartUpload", ...of("exports"), fault: { kind: "answer-lost" } },
  ];
}

/** Small exports, and one of three parts; one failed, one unfinished. */
async function openNight(context: TestContext, options: Omit<CloudLabOptions, "intervalMs">) {
  const lab = await openCloudLab(context, { intervalMs: INTERVAL_MS, apart: true, ...options });
  const exports = finishedExports(EXPORTS).map((task) =>
    task.exportTaskId === "export-06" ? { ...task, fillerBytes: 12_000_000 } : task,
  );
  await lab.control.addTasks([
    ...exports,
    { exportTaskId: "failed-one", condition: { task_id: "failed" }, status: "Failed" },
    { exportTaskId: "unfinished-one", condition: { task_id: "unfinished" }, status: "Processing" },
  ]);
  await lab.control.scriptFaults(...PLATFORM_FAULTS);
  await lab.bucket.server.control.scriptFaults(...storeFaults(lab));
  return lab;
}

async function runUntilNothingIsQueued(lab: CloudLab): Promise<readonly RunDocument[]> {
  const reports: RunDocument[] = [];
  do {
    const ended = await lab.archiver("run", "--json");
    // 3: the failed export was given up in this run.
    expect([0, 3], ended.stderr + ended.stdout).toContain(ended.exitCode);
    reports.push(v.parse(runReportSchema, JSON.parse(ended.stdout)));
  } while (lab.queue.messages().length > 0 && reports.length < MAX_RUNS);
  return reports;
}

async function expectEveryFaultPlayed(lab: CloudLab): Promise<void> {
  const [{ faults: ofPlatform }, { faults: ofStore }] = await Promise.all([
    lab.control.state(),
    lab.bucket.server.control.state(),
  ]);
  const played = [...ofPlatform, ...ofStore];
  expect(played.length).toBeGreaterThan(PLATFORM_FAULTS.length);
  expect(played.filter(({ rule, met }) => met < rule.skip + rule.times)).toEqual([]);
}

/** What such stores refuse or store as content: frames, trailers and checksums of the SDK's own. */
async function expectPlainBodies(lab: CloudLab): Promise<void> {
  const requests = await lab.bucket.server.control.requests();
  expect(requests.length).toBeGreaterThan(0);
  for (const { awsChunked, headers } of requests) {
    expect(awsChunked).toBe(false);
    expect(
      Object.keys(headers).filter((name) => /^x-amz-(checksum|trailer|sdk-checksum)/.test(name)),
    ).toEqual([]);
  }
}

type Night = readonly [S3ProfileName, CloudLabOptions["storeProfile"], Expected];

const ENDS: readonly Night[] = [
  ["aws", "aws", { pacing: "shared", verification: "stored" }],
  // No conditional writes, no checksums, aws-chunked refused, two entries on each page of a list.
  ["generic-poorest", "generic", { pacing: "unshared", verification: "read-back" }],
];
const BETWEEN: readonly Night[] = [
  ["generic-rich", "generic", { pacing: "shared", verification: "read-back" }],
  ["obs", "obs", { pacing: "unshared", verification: "read-back" }],
];
const NIGHTS = effortOf(process.env).everyStore ? [...ENDS, ...BETWEEN] : ENDS;

describe("a night with faults on platform and store, in S3 and SQS", () => {
  test.concurrent.for(NIGHTS)("store %s, profile %s", async ([standIn, storeProfile, expected], context) => {
    const lab = await openNight(context, { s3: { profile: standIn }, storeProfile });
    const reports = await runUntilNothingIsQueued(lab);

    await expectArchivedOnce(lab, EXPORTS);
    await expectPaceKept(lab, INTERVAL_MS);
    await expectFailedOneLettered(lab);
    expect(lab.queue.letters()).toHaveLength(1);
    expect((await lab.control.state()).tasks.map(({ exportTaskId }) => exportTaskId).sort()).toEqual([
      "failed-one",
      "unfinished-one",
    ]);
    await expectEveryFaultPlayed(lab);
    expect(new Set(reports.map(({ pacing }) => pacing))).toEqual(new Set([expected.pacing]));
    const levels = (await lab.bucket.archived()).map(({ verificationLevel }) => verificationLevel);
    expect(new Set(levels)).toEqual(new Set([expected.verification]));
    if (storeProfile !== "aws") {
      await expectPlainBodies(lab);
    }
    // What stands in the store is what was printed.
    for (const { discovered: _, left: __, ...report } of reports) {
      const [key = ""] = (await lab.bucket.keys("runs/")).filter((one) => one.includes(report.runId));
      expect(await lab.bucket.json(key)).toEqual(report);
    }
  });
});
