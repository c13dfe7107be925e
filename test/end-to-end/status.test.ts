import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { failedStatusSchema } from "./documents.ts";
import { finishedExports, type Lab, openLab } from "./lab.ts";

/** No server listens at port 1. */
const NO_PLATFORM = { ARCHIVER_IOTDA_ENDPOINT: "http://127.0.0.1:1" };
const PLATFORM = { held: 2, limit: 50, byStatus: { Success: 2 } };
const QUEUE = { ready: 1, delayed: 0, inFlight: 0, deadLetters: 0 };

/** Two exports on the platform, a message in the queue and an open request in the store. */
async function openBusyLab(context: Parameters<typeof openLab>[0]): Promise<Lab> {
  const lab = await openLab(context);
  await lab.control.addTasks(finishedExports(2));
  expect(await lab.archiver("request", "batch-09")).toMatchObject({ exitCode: 0 });
  lab.queue.put("export-01");
  return lab;
}

/** Both forms of a status that failed. */
async function failedStatus(lab: Lab) {
  const json = await lab.archiverJson("status");
  expect(json.exitCode, json.stderr).toBe(1);
  const forPeople = await lab.archiver("status");
  expect(forPeople).toMatchObject({ exitCode: 1, stderr: "" });
  return { document: v.parse(failedStatusSchema, json.document), lines: forPeople.stdout };
}

describe.concurrent("status shows all it can know", () => {
  test("without the platform", async (context) => {
    const lab = await openBusyLab(context);
    await lab.writeSettings(NO_PLATFORM);
    const { document, lines } = await failedStatus(lab);
    expect(document).toMatchObject({
      platform: null,
      queue: QUEUE,
      requests: { open: 1, requests: [{ batchTaskId: "batch-09", reason: "platform-not-seen" }] },
      failures: { platform: { code: "platform-unreachable", hint: expect.stringContaining("endpoint") } },
    });
    expect(lines).toMatch(/^Platform: no usable answer: .+\n {2}.+\nQueue: 1 ready/m);
    expect(lines).toMatch(/\nOpen export requests: 1 batch task\n/);
  });

  test("at a place that is not the archive", async (context) => {
    const lab = await openBusyLab(context);
    await rm(join(lab.store.path, "archive.json"));
    const before = await lab.store.keys("");
    const { document, lines } = await failedStatus(lab);
    expect(document).toMatchObject({
      platform: { ...PLATFORM, archived: null },
      queue: QUEUE,
      nextSlotAt: null,
      requests: null,
      failures: { store: { code: "no-archive" } },
      failure: { code: "no-archive" },
    });
    expect(lines).toMatch(/^Platform: 2 of 50 export slots used[\s\S]*\nQueue: 1 ready/m);
    expect(lines).toMatch(/\nStore: not usable: there is no archive at this place.*\n {2}The disk/);
    expect(lines).not.toMatch(/\b0 archived|no run has taken/);
    expect(await lab.store.keys("")).toEqual(before);
  });

  test("and makes no queue for such a place", async (context) => {
    const lab = await openBusyLab(context);
    await lab.writeSettings({
      ARCHIVER_QUEUE: `sqlite://${lab.folder}/new.db`,
      ARCHIVER_STORE: `file://${lab.folder}/elsewhere`,
    });
    const { document, lines } = await failedStatus(lab);
    expect(document).toMatchObject({ queue: null, failure: { code: "no-archive" } });
    expect(document.failures).not.toHaveProperty("queue");
    expect(lines).toContain("\nQueue: it does not exist yet\n");
    await expect(rm(join(lab.folder, "new.db"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("with a queue file that is damaged, which is what remembers the archive", async (context) => {
    const lab = await openBusyLab(context);
    for (const suffix of ["-wal", "-shm"]) {
      await rm(`${lab.queue.path}${suffix}`, { force: true });
    }
    await writeFile(lab.queue.path, "this was a database once ".repeat(1_000));
    const { document, lines } = await failedStatus(lab);
    expect(document).toMatchObject({
      platform: { ...PLATFORM, archived: null },
      queue: null,
      nextSlotAt: null,
      requests: null,
      failures: { store: { code: "queue-misconfigured" }, queue: { code: "queue-misconfigured" } },
    });
    expect(lines).toMatch(/\nQueue: no usable answer: .*damaged/);
    expect(lines).toContain("\nStore: not usable, for the same reason\n");
  });
});
