import { expect, test } from "vitest";
import { openHuaweiLab, unpackedCode } from "../end-to-end/functiongraph-lab.ts";
import { finishedExports } from "../end-to-end/lab.ts";
import { mayWithObject } from "./agency.ts";
import { readStack } from "./stack.ts";

/** What each request needs on its object. Listings are of the whole bucket, and each agency may list it. */
const ACTIONS: Readonly<Record<string, string>> = {
  HeadObject: "GetObject",
  GetObject: "GetObject",
  PutObject: "PutObject",
  CreateMultipartUpload: "PutObject",
  UploadPart: "PutObject",
  CompleteMultipartUpload: "PutObject",
  AbortMultipartUpload: "AbortMultipartUpload",
  ListParts: "ListMultipartUploadParts",
  DeleteObject: "DeleteObject",
  GetObjectTagging: "GetObjectTagging",
  PutObjectTagging: "PutObjectTagging",
};
const LISTINGS = new Set(["ListObjects", "ListObjectVersions", "ListMultipartUploads", "HeadBucket"]);
const POLICY = '{"schemaVersion":1,"default":{"keepDays":"forever","lock":"none"}}';

test("the functions send nothing to the bucket that their agencies refuse, the queue included", async (context) => {
  const stack = await readStack();
  const { lab, deploy } = await openHuaweiLab(context, await unpackedCode(context), { intervalMs: 300 });
  const { control } = lab.bucket.server;
  const [small, large] = finishedExports(2);
  await lab.control.addTasks([
    { ...small, exportTaskId: "small" },
    { ...large, exportTaskId: "large", fillerBytes: 12_000_000 },
    { exportTaskId: "failed", condition: { task_id: "failed" }, status: "Failed" },
  ]);
  const userData = { ARCHIVER_RETENTION_POLICY: POLICY };
  const calls = [
    ["exportEvents", () => deploy("exportEvents").forwardBatchTask({ taskId: "batch-77" })],
    ["discover", () => deploy("discover").fireTimer()],
    ["archive", () => deploy("archive").fireTimer('{"when":"always"}')],
    ["inventory", () => deploy("inventory").fireTimer()],
    ["report", () => deploy("report").fireTimer()],
    ["retain", () => deploy("retain", { userData }).fireTimer()],
    ["expire", () => deploy("expire", { userData }).fireTimer()],
  ] as const;
  for (const [name, call] of calls) {
    await control.clearRequests();
    expect(await call(), name).toMatchObject({ outcome: "succeeded" });
    const requests = await control.requests();
    const refused = requests
      .filter(({ operation }) => !LISTINGS.has(operation))
      .map(({ operation, key = "" }) => ({
        action: ACTIONS[operation] ?? operation,
        key: key.slice(lab.bucket.keyOf("").length),
      }))
      .filter(({ action, key }) => !mayWithObject(stack, name, action, key))
      .map(({ action, key }) => `${name}: ${action} on ${key}`);
    expect(requests.length, name).toBeGreaterThan(0);
    expect(refused).toEqual([]);
  }
  expect(mayWithObject(stack, "archive", "DeleteObject", "exports/p/default/1.zip")).toBe(false);
});
