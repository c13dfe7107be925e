import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { HoldsReader } from "../../lib/records/holds.ts";
import { Records } from "../../lib/records/records.ts";
import { RetentionRecords } from "../../lib/records/retention-records.ts";
import { isNamedByReport } from "../../lib/records/run-report.ts";
import { FOLDER, ID, REVISION, recordOf } from "../../lib/records/testing/archived-record.ts";
import { type S3StandIn, startS3 } from "../../sandbox/s3/start.ts";
import { newPrefix, storeOn } from "./s3-servers.ts";
import { collect } from "./store-helpers.ts";

const { signal } = new AbortController();
const ALWAYS = { kind: "always" } as const;
const SCOPE = { projectId: "project-1", instanceId: undefined };
const DAY_MS = Date.UTC(2026, 10, 22);

let server: S3StandIn;
beforeAll(async () => {
  server = await startS3();
});
afterAll(() => server.stop());

test.each([
  ["a folder marker", `${FOLDER}`],
  ["a folder marker in a record's place", `${FOLDER}${REVISION}/archived-2.json/`],
  ["a way up", `${FOLDER}../${ID}/${REVISION}/archived-2.json`],
  ["an empty segment", `${FOLDER}/${REVISION}/archived-2.json`],
  ["control characters", `${FOLDER}${REVISION}/\u0007\u001b[31m.json`],
  ["a text that turns around", `${FOLDER}${REVISION}/\u202e.json`],
  ["as many bytes as S3 takes", `${FOLDER}${"x".repeat(900)}`],
  ["what a URL would read otherwise", `${FOLDER}${REVISION}/a%2Fb?c=d#e+f&g.json`],
])("%s among the records of a task leaves its other records as they are", async (_which, key) => {
  const store = storeOn(server, { profile: "aws", prefix: newPrefix() });
  const records = new Records(store, SCOPE, { createOnce: true });
  const record = recordOf("000001");
  await records.writeArchived(record, 1, { signal });
  await store.putDocument(key, "", ALWAYS, { signal });
  await store.putDocument(key.replace(FOLDER, "runs/2026/11/22/"), "", ALWAYS, { signal });
  expect((await collect(store.list("", { signal }))).map((object) => object.key)).toContain(key);
  const { revisions } = await records.ofTask(ID, { signal });
  expect(revisions.get(REVISION)?.archived).toEqual(record);
  const retention = new RetentionRecords(store, SCOPE, { createOnce: true });
  const [revision, ...more] = await retention.revisions({ signal });
  expect(more).toEqual([]);
  expect(revision && (await retention.read(revision, { signal })).archived).toEqual([record]);
  expect((await new HoldsReader(store).read({ signal })).isHeld(ID)).toBe(false);
  expect(await isNamedByReport(store, ID, DAY_MS, DAY_MS + 1, { signal })).toBe(false);
  store.close();
});

test.each([
  ["aws", { kind: "status", status: 404, code: "NoSuchKey" }],
  ["obs", { kind: "status", status: 404, code: "NoSuchTenant" }],
  ["generic", { kind: "status", status: 404, code: "NotFound" }],
] as const)("a hold that is listed and answers 404 on profile %s holds", async (profile, fault) => {
  const store = storeOn(server, { profile, prefix: newPrefix() });
  onTestFinished(() => store.close());
  await store.putDocument(`holds/${ID}.json`, "{}", ALWAYS, { signal });
  await server.control.scriptFaults({ operation: "GetObject", times: 1, fault });
  const holds = await new HoldsReader(store).read({ signal });
  expect([holds.isHeld(ID), holds.isHeld("other")]).toEqual([true, false]);
});
