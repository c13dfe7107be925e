import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { readRequestLog, type SandboxOptions, type SandboxProcess, spawnSandbox } from "./start.ts";
import { call, download, idsOf, list } from "./testing/client.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

async function stateFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "iotda-sandbox-"));
  onTestFinished(async () => await rm(folder, { recursive: true }));
  return folder;
}

async function spawned(options: SandboxOptions): Promise<SandboxProcess> {
  const sandbox = await spawnSandbox(options);
  onTestFinished(async () => await sandbox.stop());
  return sandbox;
}

test("killed and started again, it goes on where it was", async () => {
  const folder = await stateFolder();
  const settings = { downloadIntervalMs: 24 * 3_600_000 };
  const first = await spawned({ stateFolder: folder, settings });
  const [gone, kept] = await first.control.addTasks([{ fillerBytes: 100_000 }, { fillerBytes: 100_000 }]);
  await first.control.scriptFaults({ operation: "listExportTasks", times: 2, fault: { kind: "reset" } });
  await list(first.endpoint);
  await first.control.changeSettings({ throttleStatus: 429 });
  await call(first.endpoint, { method: "DELETE", path: `/${gone?.exportTaskId}` });
  await download(first.endpoint, kept?.exportTaskId ?? "");
  const before = await first.control.state();
  const logBefore = await first.control.requests();
  await first.kill();

  const second = await spawned({ stateFolder: folder });
  expect(second.pid).not.toBe(first.pid);
  expect(await second.control.state()).toEqual(before);
  expect(await second.control.requests()).toEqual(logBefore);
  expect((await download(second.endpoint, kept?.exportTaskId ?? "")).status, "the window stands").toBe(429);
  expect(await list(second.endpoint), "one fault is left").toMatchObject({ cut: "ECONNRESET" });
  expect(idsOf(await list(second.endpoint))).toEqual([kept?.exportTaskId]);
  await second.control.changeSettings({ downloadIntervalMs: 0 });
  expect((await download(second.endpoint, kept?.exportTaskId ?? "")).body.length).toBe(kept?.sizeBytes);
});

test("killed in an answer: the request shows as lost", async () => {
  const folder = await stateFolder();
  const first = await spawned({ stateFolder: folder });
  await first.control.scriptFaults({ operation: "listExportTasks", fault: { kind: "stall" } });
  const listing = list(first.endpoint);
  await expect.poll(() => first.control.requests(), { interval: 10 }).toHaveLength(1);
  await first.kill();
  expect(await listing).toHaveProperty("cut", "ECONNRESET");
  expect(readRequestLog(folder)).toMatchObject([{ n: 1, outcome: "pending" }]);
  const second = await spawned({ stateFolder: folder });
  expect(await second.control.requests()).toMatchObject([{ n: 1, outcome: "lost" }]);
});

test("a line torn by a kill never happened", async () => {
  const folder = await stateFolder();
  const first = await spawned({ stateFolder: folder });
  const { exportTaskId } = await first.control.addTask();
  await first.kill();
  const journal = join(folder, "journal.jsonl");
  const whole = await readFile(journal, "utf8");
  await appendFile(journal, '[{"type":"task-removed","removal":{"exportTa');
  const second = await spawned({ stateFolder: folder });
  expect(idsOf(await list(second.endpoint))).toEqual([exportTaskId]);
  expect(await readFile(journal, "utf8")).toBe(whole);
});

test("ends cleanly on SIGTERM, even while a client waits, and says one line", async () => {
  const folder = await stateFolder();
  const child = spawn(process.execPath, [MAIN, "--state", folder], { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const { endpoint } = JSON.parse(line.toString()) as { endpoint: string };
  const stall = [{ operation: "listExportTasks", fault: { kind: "stall" } }];
  await fetch(`${endpoint}/__sandbox/faults`, { method: "POST", body: JSON.stringify(stall) });
  const waiting = list(endpoint);
  await expect.poll(() => readRequestLog(folder), { interval: 10 }).toHaveLength(1);
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
  await waiting;
  expect(await stderr).toBe("");
  expect((await stdout).trim().split("\n")).toHaveLength(1);
  expect(readRequestLog(folder)).toMatchObject([{ outcome: "aborted" }]);
});

test("ends when its parent does", async () => {
  const folder = await stateFolder();
  const args = [MAIN, "--state", folder, "--until-stdin-closes"];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.stdin.end();
  expect(await once(child, "exit")).toEqual([0, null]);
});

test("a configuration with a typo is refused by name", async () => {
  const folder = await stateFolder();
  const config = join(folder, "config.json");
  await writeFile(config, '{"downloadInterval": 1}');
  const child = spawn(process.execPath, [MAIN, "--state", folder, "--config", config], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said = text(child.stderr);
  const [code] = (await once(child, "exit")) as [number];
  expect(code).toBe(1);
  expect(await said).toMatch(/downloadInterval/);
  expect(await said).not.toMatch(/ at .*:\d+/);
});

test("a sandbox that cannot start says so", async () => {
  const folder = await stateFolder();
  const file = join(folder, "file");
  await writeFile(file, "");
  await expect(spawnSandbox({ stateFolder: join(file, "below") })).rejects.toThrow();
});
