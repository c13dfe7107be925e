import { readFileSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { type AgencyKeys, type FunctionInput, startFunctionGraph } from "./start.ts";

/** A function that does what its event says. */
const PROGRAM = `
const base = "http://" + process.env.RUNTIME_API_ADDR + "/v1/runtime/invocation/";
setInterval(() => {}, 60_000);
for (let calls = 1; ; calls += 1) {
  const given = await fetch(base + "request");
  const id = given.headers.get("x-cff-request-id");
  const text = await given.text();
  const event = text.startsWith("{") ? JSON.parse(text).user_event ?? JSON.parse(text).resource : text;
  console.log("event " + event);
  if (event === "exit") process.exit(1);
  if (event === "hang") await new Promise(() => {});
  const path = event === "fail" ? "error/" : "response/";
  const body = event === "environment" ? Object.keys(process.env).sort().join()
    : event === "settings" ? process.env.RUNTIME_USERDATA
    : event === "keys" ? given.headers.get("x-cff-security-token")
    : event + " " + calls;
  await fetch(base + path + id, { method: "POST", body });
}`;

/** A stand-in with one function. @returns also the keys that the agency let in, each time. */
async function deploy(settings: Partial<FunctionInput> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "functiongraph-test-"));
  await writeFile(join(folder, "bootstrap"), `#!/bin/sh\nexec ${process.execPath} main.mjs\n`);
  await chmod(join(folder, "bootstrap"), 0o755);
  await writeFile(join(folder, "main.mjs"), PROGRAM);
  const told: (readonly AgencyKeys[])[] = [];
  const graph = await startFunctionGraph({
    code: { folder },
    tellKeys: async (valid) => void told.push(valid),
  });
  onTestFinished(async () => {
    await graph.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const deployed = graph.deploy({ name: "test", handler: "test.handler", timeoutSeconds: 600, ...settings });
  return { deployed, graph, told };
}

test("one process serves one invocation after the other, frozen between them", async () => {
  const { deployed } = await deploy();
  expect(await deployed.test("hello")).toMatchObject({ outcome: "succeeded", body: "hello 1" });
  const [{ pid, coldStartMs = 0, peakBytes } = {}] = deployed.instances.map((instance) => ({ ...instance }));
  await vi.waitFor(() => expect(readFileSync(`/proc/${pid}/stat`, "utf8")).toMatch(/^\d+ \([^)]*\) T /));
  expect(await deployed.test("hello")).toMatchObject({ outcome: "succeeded", body: "hello 2" });
  expect(deployed.instances).toHaveLength(1);
  expect(coldStartMs).toBeGreaterThan(0);
  expect(peakBytes).toBeGreaterThan(10_000_000);
  expect(deployed.log).toContain("event hello\n");
});

test("a process finds in its environment what is documented, settings as user data, and nothing else", async () => {
  const { deployed } = await deploy({ userData: { A: "1" }, encryptedUserData: { B: "2" } });
  const names = (await deployed.test("environment")).body
    .split(",")
    .filter((name) => !/^(PWD|OLDPWD|SHLVL|_)$/.test(name));
  expect(names.filter((name) => !name.startsWith("RUNTIME_"))).toEqual(["PATH"]);
  expect((await deployed.test("settings")).body).toBe('{"A":"1","B":"2"}');
});

test("settings of more than 4,096 characters are not taken", async () => {
  await expect(deploy({ userData: { A: "x".repeat(4_096) } })).rejects.toThrow("4096 characters");
});

test("each invocation has the agency's keys of the moment; those before work on until they expire", async () => {
  const { deployed, graph, told } = await deploy();
  const first = await graph.agency.current();
  expect((await deployed.test("keys")).body).toBe(first.securityToken);
  const second = await graph.agency.rotate();
  expect((await deployed.test("keys")).body).toBe(second.securityToken);
  const third = await graph.agency.rotate({ expired: true });
  expect(told).toEqual([[first], [first, second], [third]]);
});

test("a function without an agency gets no keys", async () => {
  const { deployed } = await deploy({ hasAgency: false });
  expect((await deployed.test("keys")).outcome).toBe("succeeded");
  expect((await deployed.test("keys")).body).toBe("");
});

test("what comes while all instances are busy is discarded, and only the notice tells", async () => {
  const { deployed } = await deploy({ maxInstances: 1 });
  const hanging = deployed.fireTimer("hang");
  await vi.waitFor(() => expect(deployed.log).toContain("event hang"));
  expect(await deployed.fireTimer("hello")).toMatchObject({ outcome: "discarded" });
  expect(deployed.log).not.toContain("hello");
  expect(await deployed.killBusy()).toBe(1);
  expect(await hanging).toMatchObject({ outcome: "died" });
  expect(deployed.notices).toMatchObject([
    {
      function_error: "there are as many instances as there may be",
      payload: expect.stringContaining("hello"),
    },
    { function_error: "the process ended", payload: expect.stringContaining("TIMER") },
  ]);
});

test("an invocation over its time-out is killed, and the next one has a fresh process", async () => {
  const { deployed } = await deploy({ timeoutSeconds: 1, maxInstances: 1 });
  expect(await deployed.fireTimer("hang")).toMatchObject({ outcome: "timed-out" });
  expect(await deployed.test("hello")).toMatchObject({ outcome: "succeeded", body: "hello 1" });
  expect(deployed.instances.map(({ isAlive }) => isAlive)).toEqual([false, true]);
});

test.each([
  ["fail", "failed", 1],
  ["exit", "died", 4],
] as const)(
  "an asynchronous call that ends by %s is repeated as often as its settings say",
  async (event, outcome, processes) => {
    const { deployed } = await deploy({ retries: 3 });
    await deployed.fireTimer(event);
    expect(deployed.invocations.map((one) => one.outcome)).toEqual(Array(4).fill(outcome));
    expect(deployed.instances).toHaveLength(processes);
    expect(deployed.notices).toHaveLength(1);
  },
);

test("data forwarding hands the push over as it is", async () => {
  const { deployed } = await deploy();
  expect(await deployed.forwardBatchTask({ taskId: "batch-1" })).toMatchObject({ body: "batchtask 1" });
});
