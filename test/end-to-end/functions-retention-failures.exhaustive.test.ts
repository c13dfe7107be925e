import { expect, test } from "vitest";
import type { S3FaultRuleInput } from "../../sandbox/s3/start.ts";
import type { FaultRuleInput } from "../../sandbox/start.ts";
import { linesOf } from "./function-host.ts";
import { openStandInBucket } from "./locked-bucket.ts";
import { KEEP_DAYS, openRetentionLab, POLICY_KEY, policyOf, type RetentionLab } from "./retention-lab.ts";

const ALWAYS = { times: 1_000 } as const;

/** What is wrong with the answers that expiry rests on. */
const PLATFORM: readonly (readonly [string, FaultRuleInput["fault"]])[] = [
  ["the platform's list fails", { kind: "status", status: 500 }],
  ["the platform's list is cut short and seems whole", { kind: "truncate", bytes: 40 }],
  ["an error under status 200", { kind: "json-200", code: "IOTDA.000001" }],
];
const STORE: readonly S3FaultRuleInput["fault"][] = [
  { kind: "status", status: 403, code: "AccessDenied" },
  { kind: "html" },
  { kind: "status", status: 400, code: "InvalidRequest" },
];
/** Of the bucket itself, of exports, of records in pages of two, of one export's records, of holds. */
const LEAST_LISTS = 6;

async function removals(lab: RetentionLab): Promise<number> {
  const requests = (await lab.bucket.control?.requests()) ?? [];
  return requests.filter(({ operation }) => operation === "DeleteObject").length;
}

/** Two exports that would go. */
async function openDueExports(context: Parameters<typeof openRetentionLab>[0]): Promise<RetentionLab> {
  const lab = await openRetentionLab(context, openStandInBucket, policyOf("none"));
  await lab.archive(2);
  await lab.age(KEEP_DAYS + 1);
  return lab;
}

test.concurrent("a list of the platform that fails, is cut short or comes back empty removes nothing", async (context) => {
  const lab = await openDueExports(context);
  for (const [what, fault] of PLATFORM) {
    await lab.control.scriptFaults({ operation: "listExportTasks", ...ALWAYS, fault });
    const { report, metrics } = await lab.call("expire");
    expect(report, what).toMatchObject({ stopReason: "system-failure", counts: { removed: 0 } });
    expect(report.failure?.hint, what).toMatch(/./);
    expect(metrics, what).toMatchObject({ SystemFailures: 1, ObjectsExpired: 0 });
    await lab.control.clearFaults();
  }
  await lab.control.removeTask("others");
  const { report, metrics } = await lab.call("expire");
  expect(report).toMatchObject({ stopReason: "no-proof", counts: { due: 2, removed: 0 } });
  expect(metrics).toMatchObject({ SystemFailures: 0, ExpiryBlocked: 2 });
  expect(await removals(lab)).toBe(0);

  await lab.control.addTasks([{ exportTaskId: "others", status: "Processing" }]);
  expect((await lab.call("expire")).report.counts).toMatchObject({ removed: 2 });
});

test.concurrent("whichever list of the bucket fails, or is cut short between two pages, nothing is removed", async (context) => {
  const lab = await openDueExports(context);
  const { control } = lab.bucket;
  await control?.changeSettings({ maxPageEntries: 2 });
  for (let skip = 0; ; skip += 1) {
    const fault = STORE[skip % STORE.length] ?? { kind: "reset" };
    await control?.scriptFaults({ operation: "ListObjectsV2", skip, ...ALWAYS, fault });
    const { report, metrics } = await lab.call("expire", undefined, { ARCHIVER_EXPIRE_MAX_REMOVALS: "1" });
    await control?.clearFaults();
    if (report.counts.removed !== 0) {
      expect(skip, "lists that failed before").toBeGreaterThanOrEqual(LEAST_LISTS);
      break;
    }
    expect(await removals(lab), `list ${skip + 1}`).toBe(0);
    // One list is of the system, another of one export alone: a person hears of both.
    const told = Number(metrics.SystemFailures) + Number(metrics.ExpiryBlocked ?? 0);
    expect(told, JSON.stringify(report)).toBeGreaterThan(0);
  }
});

test.concurrent("an event that is not ours costs no request to the store; an object without record is left alone", async (context) => {
  const lab = await openRetentionLab(context, openStandInBucket, policyOf("governance"));
  await lab.archive(1);
  const [version] = (await lab.objects()).values();
  const created = lab.created(version ?? { key: "", versionId: "" });
  const { control } = lab.bucket;
  await control?.clearRequests();
  const readsBefore = lab.secrets.reads.length;

  const unknown = await lab.call("retain", { ...created, "detail-type": "Object Deleted" });
  expect(unknown.report.failure).toMatchObject({ code: "unknown-event" });
  expect(unknown.metrics).toMatchObject({ SystemFailures: 1 });
  expect(linesOf(unknown.log).filter(({ level }) => level === "ERROR")).toHaveLength(1);
  const record = { key: "records/a.json", versionId: "v" };
  const other = await lab.call("retain", lab.created(record));
  expect(other.report).toMatchObject({ ignored: lab.bucket.keyOf("records/a.json"), counts: {} });
  expect(other.metrics).toMatchObject({ SystemFailures: 0, ObjectsRetained: 0 });
  expect(await control?.requests()).toEqual([]);

  // It waits for the record as long as it has time, which is not long here.
  const orphan = version?.key.replace("export-01", "export-77") ?? "";
  await lab.bucket.put(orphan, {});
  const alone = await lab.call("retain", lab.created({ key: orphan, versionId: "v" }), {}, 26_000);
  expect(alone.report.counts).toEqual({ unrecorded: 1 });
  expect(alone.metrics).toMatchObject({ UnrecordedObjects: 1, SystemFailures: 0 });
  const touched = (await control?.requests())?.filter(({ key }) => key === lab.bucket.keyOf(orphan));
  expect(touched?.map(({ operation }) => operation)).toEqual(["PutObject"]);
  expect(lab.secrets.reads, "retain has no business with the platform's key").toHaveLength(readsBefore);
});

test.concurrent("a policy that cannot be used, or is not there, changes nothing and says so", async (context) => {
  const lab = await openDueExports(context);
  await lab.bucket.put(POLICY_KEY, { schemaVersion: 1 });
  for (const name of ["retain", "expire"] as const) {
    expect((await lab.call(name)).report.failure).toMatchObject({ code: "retention-policy" });
    const missing = await lab.call(name, undefined, {
      ARCHIVER_RETENTION_POLICY: "store:retention/other.json",
    });
    expect(missing.report.failure).toMatchObject({ code: "configuration" });
    expect(missing.metrics).toMatchObject({ SystemFailures: 1 });
  }
  expect(await removals(lab)).toBe(0);
  expect(await lab.records("export-01")).toEqual(["archived.json", "deleted.json"]);
});
