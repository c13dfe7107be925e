import { expect, type TestContext, test } from "vitest";
import { type CloudLab, openCloudLab } from "../end-to-end/cloud-lab.ts";
import type { Examined } from "../end-to-end/doctor-lab.ts";
import { callFresh } from "../end-to-end/function-host.ts";
import { finishedExports } from "../end-to-end/lab.ts";
import { ACTIONS_OF_COMMANDS } from "./actions.ts";
import { mayInBucket } from "./grants.ts";

const INTERVAL_MS = 300;

/**
 * Small exports and one of several parts, a failed one, and a completion whose answer is lost. The command line does
 * what the functions do, with the same code.
 */
async function openNight(context: TestContext): Promise<CloudLab> {
  const lab = await openCloudLab(context, {
    intervalMs: INTERVAL_MS,
    s3: { profile: "aws" },
    storeProfile: "aws",
  });
  const [small, large] = finishedExports(2);
  await lab.control.addTasks([
    { ...small, exportTaskId: "small" },
    { ...large, exportTaskId: "large", fillerBytes: 12_000_000 },
    { exportTaskId: "failed", condition: { task_id: "failed" }, status: "Failed" },
  ]);
  const inExports = { keyPrefix: lab.bucket.keyOf("exports/") };
  await lab.bucket.server.control.scriptFaults(
    { operation: "CompleteMultipartUpload", ...inExports, fault: { kind: "answer-lost" } },
    { operation: "UploadPart", ...inExports, fault: { kind: "reset", afterBytes: 1_000 } },
  );
  // The lab's own: it made the archive.
  await lab.bucket.server.control.clearRequests();
  return lab;
}

/** A batch task's push, from the queue, taken by the built function: it has no key of the platform. */
async function takeEvent(lab: CloudLab): Promise<unknown> {
  const { HUAWEICLOUD_SDK_AK: _ak, HUAWEICLOUD_SDK_SK: _sk, ...settings } = lab.settings;
  const body = JSON.stringify({
    resource: "batchtask",
    event: "update",
    event_time: "20261124T120000Z",
    notify_data: { body: { task_id: "batch-77", task_type: "softwareUpgrade", status: "Success" } },
  });
  const event = { Records: [{ eventSource: "aws:sqs", messageId: "m", body }] };
  const { returned } = await callFresh({ ...settings, ...lab.awsKeys }, "exportEvents", { event });
  return returned;
}

const TAKEN = { batchItemFailures: [] };
const TO_COME_AGAIN = { batchItemFailures: [{ itemIdentifier: "m" }] };

/** A place as a new stack has it: nothing is in the bucket, and nothing is deleted. */
async function openFirstNight(context: TestContext): Promise<CloudLab> {
  return await openCloudLab(context, {
    intervalMs: INTERVAL_MS,
    s3: { profile: "aws" },
    storeProfile: "aws",
    settings: { ARCHIVER_DELETE: "never" },
    begun: false,
  });
}

/** What was sent to the bucket since the last look, and the role may not; with the operations seen. */
async function requestsOf(lab: CloudLab, role: string) {
  const { control } = lab.bucket.server;
  const requests = await control.requests();
  await control.clearRequests();
  const below = (key: string) => key.slice(lab.bucket.keyOf("").length);
  const refused = requests
    .map(({ operation, key, query }) => {
      const on = key === undefined ? { prefix: below(query.prefix ?? "") } : { key: below(key) };
      return { action: ACTIONS_OF_COMMANDS[`${operation}Command`] ?? operation, on };
    })
    .filter(({ action, on }) => !mayInBucket(role, action, on))
    .map(({ action, on }) => `${action} on ${JSON.stringify(on)}`);
  return { refused, operations: new Set(requests.map(({ operation }) => operation as string)) };
}

test.each<[role: string, kinds: readonly string[]]>([
  ["ArchiveRole", ["archived", "deleted", "dead-letter"]],
  ["RetainRole", ["retained"]],
  ["ExpireRole", ["deleted", "expired"]],
  ["InventoryRole", []],
  ["ReportRole", []],
  ["DoctorRole", []],
  ["DiscoverRole", []],
  ["ExportEventsRole", []],
])("%s writes no other records than its function makes: %j", (role, kinds) => {
  const written = ["archived", "deleted", "dead-letter", "retained", "expired"].filter((kind) =>
    ["", "-2", "-9999"].every((number) =>
      mayInBucket(role, "s3:PutObject", { key: `records/p/default/task-1/0a1b2c3d/${kind}${number}.json` }),
    ),
  );
  expect(written).toEqual(kinds);
});

test("exportEvents, discover and archive send nothing to the bucket that their roles refuse", async (context) => {
  const lab = await openNight(context);

  expect(await takeEvent(lab)).toEqual(TAKEN);
  const taken = await requestsOf(lab, "ExportEventsRole");
  expect(taken.operations).toContain("PutObject");
  expect(taken.refused).toEqual([]);

  await lab.archiver("discover", "--json");
  const discovered = await requestsOf(lab, "DiscoverRole");
  expect(discovered.operations).toContain("PutObject");
  expect(discovered.refused).toEqual([]);
  expect(await lab.bucket.keys("requests/")).toHaveLength(3);

  await lab.archiver("archive", "--json");
  const archived = await requestsOf(lab, "ArchiveRole");
  expect([...archived.operations]).toEqual(
    expect.arrayContaining([
      "HeadObject",
      "GetObject",
      "PutObject",
      "UploadPart",
      "CompleteMultipartUpload",
      "ListObjectsV2",
      "ListMultipartUploads",
    ]),
  );
  expect(archived.refused).toEqual([]);
  expect(await lab.bucket.keys("records/")).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/\/small\/\w+\/deleted\.json$/),
      expect.stringMatching(/\/large\/\w+\/deleted\.json$/),
      expect.stringMatching(/\/failed\/\w+\/dead-letter\.json$/),
    ]),
  );
});

test.for([
  ["discover", "DiscoverRole"],
  ["archive", "ArchiveRole"],
] as const)(
  "%s begins an archive with what %s allows, and exportEvents begins none",
  async ([command, role], context) => {
    const lab = await openFirstNight(context);
    expect(await takeEvent(lab)).toEqual(TO_COME_AGAIN);
    expect((await requestsOf(lab, "ExportEventsRole")).refused).toEqual([]);
    expect(await lab.bucket.keys("")).toEqual([]);

    expect((await lab.archiver(command, "--json")).stderr).toContain(
      "The program created a new archive here",
    );
    expect((await requestsOf(lab, role)).refused).toEqual([]);
    expect(await lab.bucket.keys("")).toEqual(expect.arrayContaining(["archive.json", "state/store.json"]));

    expect(await takeEvent(lab)).toEqual(TAKEN);
    expect((await requestsOf(lab, "ExportEventsRole")).refused).toEqual([]);
  },
);

test.for([
  ["discover", "DiscoverRole"],
  ["archive", "ArchiveRole"],
] as const)(
  "an archive from before archive.json is used by exportEvents and taken over by %s",
  async ([command, role], context) => {
    const lab = await openFirstNight(context);
    await lab.control.addTasks(finishedExports(1));
    await lab.archiver("discover");
    await lab.archiver("archive");
    const marker = { kind: "remove", key: lab.bucket.keyOf("archive.json") } as const;
    await lab.bucket.server.control.interfere(marker);
    await requestsOf(lab, role);

    expect(await takeEvent(lab)).toEqual(TAKEN);
    expect(await requestsOf(lab, "ExportEventsRole")).toMatchObject({ refused: [] });
    expect(await lab.bucket.keys("archive.json")).toEqual([]);

    expect((await lab.archiver(command, "--json")).stderr).toContain("took over an archive");
    expect((await requestsOf(lab, role)).refused).toEqual([]);
    expect(await lab.bucket.keys("archive.json")).toHaveLength(1);
  },
);

function failedChecks(examined: unknown): readonly string[] {
  const { checks } = examined as Examined;
  return checks.filter(({ status }) => status === "hurts" || status === "broken").map(({ id }) => id);
}

test("doctor asks the bucket nothing that its role refuses, and writes nothing, before the first night and after one", async (context) => {
  const first = await openFirstNight(context);
  const night = await openNight(context);
  await night.archiver("run");
  await night.archiver("inventory");
  for (const lab of [first, night]) {
    await requestsOf(lab, "DoctorRole");
    const before = await lab.bucket.server.control.state();
    const { returned } = await callFresh({ ...lab.settings, ...lab.awsKeys }, "doctor");
    expect(returned).toMatchObject({ left: [], verdict: "hurts" });
    // The letters are kept for four days only, and one export of the night became one.
    const hurting = lab === first ? ["queue-letters-kept"] : ["queue-dead-letters", "queue-letters-kept"];
    expect(failedChecks(returned)).toEqual(hurting);
    const { refused, operations } = await requestsOf(lab, "DoctorRole");
    expect(refused).toEqual([]);
    expect(operations).toContain(lab === first ? "ListObjectsV2" : "GetBucketLifecycleConfiguration");
    expect(await lab.bucket.server.control.state()).toEqual(before);
  }
});

test.each([
  ["ArchiveRole", true],
  ["DiscoverRole", true],
  ["RetainRole", false],
  ["ExpireRole", false],
  ["InventoryRole", false],
  ["ReportRole", false],
  ["DoctorRole", false],
  ["ExportEventsRole", false],
])("%s may see which archive it is; may say it: %s", (role, mayWrite) => {
  const onMarker = (action: string) => mayInBucket(role, action, { key: "archive.json" });
  expect([onMarker("s3:GetObject"), onMarker("s3:PutObject")]).toEqual([true, mayWrite]);
});
