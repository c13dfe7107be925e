import * as v from "valibot";
import { describe, expect, test, vi } from "vitest";
import { archiveReportSchema, discoverReportSchema } from "./documents.ts";
import { callFresh, linesOf, metricsOf } from "./function-host.ts";
import { archive, discover, type Night, openNight, SECRET_ID } from "./function-night.ts";
import { ACCOUNT, finishedExports } from "./lab.ts";

// Several processes a test, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

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
    what: "secret that is no JSON",
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

describe("what is wrong with a deployment is a failure of the system, told once, and no task's fault", () => {
  test.concurrent.for(BROKEN)("$what", async ({ by, code, hint }, context) => {
    const night = await openNight(context);
    const { lab } = night;
    await lab.control.addTasks(finishedExports(1));
    await discover(night);
    const queued = lab.queue.messages();
    const environment = { ...night.environment, ...(await by(night)) };
    const archived = await archive({ ...night, environment }, { timeLeftMs: 60_000 });
    expect(archived.report).toMatchObject({ stopReason: "system-failure", failure: { code }, tasks: [] });
    const discovered = await callFresh(environment, "discover", { timeLeftMs: 60_000 });
    const { failure } = v.parse(discoverReportSchema, discovered.returned);
    for (const { told, log } of [
      { told: archived.report.failure, log: archived.log },
      { told: failure, log: discovered.log },
    ]) {
      expect(told).toMatchObject({ code, hint: expect.stringMatching(hint) });
      expect(JSON.stringify(told) + log).not.toContain(ACCOUNT.sk);
      const errors = linesOf(log).filter(({ level }) => level === "ERROR");
      expect(errors).toMatchObject([{ message: "system-failure", failure: told }]);
      expect(metricsOf(log)).toMatchObject([{ SystemFailures: 1 }]);
    }
    expect(lab.queue.messages()).toEqual(queued);
    expect(lab.queue.letters()).toEqual([]);
  });

  test.concurrent("queue gone", async (context) => {
    const night = await openNight(context);
    await night.lab.control.addTasks(finishedExports(1));
    const environment = {
      ...night.environment,
      ARCHIVER_QUEUE: `${night.lab.queue.endpoint}/000000000000/gone`,
    };
    for (const [name, schema] of [
      ["archive", archiveReportSchema],
      ["discover", discoverReportSchema],
    ] as const) {
      const { returned, log } = await callFresh(environment, name, { timeLeftMs: 60_000 });
      expect(v.parse(schema, returned).failure).toMatchObject({
        code: "queue-misconfigured",
        hint: expect.stringContaining("ARCHIVER_QUEUE"),
      });
      expect(metricsOf(log)).toMatchObject([{ SystemFailures: 1 }]);
    }
    expect(night.lab.queue.letters()).toEqual([]);
  });
});
