import middy from "@middy/core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ArchiverError } from "../domain/errors.ts";
import {
  type CallContext,
  type Ended,
  failureReport,
  logging,
  type Middleware,
  metrics,
} from "./middlewares.ts";

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

/** A call through `logging`, which the others rely on, and one more. */
async function callThrough(
  middleware: Middleware<string>,
  work: (context: CallContext) => Ended<string>,
): Promise<Ended<string>> {
  const handler = middy<unknown, Ended<string>, Error, CallContext>()
    .use(logging<string>())
    .use(middleware)
    .handler(async (_event: unknown, context: CallContext) => work(context));
  return await handler({}, { awsRequestId: "request-1" } as CallContext);
}

const nothing: Middleware<string> = { before: () => undefined };
const done: Ended<string> = { report: "done", metrics: { TasksHeld: 7 } };
const FAILURE = { code: "it-failed", message: "it failed", hint: "Mend it." };

function fail(): never {
  throw new ArchiverError("it-failed", "it failed", { scope: "system", retry: "never", hint: "Mend it." });
}

function said(): unknown[] {
  return lines.map((line): unknown => JSON.parse(line));
}

test("logging names the call on each line, and takes secrets out of lines and of what is returned", async () => {
  vi.stubEnv("HUAWEICLOUD_SDK_SK", "plantedSecretKey0123456789");
  const ended = await callThrough(nothing, ({ log, redactor }) => {
    redactor.learn(["learnedSecretKey0123456789"]);
    log.info("plantedSecretKey0123456789", { of: "learnedSecretKey0123456789" });
    return { report: "with learnedSecretKey0123456789", metrics: {} };
  });
  expect(ended.report).toBe("with [redacted]");
  expect(said()).toMatchObject([{ requestId: "request-1", message: "[redacted]", of: "[redacted]" }]);
});

test("metrics are written once, whether the call returned or threw", async () => {
  vi.stubEnv("POWERTOOLS_SERVICE_NAME", "nightly");
  await callThrough(metrics(), () => done);
  await expect(callThrough(metrics(), fail)).rejects.toThrow("it failed");
  expect(said()).toMatchObject([
    { service: "nightly", TasksHeld: 7, SystemFailures: 0 },
    { service: "nightly", SystemFailures: 1 },
  ]);
});

test("a failure that was returned is logged; one that was thrown becomes a report too", async () => {
  const reporting = failureReport(({ code }) => `failed: ${code}`);
  expect(await callThrough(reporting, () => done)).toEqual(done);
  expect(await callThrough(reporting, () => ({ ...done, failure: FAILURE }))).toMatchObject({
    report: "done",
  });
  expect(await callThrough(reporting, fail)).toEqual({
    report: "failed: it-failed",
    failure: FAILURE,
    metrics: {},
  });
  const line = { level: "ERROR", message: "system-failure", failure: FAILURE };
  expect(said()).toMatchObject([line, line]);
});
