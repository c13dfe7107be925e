import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { openCloudLab } from "./cloud-lab.ts";
import { finishedExports, type Lab, openLab } from "./lab.ts";

const DAY_MS = 86_400_000;
const POLICY = JSON.stringify({ schemaVersion: 1, default: { keepDays: 30, lock: "governance" } });

/** Three archived exports, of which the first two are held on the platform. */
async function openArchive(context: Parameters<typeof openLab>[0], policy = POLICY): Promise<Lab> {
  const lab = await openLab(context, { settings: { ARCHIVER_RETENTION_POLICY: policy } });
  await lab.control.addTasks(finishedExports(3));
  const added = await lab.archiver("hold", "add", "export-01", "--reason", "case 7", "--by", "ann");
  expect(added).toMatchObject({ exitCode: 0 });
  expect(await lab.archiver("hold", "add", "*-02", "--reason", "case 8")).toMatchObject({ exitCode: 0 });
  expect(await lab.archiver("run")).toMatchObject({ exitCode: 0 });
  return lab;
}

/** Makes an export look as if everything about it had happened this many days earlier. */
async function age(lab: Lab, exportTaskId: string, days: number): Promise<void> {
  const times = ["archivedAt", "downloadedAt", "deletedAt", "confirmedAt"];
  for (const key of await lab.store.keys("records")) {
    if (key.includes(`/${exportTaskId}/`) && /\/(archived|deleted)\.json$/.test(key)) {
      const record = (await lab.store.json(key)) as Record<string, unknown>;
      for (const name of times.filter((one) => typeof record[one] === "string")) {
        record[name] = new Date(Date.parse(String(record[name])) - days * DAY_MS).toISOString();
      }
      await writeFile(join(lab.store.path, key), JSON.stringify(record));
    }
  }
}

async function objectPath(lab: Lab, exportTaskId: string): Promise<string> {
  const key = (await lab.store.keys("exports")).find((one) => one.includes(`/${exportTaskId}/`));
  return join(lab.store.path, key ?? "missing");
}

describe("on one machine", () => {
  test("holds keep, plan tells, sweep records, expire removes what is over and nothing else", async (context) => {
    const lab = await openArchive(context);
    const listed = await lab.archiverJson("hold", "list");
    expect(listed.document).toMatchObject({
      holds: [
        { pattern: "export-01", record: { reason: "case 7", by: "ann" } },
        { pattern: "*-02", record: { reason: "case 8" } },
      ],
    });
    const onPlatform = (await lab.control.state()).tasks.map(({ exportTaskId }) => exportTaskId);
    expect(onPlatform.sort()).toEqual(["export-01", "export-02"]);
    expect(await lab.store.keys("exports")).toHaveLength(3);

    const sweep = await lab.archiver("retention", "sweep");
    expect(sweep).toMatchObject({ exitCode: 0 });
    expect(sweep.stdout).toContain("retained 3");
    expect(sweep.stdout).toContain("This store has no locks and no tags");
    for (const id of ["export-01", "export-02", "export-03"]) {
      await age(lab, id, 31);
    }
    // What the records promised before they were aged stands until the next sweep.
    expect((await lab.archiver("retention", "expire")).stdout).toContain("0 due, 0 removed");
    await lab.archiver("retention", "sweep");

    const plan = await lab.archiverJson("retention", "plan");
    expect(plan.document).toMatchObject({
      entries: [
        { exportTaskId: "export-01", rule: "default", expire: "not-deleted" },
        { exportTaskId: "export-02", expire: "not-deleted" },
        { exportTaskId: "export-03", lock: "governance", sweep: "nothing", expire: "remove" },
      ],
    });
    const shown = (await lab.archiver("retention")).stdout;
    expect(shown).toMatch(/export-03.*none: no locks on this store.*REMOVE/);
    expect(shown).not.toContain("governance");
    const expired = await lab.archiver("retention", "expire");
    expect(expired).toMatchObject({ exitCode: 0 });
    expect(expired.stdout).toMatch(/export-03: removed/);
    const left = await lab.store.keys("exports");
    expect(left).toHaveLength(2);
    expect(left.join()).not.toContain("export-03");
    expect((await lab.store.keys("records")).filter((key) => key.endsWith("expired.json"))).toHaveLength(1);

    const lifted = await lab.archiver("hold", "remove", "*-02", "--reason", "closed", "--by", "bob");
    expect(lifted).toMatchObject({ exitCode: 0 });
    expect(await lab.store.keys("holds/lifted")).toHaveLength(1);
    expect(await lab.archiver("hold", "remove", "*-02", "--reason", "again")).toMatchObject({ exitCode: 1 });
    // What was enqueued less than six hours ago is not enqueued again, unless this hint is gone.
    await rm(join(lab.store.path, "state", "discovered.json"));
    await lab.archiver("run");
    const still = (await lab.control.state()).tasks.map(({ exportTaskId }) => exportTaskId);
    expect(still).toEqual(["export-01"]);
  });

  test("verify finds damage, restore gives back what is proved and nothing else", async (context) => {
    const lab = await openArchive(context);
    expect(await lab.archiver("verify", "--all")).toMatchObject({ exitCode: 0 });
    const sound = await objectPath(lab, "export-01");
    const damaged = await objectPath(lab, "export-02");
    const before = await lab.store.keys("");
    const bytes = await readFile(damaged);
    await writeFile(damaged, bytes.fill(7, 100, 120));
    const verified = await lab.archiverJson("verify", "--all");
    expect(verified).toMatchObject({
      exitCode: 3,
      document: {
        counts: { recorded: 3, checked: 3, intact: 2, damaged: 1, failed: 0 },
        damage: [{ exportTaskId: "export-02", damage: "damaged" }],
      },
    });
    expect((await lab.archiverJson("verify", "--sample", "1%")).document).toMatchObject({
      counts: { checked: 1 },
    });
    expect(await lab.store.keys("")).toEqual(before);

    const to = join(lab.folder, "back.zip");
    const restored = await lab.archiver("restore", "export-01", "--to", to);
    expect(restored).toMatchObject({ exitCode: 0 });
    expect((await readFile(to)).equals(await readFile(sound))).toBe(true);
    const taken = await lab.archiver("restore", "export-03", "--to", to);
    expect(taken).toMatchObject({ exitCode: 1 });
    expect(taken.stderr).toContain("already");
    expect((await readFile(to)).equals(await readFile(sound))).toBe(true);

    const longest = join(lab.folder, "n".repeat(255));
    expect(await lab.archiver("restore", "export-03", "--to", longest)).toMatchObject({ exitCode: 0 });
    const inside = await lab.archiver(
      "restore",
      "export-03",
      "--to",
      join(lab.store.path, "exports", "back.zip"),
    );
    expect(inside).toMatchObject({ exitCode: 1 });
    expect(inside.stderr).toContain("inside the archive's own store");
    expect(await lab.store.keys("")).toEqual(before);

    const worthless = join(lab.folder, "worthless.zip");
    const refused = await lab.archiver("restore", "export-02", "--to", worthless);
    expect(refused).toMatchObject({ exitCode: 1 });
    expect(refused.stderr).toContain("differs from its record");
    await expect(readFile(worthless)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await lab.archiver("restore", "export-09", "--to", worthless)).toMatchObject({ exitCode: 1 });
  });

  test("a policy with a slip is refused with what was meant, and nothing is done", async (context) => {
    const slip = JSON.stringify({ schemaVersion: 1, default: { keepDay: 30, lock: "none" } });
    const lab = await openLab(context, { settings: { ARCHIVER_RETENTION_POLICY: slip } });
    const refused = await lab.archiver("retention", "plan");
    expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
    expect(refused.stderr).toContain("did you mean keepDays?");
    await lab.writeSettings({ ARCHIVER_RETENTION_POLICY: undefined });
    const missing = await lab.archiver("retention", "expire");
    expect(missing).toMatchObject({ exitCode: 2 });
    expect(missing.stderr).toContain("ARCHIVER_RETENTION_POLICY");
    expect(await lab.archiver("hold", "add", "a/b", "--reason", "x")).toMatchObject({ exitCode: 2 });
    expect(await lab.archiver("hold", "add", "export-01")).toMatchObject({ exitCode: 2 });
  });

  test.for(["file", "store"])("the policy may lie in a %s", async (where, context) => {
    const lab = await openLab(context);
    const file = join(where === "file" ? lab.folder : lab.store.path, "policy.json");
    const place = where === "file" ? pathToFileURL(file).href : "store:policy.json";
    await lab.writeSettings({ ARCHIVER_RETENTION_POLICY: place });
    await lab.archiver("status"); // makes the store's folder
    const missing = await lab.archiver("retention", "sweep");
    expect(missing).toMatchObject({ exitCode: 2 });
    expect(missing.stderr).toContain("ARCHIVER_RETENTION_POLICY");
    await writeFile(file, POLICY);
    expect(await lab.archiver("retention", "sweep")).toMatchObject({ exitCode: 0 });
  });
});

test("on S3 with object lock an archived export is locked and tagged by the sweep, once", async (context) => {
  const lab = await openCloudLab(context, {
    intervalMs: 800,
    s3: { profile: "aws", settings: { buckets: [{ name: "locked", versioning: true, objectLock: {} }] } },
    storeProfile: "aws",
    settings: { ARCHIVER_STORE: "s3://locked/nightly", ARCHIVER_RETENTION_POLICY: POLICY },
  });
  await lab.control.addTasks(finishedExports(2));
  expect(await lab.archiver("run")).toMatchObject({ exitCode: 0 });
  for (let sweep = 0; sweep < 2; sweep += 1) {
    expect(await lab.archiver("retention", "sweep")).toMatchObject({ exitCode: 0 });
  }
  const { objects } = await lab.bucket.server.control.state();
  const exports = objects.filter(({ key }) => key.startsWith("nightly/exports/"));
  expect(exports.map(({ retention }) => retention?.mode)).toEqual(["GOVERNANCE", "GOVERNANCE"]);
  const others = objects.filter(({ key }) => !key.startsWith("nightly/exports/"));
  expect(others.filter(({ retention }) => retention !== undefined)).toEqual([]);
  const requests = await lab.bucket.server.control.requests();
  const count = (name: string) => requests.filter(({ operation }) => operation === name).length;
  expect([count("PutObjectRetention"), count("PutObjectTagging")]).toEqual([2, 2]);
});
