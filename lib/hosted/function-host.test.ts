import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AgencyKeys } from "../config/agency-keys.ts";
import { ArchiverError } from "../domain/errors.ts";
import { type Invocation, lambdaHandler } from "./function-host.ts";

const FAILURE = { code: "it-failed", message: "it failed", hint: "Mend it." };

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

function handlerOf(work: (invocation: Invocation) => Promise<{ report: string; failure?: typeof FAILURE }>) {
  return lambdaHandler<string>({
    work: async (invocation) => ({ metrics: { TasksHeld: 1 }, ...(await work(invocation)) }),
    failed: ({ code, hint }) => `failed: ${code}: ${hint}`,
  });
}

/** A host that counts on its own object, as classes do. */
class Host {
  readonly awsRequestId = "request-1";
  readonly #leftMs: number;

  constructor(leftMs: number) {
    this.#leftMs = leftMs;
  }

  getRemainingTimeInMillis(): number {
    return this.#leftMs;
  }
}

function said(): Record<string, unknown>[] {
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("a call gets the event, the time less one second, and what hosts give", async () => {
  const handler = handlerOf(async ({ event, limitMs, signal, environment, log }) => {
    log.info("at work", { level: 3 });
    return { report: JSON.stringify([event, limitMs, signal.aborted, environment === process.env]) };
  });
  vi.stubEnv("POWERTOOLS_SERVICE_NAME", "nightly");
  expect(await handler({ when: "always" }, new Host(600_000.9))).toBe(
    '[{"when":"always"},599000,false,true]',
  );
  expect(said()).toMatchObject([
    { level: "INFO", message: "at work", service: "nightly", requestId: "request-1", _level: 3 },
    { service: "nightly", TasksHeld: 1, SystemFailures: 0 },
  ]);
});

test.each([
  ["WARN", "DEBUG", ["WARN"]],
  ["DEBUG", "DEBUG", ["DEBUG", "INFO", "WARN"]],
  ["ERROR", "INFO", []],
])("ARCHIVER_LOG_LEVEL=%s counts where the host's own level is %s", async (level, hostLevel, written) => {
  vi.stubEnv("ARCHIVER_LOG_LEVEL", level);
  vi.stubEnv("AWS_LAMBDA_LOG_LEVEL", hostLevel);
  const handler = handlerOf(async ({ log }) => {
    log.debug("a line");
    log.info("a line");
    log.warn("a line");
    return { report: "done" };
  });
  await handler({}, new Host(600_000));
  const ours = said().filter(({ message }) => message === "a line");
  expect(ours.map(({ level }) => level)).toEqual(written);
});

test("it returns only when the work has settled, however late the signal said to stop", async () => {
  const stopped = Promise.withResolvers<void>();
  const settled = Promise.withResolvers<void>();
  const handler = handlerOf(async ({ signal }) => {
    signal.addEventListener("abort", () => stopped.resolve());
    await settled.promise;
    return { report: "all settled" };
  });
  const returned = handler({}, new Host(1_001));
  await stopped.promise;
  const first = await Promise.race([returned, new Promise((resolve) => setImmediate(resolve, "waits"))]);
  expect(first).toBe("waits");
  settled.resolve();
  expect(await returned).toBe("all settled");
});

test("work that was cut by the host's limit is told as that, not as a bug", async () => {
  const handler = handlerOf(async ({ signal }) => {
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    return { report: "never" };
  });
  expect(await handler({}, new Host(1_001))).toMatch(/^failed: out-of-time: Give the function more time/);
});

test.each([
  [new ArchiverError("it-failed", "it failed", { scope: "system", retry: "never", hint: "Mend it." })],
  [undefined],
])("a failure, thrown or returned, is logged and counted once", async (thrown) => {
  const handler = handlerOf(async () => {
    if (thrown !== undefined) {
      throw thrown;
    }
    return { report: "failed: it-failed: Mend it.", failure: FAILURE };
  });
  expect(await handler({}, new Host(600_000))).toBe("failed: it-failed: Mend it.");
  expect(said()).toMatchObject([
    { level: "ERROR", message: "system-failure", failure: FAILURE },
    { SystemFailures: 1 },
  ]);
});

test("keys that are learned on the way, and those of the host, reach no line", async () => {
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "hosts/secret+access=key");
  vi.stubEnv("HUAWEICLOUD_SDK_SK", "platforms-secret-key");
  const handler = handlerOf(async ({ log, redactor }) => {
    redactor.learn(["learned-secret-key"]);
    log.keep({ about: "learned-secret-key" });
    log.warn("hosts/secret+access=key platforms-secret-key", { of: new Error("learned-secret-key") });
    return { report: "done" };
  });
  await handler({}, new Host(600_000));
  expect(lines.join("")).not.toMatch(/secret-key|access=key/);
  expect(said()[0]).toMatchObject({ message: "[redacted] [redacted]", about: "[redacted]" });
});

test("what a call returns has no secret of the environment in it, and short words stay", async () => {
  vi.stubEnv("HUAWEICLOUD_SDK_SK", "plantedSecretKey0123456789");
  vi.stubEnv("HUAWEICLOUD_SDK_AK", "test");
  const handler = handlerOf(async () => ({ report: "test of holds/plantedSecretKey0123456789.json" }));
  expect(await handler({}, new Host(600_000))).toBe("test of holds/[redacted].json");
});

test("the keys of the agency reach the work, and neither a line nor the report", async () => {
  const agencyKeys = new AgencyKeys();
  const given = {
    accessKeyId: "AGENCYAK000000000001",
    secretAccessKey: "agencySecret1",
    securityToken: "token.1==",
  };
  agencyKeys.accept(given);
  const handler = handlerOf(async (invocation) => {
    const text = Object.values(given).join(" ");
    invocation.log.info(text);
    const held = invocation.agencyKeys?.current();
    return { report: `${held?.accessKeyId.reveal()} of ${held}` };
  });
  const host = { getRemainingTimeInMillis: () => 600_000, agencyKeys };
  expect(await handler({}, host)).toBe("[redacted] of [object Object]");
  expect(said()).toMatchObject([{ message: "[redacted] [redacted] [redacted]" }, {}]);
});
