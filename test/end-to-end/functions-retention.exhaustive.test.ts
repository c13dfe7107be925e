import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { realServer } from "../contract/s3-servers.ts";
import { openRealBucket, openStandInBucket } from "./locked-bucket.ts";
import { KEEP_DAYS, openRetentionLab, policyOf, type RetentionLab, SECOND_LOCKED } from "./retention-lab.ts";

const DAY_MS = 86_400_000;
const SERVERS = [
  ["the stand-in", openStandInBucket],
  ...(realServer() === undefined ? [] : [["a real server", openRealBucket] as const]),
] as const;

/** Archives, and sends an event for each object as soon as it is there: before its record, most often. */
async function archiveWithEvents(lab: RetentionLab, count: number) {
  let isOver = false;
  const archiving = lab.archive(count).finally(() => {
    isOver = true;
  });
  const told = new Map<string, ReturnType<RetentionLab["call"]>>();
  while (!isOver || told.size < (await lab.objects()).size) {
    for (const version of (await lab.objects()).values()) {
      if (!told.has(version.key)) {
        told.set(version.key, lab.call("retain", lab.created(version)));
      }
    }
    await sleep(20);
  }
  await archiving;
  return await Promise.all(told.values());
}

/** Requests of one kind on exports, in the stand-in's log; none is known of a real server. */
async function countRequests(lab: RetentionLab, operation: string): Promise<number | undefined> {
  const requests = await lab.bucket.control?.requests();
  return requests?.filter((one) => one.operation === operation && one.key?.includes("/exports/")).length;
}

/** By the stand-in's log, each removal comes after the record that tells of it. */
async function expectWrittenFirst(lab: RetentionLab): Promise<void> {
  const requests = await lab.bucket.control?.requests();
  const removals = requests?.filter(({ operation }) => operation === "DeleteObject");
  expect(removals?.length ?? 2).toBe(2);
  for (const { key = "", n } of removals ?? []) {
    const folder = `/${key.split("/").at(-2)}/`;
    const written = requests?.find(
      (one) =>
        one.operation === "PutObject" && one.key?.includes(folder) && one.key.endsWith("/expired.json"),
    );
    expect(written?.n, `expired.json of ${folder}`).toBeLessThan(n);
  }
}

describe.each(SERVERS)("with object lock on %s", (_name, openBucket) => {
  test.concurrent("what is archived ends locked and tagged with no command given; events that come again apply once", async (context) => {
    const lab = await openRetentionLab(context, openBucket, policyOf("governance"));
    const startedAtMs = Date.now();
    const calls = await archiveWithEvents(lab, 3);
    expect(calls.map(({ report }) => report.counts)).toEqual(Array(3).fill({ retained: 1 }));
    expect(calls.map(({ metrics }) => metrics)).toMatchObject(
      Array(3).fill({ ObjectsRetained: 1, UnrecordedObjects: 0, SystemFailures: 0 }),
    );
    const objects = [...(await lab.objects()).values()];
    expect(objects).toHaveLength(3);
    const expectProtected = async () => {
      for (const version of objects) {
        const { mode, untilMs, tags } = await lab.bucket.protection(version);
        expect(mode).toBe("GOVERNANCE");
        expect(untilMs).toBeGreaterThan(startedAtMs + KEEP_DAYS * DAY_MS);
        expect(untilMs).toBeLessThan(Date.now() + KEEP_DAYS * DAY_MS + 1_000);
        expect(tags).toMatchObject({ "archiver-rule": "default" });
      }
      for (const exportTaskId of (await lab.objects()).keys()) {
        expect(await lab.records(exportTaskId)).toEqual(["archived.json", "deleted.json", "retained.json"]);
      }
    };
    await expectProtected();
    const written = await countRequests(lab, "PutObjectRetention");

    // The same events, twice each, last ones first, all at once.
    const again = [...objects, ...objects].reverse();
    const repeated = await Promise.all(again.map((version) => lab.call("retain", lab.created(version))));
    expect(repeated.map(({ report }) => report.counts)).toEqual(Array(6).fill({ "up-to-date": 1 }));
    const sweep = await lab.call("retain");
    expect(sweep.report).toMatchObject({ stopReason: "done", counts: { "up-to-date": 3 } });
    await expectProtected();
    expect(await countRequests(lab, "PutObjectRetention")).toBe(written);
    expect([...(await lab.objects()).values()]).toEqual(objects);
  });

  test.concurrent("expire removes what may go, after it wrote so; what is locked or held stays", async (context) => {
    const lab = await openRetentionLab(context, openBucket, SECOND_LOCKED);
    await lab.archive(4);
    expect((await lab.call("retain")).report.counts).toEqual({ retained: 4 });
    const before = await lab.objects();
    expect((await lab.call("expire")).report).toMatchObject({ stopReason: "done", counts: { due: 0 } });

    await lab.age(KEEP_DAYS + 1);
    const held = await lab.archiver("hold", "add", "*-03", "--reason", "case 7");
    expect(held, held.stderr).toMatchObject({ exitCode: 0 });
    const limited = await lab.call("expire", undefined, { ARCHIVER_EXPIRE_MAX_REMOVALS: "1" });
    expect(limited.report).toMatchObject({ stopReason: "removal-limit", counts: { removed: 1 } });
    const { report, metrics } = await lab.call("expire");
    expect(report).toMatchObject({
      stopReason: "done",
      counts: { due: 3, removed: 1 },
      stayed: expect.arrayContaining([
        expect.objectContaining({ exportTaskId: "export-02", reason: "locked" }),
        expect.objectContaining({ exportTaskId: "export-03", reason: "held" }),
      ]),
    });
    expect(metrics).toMatchObject({ ObjectsExpired: 1, ExpiryBlocked: 0, SystemFailures: 0 });
    // Removed, and not only hidden behind a marker.
    expect([...(await lab.objects()).keys()].sort()).toEqual(["export-02", "export-03"]);
    for (const exportTaskId of ["export-01", "export-04"]) {
      const key = (await lab.bucket.keys("records/")).find(
        (one) => one.includes(`/${exportTaskId}/`) && one.endsWith("/expired.json"),
      );
      const { key: objectKey = "", versionId = "" } = before.get(exportTaskId) ?? {};
      expect(await lab.bucket.json(key ?? "")).toMatchObject({
        objects: [{ key: objectKey, versionId }],
        rule: "default",
      });
    }
    await expectWrittenFirst(lab);
    expect((await lab.call("retain")).report.counts).toMatchObject({ expired: 2 });
  });
});
