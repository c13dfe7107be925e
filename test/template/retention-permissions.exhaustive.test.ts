import { expect, test } from "vitest";
import { Receiver, saying } from "../../lib/notify/testing/receiver.ts";
import { openStandInBucket } from "../end-to-end/locked-bucket.ts";
import {
  KEEP_DAYS,
  openRetentionLab,
  type RetentionLab,
  SECOND_LOCKED,
} from "../end-to-end/retention-lab.ts";
import { ACTIONS_OF_COMMANDS, ACTIONS_OF_VERSIONS } from "./actions.ts";
import { mayInBucket } from "./grants.ts";

/** What was sent to the bucket since the last look and the role may not do; with the actions that were needed. */
async function requestsOf({ bucket }: RetentionLab, role: string) {
  const requests = (await bucket.control?.requests()) ?? [];
  await bucket.control?.clearRequests();
  const below = (key: string) => key.slice(bucket.keyOf("").length);
  const needed = requests.map(({ operation, key, query }) => {
    const command = `${operation}Command`;
    const ofVersion = query.versionId === undefined ? undefined : ACTIONS_OF_VERSIONS[command];
    const action = ofVersion ?? ACTIONS_OF_COMMANDS[command] ?? operation;
    return { action, on: key === undefined ? { prefix: below(query.prefix ?? "") } : { key: below(key) } };
  });
  const refused = needed
    .filter(({ action, on }) => !mayInBucket(role, action, on))
    .map(({ action, on }) => `${action} on ${JSON.stringify(on)}`);
  return { refused, actions: new Set(needed.map(({ action }) => action)) };
}

test.for([
  ["records", []],
  ["catalogue", ["inventory"]],
] as const)(
  "retain and expire send nothing to the bucket that their roles refuse, by the %s",
  async ([source, before], context) => {
    const takeStock = async () => {
      for (const name of before) {
        expect((await lab.call(name)).report).toMatchObject({ stopReason: "done" });
      }
      await lab.bucket.control?.clearRequests();
    };
    const lab = await openRetentionLab(context, openStandInBucket, SECOND_LOCKED);
    await lab.archive(2);
    const [version = { key: "", versionId: "" }] = (await lab.objects()).values();
    await lab.bucket.control?.clearRequests();

    expect((await lab.call("retain", lab.created(version))).report.counts).toEqual({ retained: 1 });
    const event = await requestsOf(lab, "RetainRole");
    expect(event.refused).toEqual([]);
    await takeStock();
    expect((await lab.call("retain")).report).toMatchObject({
      source,
      counts: { retained: 1, "up-to-date": 1 },
    });
    const retained = await requestsOf(lab, "RetainRole");
    expect(retained.refused).toEqual([]);
    expect([...event.actions, ...retained.actions]).toEqual(
      expect.arrayContaining(["s3:GetObjectVersion", "s3:PutObjectRetention", "s3:PutObjectVersionTagging"]),
    );

    await lab.age(KEEP_DAYS + 1);
    await takeStock();
    expect((await lab.call("expire")).report).toMatchObject({ source, counts: { due: 2, removed: 1 } });
    const expired = await requestsOf(lab, "ExpireRole");
    expect(expired.refused).toEqual([]);
    expect([...expired.actions]).toContain("s3:DeleteObjectVersion");
  },
);

test("inventory sends nothing to the bucket that its role refuses, whatever it finds", async (context) => {
  const lab = await openRetentionLab(context, openStandInBucket, SECOND_LOCKED);
  await lab.archive(3, { ARCHIVER_DELETE: "never" });
  const [removed, unrecorded] = [...(await lab.objects()).values()].map(({ key }) => key);
  const recordsOf = `/${unrecorded?.split("/").at(-2)}/`;
  const gone = [
    removed ?? "",
    ...(await lab.bucket.keys("records/")).filter((key) => key.includes(recordsOf)),
  ];
  for (const key of gone) {
    await lab.bucket.control?.interfere({ kind: "remove", key: lab.bucket.keyOf(key) });
  }
  const id = removed?.split("/").at(-2) ?? "";
  await lab.bucket.control?.clearRequests();

  const { report, metrics, log } = await lab.call("inventory", undefined, {
    ARCHIVER_VERIFY_WITHIN_DAYS: "1",
  });
  expect(report).toMatchObject({
    stopReason: "done",
    counts: { exports: 2, objects: 2, damaged: 1 },
    repair: { enqueued: [id], unrepaired: [] },
  });
  expect(metrics).toMatchObject({
    CatalogueExports: 2,
    CopiesDamaged: 1,
    CopiesVerified: 2,
    VerificationLimitMissed: 0,
    SystemFailures: 0,
  });
  expect(log).toContain('"kind":"missing"');
  const requests = await requestsOf(lab, "InventoryRole");
  expect(requests.refused).toEqual([]);
  expect([...requests.actions]).toEqual(
    expect.arrayContaining(["s3:GetObjectVersion", "s3:PutObject", "s3:ListBucket"]),
  );
  expect(await lab.bucket.keys("catalogue/")).toHaveLength(1);
  expect(await lab.bucket.keys("verification/")).toHaveLength(1);
});

test("retain and expire use an archive from before archive.json within their roles, and write none", async (context) => {
  const lab = await openRetentionLab(context, openStandInBucket, SECOND_LOCKED);
  await lab.archive(1);
  await lab.bucket.control?.interfere({ kind: "remove", key: lab.bucket.keyOf("archive.json") });
  await lab.bucket.control?.clearRequests();

  expect((await lab.call("retain")).report.counts).toEqual({ retained: 1 });
  const retained = await requestsOf(lab, "RetainRole");
  expect(retained.refused).toEqual([]);
  expect([...retained.actions]).toContain("s3:ListBucket");

  expect((await lab.call("expire")).report.counts).toMatchObject({ checked: 1, due: 0 });
  expect((await requestsOf(lab, "ExpireRole")).refused).toEqual([]);
  expect(await lab.bucket.keys("archive.json")).toEqual([]);
});

test("report sends nothing to the bucket that its role refuses, on a first night and on later ones", async (context) => {
  const lab = await openRetentionLab(context, openStandInBucket, SECOND_LOCKED);
  await using receiver = await Receiver.open(saying(200));
  const told = { ARCHIVER_NOTIFY: receiver.origin, ARCHIVER_EXPECT: "store:expected/nightly.json" };
  await lab.bucket.put("expected/nightly.json", { rules: [{ name: "nightly", by: "00:00" }] });
  await lab.bucket.control?.clearRequests();
  expect((await lab.call("report", undefined, told)).report).toMatchObject({
    night: { verdict: "none" },
    told: "told",
    pageKey: "reports/latest.html",
  });
  expect((await requestsOf(lab, "ReportRole")).refused).toEqual([]);

  await lab.archive(3, { ARCHIVER_DELETE: "never" });
  expect((await lab.call("inventory")).report).toMatchObject({ stopReason: "done" });
  await lab.bucket.control?.clearRequests();
  const { report, metrics } = await lab.call("report", undefined, told);
  expect(report).toMatchObject({
    night: { verdict: "ok", counts: { archived: 3 }, places: { held: 4, archived: 3 } },
    told: "told-before",
    untold: [],
  });
  expect(metrics).toMatchObject({
    ReportsMade: 1,
    NightVerdict: 0,
    TasksHeld: 4,
    TargetsUntold: 0,
    SystemFailures: 0,
  });
  const requests = await requestsOf(lab, "ReportRole");
  expect(requests.refused).toEqual([]);
  expect([...requests.actions]).toEqual(expect.arrayContaining(["s3:GetObject", "s3:PutObject"]));
  expect(receiver.received).toHaveLength(1);
  expect(await lab.bucket.keys("reports/")).toHaveLength(4);
});
