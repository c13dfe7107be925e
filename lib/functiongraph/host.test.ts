import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AgencyKeys } from "../config/agency-keys.ts";
import { ArchiverError } from "../domain/errors.ts";
import type { FunctionWork, Invocation } from "../hosted/function-host.ts";
import type { Host } from "./host.ts";
import { serveNext } from "./host.ts";
import type { RuntimeInvocation } from "./runtime-api.ts";

const KEYS = {
  accessKeyId: "AGENCYAK000000000001",
  secretAccessKey: "agencySecret0000000000000000000000000001",
  securityToken: "agencyToken.0001==",
};
const TIMEOUT_MS = 3_600_000;
const FAILURE = { code: "no-archive", message: "no archive is there", hint: "Look at ARCHIVER_STORE." };

const lines: string[] = [];
beforeEach(() => {
  lines.length = 0;
  const keep = (text: unknown): boolean => lines.push(String(text)) > 0;
  vi.spyOn(process.stdout, "write").mockImplementation(keep);
  vi.spyOn(process.stderr, "write").mockImplementation(keep);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

interface Scene {
  readonly invocation?: Partial<RuntimeInvocation>;
  readonly work: FunctionWork<unknown>["work"];
  readonly tell?: Host["api"]["tell"];
}

/** Serves one invocation; what was told and warned of, in order. */
async function serve({ invocation, work, tell = async () => undefined }: Scene) {
  const happened: unknown[] = [];
  await serveNext({
    api: {
      next: async () => ({ requestId: "request-1", keys: KEYS, body: "{}", ...invocation }),
      async tell(outcome, requestId, body) {
        happened.push({ outcome, requestId, body: JSON.parse(body) });
        await tell(outcome, requestId, body);
      },
    },
    work: { work, failed: (failure) => ({ failure }) },
    timeoutMs: TIMEOUT_MS,
    agencyKeys: new AgencyKeys(),
    log: { warn: (message, fields) => happened.push({ message, ...fields }) },
    clock: { monotonicMs: () => 0 },
  });
  return happened;
}

const done = async () => ({ report: { runId: "run-1" }, metrics: { TasksHeld: 1 } });

test("an invocation is answered with the report, once the function has the keys; no metrics are written", async () => {
  const got: Partial<Invocation>[] = [];
  const happened = await serve({
    invocation: { body: '{"trigger_type":"TIMER","user_event":"{\\"when\\":\\"pressure\\"}"}' },
    async work(invocation) {
      got.push(invocation);
      const key = invocation.agencyKeys?.current().accessKeyId.reveal();
      expect(key).toBe(KEYS.accessKeyId);
      invocation.log.info("at work", { key });
      return await done();
    },
  });
  expect(happened).toEqual([{ outcome: "response", requestId: "request-1", body: { runId: "run-1" } }]);
  // One second of it for the way there and back, one for closing.
  expect(got).toMatchObject([{ event: { when: "pressure" }, limitMs: TIMEOUT_MS - 2_000 }]);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    {
      level: "INFO",
      message: "at work",
      requestId: "request-1",
      service: "iotda-archiver",
      key: "[redacted]",
    },
  ]);
});

test("a failure of the system makes the invocation fail, once it is logged", async () => {
  const logged: number[] = [];
  const happened = await serve({
    work: async () => ({ report: { runId: "run-1", failure: FAILURE }, failure: FAILURE, metrics: {} }),
    tell: async () => void logged.push(lines.length),
  });
  expect(happened[0]).toEqual({
    outcome: "error",
    requestId: "request-1",
    body: { errorType: FAILURE.code, errorMessage: FAILURE.message, hint: FAILURE.hint },
  });
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    level: "ERROR",
    message: "system-failure",
    failure: FAILURE,
  });
  expect(logged, "lines before it was told").toEqual([1]);
});

test("what is thrown makes it fail too, and no secret of the environment is in what is told", async () => {
  vi.stubEnv("HUAWEICLOUD_SDK_SK", "plantedSecretKey0123456789");
  const message = "refused plantedSecretKey0123456789";
  const facts = { scope: "system", retry: "never", hint: "Mend it." } as const;
  const happened = await serve({
    work: () => Promise.reject(new ArchiverError("it-failed", message, facts)),
  });
  expect(happened[0]).toMatchObject({
    outcome: "error",
    body: { errorType: "it-failed", errorMessage: "refused [redacted]" },
  });
});

test.each([
  ["not JSON", "is not JSON"],
  [undefined, "is larger than 6.00 MiB"],
])("a body that is %j does not reach the function", async (body, problem) => {
  const happened = await serve({ invocation: { body }, work: () => Promise.reject(new Error("reached")) });
  expect(happened[0]).toMatchObject({
    outcome: "error",
    body: { errorType: "unknown-event", errorMessage: expect.stringContaining(problem) },
  });
});

test("a report that is too large for an answer is left out", async () => {
  const happened = await serve({ work: async () => ({ report: "x".repeat(7_000_000), metrics: {} }) });
  expect(happened[0]).toMatchObject({ outcome: "response", body: { omitted: "a report of 6.68 MiB" } });
});

test("an answer that is not taken is logged, and the process goes on", async () => {
  const error = new Error("lost");
  const happened = await serve({ work: done, tell: () => Promise.reject(error) });
  expect(happened.at(-1)).toEqual({ message: "answer-not-taken", requestId: "request-1", error });
});
