import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { archiveReportSchema, discoverReportSchema } from "./documents.ts";
import { FunctionHost, linesOf, metricsOf } from "./function-host.ts";
import { type Night, openNight, SECRET_ID } from "./function-night.ts";
import { ACCOUNT, finishedExports } from "./lab.ts";

interface Broken {
  readonly what: string;
  /** Breaks the deployment; settings to change on top. */
  readonly by: (night: Night) => Promise<Readonly<Record<string, string>>>;
  readonly code: string;
  readonly hint: RegExp;
}

function secretIs(answer: Parameters<Night["secrets"]["secrets"]["set"]>[1]): Broken["by"] {
  return async ({ secrets }) => {
    secrets.secrets.set(SECRET_ID, answer);
    return {};
  };
}

function settings(changes: Readonly<Record<string, string>>): Broken["by"] {
  return async () => changes;
}

const BROKEN: readonly Broken[] = [
  {
    what: "wrong region of the bucket",
    by: settings({ AWS_REGION: "eu-west-9" }),
    code: "store-misconfigured",
    hint: /AWS_REGION/,
  },
  {
    what: "wrong region of the platform",
    by: settings({ ARCHIVER_IOTDA_SIGNING: "derived", ARCHIVER_IOTDA_REGION: "cn-south-1" }),
    code: "platform-unauthenticated",
    hint: /access key|region/i,
  },
  {
    what: "missing secret",
    by: settings({ ARCHIVER_CREDENTIALS_SECRET: "iotda/other" }),
    code: "configuration",
    hint: /Correct every setting/,
  },
  {
    what: "secret without sk",
    by: secretIs({ value: JSON.stringify({ ak: ACCOUNT.ak }) }),
    code: "configuration",
    hint: /./,
  },
  {
    what: "secret that is not JSON",
    by: secretIs({ value: `${ACCOUNT.ak}:${ACCOUNT.sk}` }),
    code: "configuration",
    hint: /./,
  },
  {
    what: "secret that may not be read",
    by: secretIs({ error: "AccessDeniedException" }),
    code: "configuration",
    hint: /./,
  },
  {
    what: "Secrets Manager out of reach",
    by: settings({ AWS_ENDPOINT_URL_SECRETS_MANAGER: "http://127.0.0.1:9" }),
    code: "secret-unavailable",
    hint: /Secrets Manager/,
  },
  {
    what: "no AWS credentials",
    by: settings({ AWS_ACCESS_KEY_ID: "" }),
    code: "store-unauthenticated",
    hint: /Give the process credentials/,
  },
  {
    what: "bucket of another account",
    by: async ({ lab }) => {
      const denied = { kind: "status", status: 403, code: "AccessDenied" } as const;
      await lab.bucket.server.control.scriptFaults({ times: 1_000, fault: denied });
      return {};
    },
    code: "store-forbidden",
    hint: /s3:PutObject/,
  },
];

const FUNCTIONS = [
  ["archive", archiveReportSchema],
  ["discover", discoverReportSchema],
] as const;

/** Calls both functions, which must return the same kind of failure, tell it once each, and touch no task. */
async function expectToldOnce(
  { lab }: Night,
  environment: Readonly<Record<string, string>>,
  { code, hint }: Pick<Broken, "code" | "hint">,
): Promise<void> {
  const host = FunctionHost.start(environment);
  const told: unknown[] = [];
  for (const [name, schema] of FUNCTIONS) {
    const { returned } = await host.call(name, { timeLeftMs: 600_000 });
    const report = v.parse(schema, returned);
    expect(report.failure).toMatchObject({ code, hint: expect.stringMatching(hint) });
    told.push({ message: "system-failure", failure: report.failure });
  }
  const log = await host.end();
  expect(JSON.stringify(told) + log).not.toContain(ACCOUNT.sk);
  expect(linesOf(log).filter(({ level }) => level === "ERROR")).toMatchObject(told);
  expect(metricsOf(log).map(({ SystemFailures }) => SystemFailures)).toEqual([1, 1]);
  expect(lab.queue.letters()).toEqual([]);
}

describe("what is wrong with a deployment is a failure of the system, told once, and no task's fault", () => {
  test.concurrent.for(BROKEN)("$what", async (broken, context) => {
    const night = await openNight(context);
    night.lab.queue.send("export-01");
    await expectToldOnce(night, { ...night.environment, ...(await broken.by(night)) }, broken);
    expect(night.lab.queue.messages()).toEqual(["export-01"]);
    expect((await night.lab.bucket.keys("exports/")).concat(await night.lab.bucket.keys("records/"))).toEqual(
      [],
    );
  });

  test.concurrent("queue gone", async (context) => {
    const night = await openNight(context);
    await night.lab.control.addTasks(finishedExports(1));
    const gone = `${night.lab.queue.endpoint}/000000000000/gone`;
    await expectToldOnce(
      night,
      { ...night.environment, ARCHIVER_QUEUE: gone },
      { code: "queue-misconfigured", hint: /ARCHIVER_QUEUE/ },
    );
  });
});
