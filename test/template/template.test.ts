import { readdirSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { problemsOfGrants } from "./grants.ts";
import { type Packaged, packageStage } from "./packaging.ts";
import { RULES, type RuleName } from "./rules.ts";
import { SABOTAGES, sabotaged } from "./sabotages.ts";
import { at, ofType } from "./template.ts";

const STAGES = ["prod", "kms", "obs"] as const;
const FUNCTIONS = readdirSync(new URL("../../functions", import.meta.url))
  .filter((file) => /^[^.]+\.ts$/.test(file))
  .map((file) => path.parse(file).name)
  .sort();
const CREDENTIALS_KEY = "arn:aws:kms:eu-central-1:111122223333:key/11111111-1111-1111-1111-111111111111";
/** Functions that ping the check, or tell people. */
/** The doctor looks whether those who are told can be reached. */
const READERS_OF_TARGETS = ["Archive", "Discover", "Doctor", "Report"];
const RULE_NAMES = Object.keys(RULES) as RuleName[];

const packaged = new Map<string, Packaged>();
beforeAll(async () => {
  await Promise.all(STAGES.map(async (stage) => packaged.set(stage, await packageStage(stage))));
});

function packagedOf(stage: string): Packaged {
  const found = packaged.get(stage);
  if (found === undefined) {
    throw new Error(`stage ${stage} was not packaged`);
  }
  return found;
}

describe.each(STAGES)("stage %s", (stage) => {
  test("packages without a home, credentials, network or warning", () => {
    const { output } = packagedOf(stage);
    expect(output).not.toMatch(/warn|deprecat|error/i);
    expect(output).toContain("Service packaged");
  });

  test("every function of the sources is deployed, as its bundle and nothing else", () => {
    const { archives, template } = packagedOf(stage);
    const handlers = ofType(template, "AWS::Lambda::Function").map(([, { Handler }]) => Handler);
    expect(archives).toEqual(
      Object.fromEntries(FUNCTIONS.map((name) => [`${name}.zip`, [`dist/functions/${name}.mjs`]])),
    );
    expect(handlers.sort()).toEqual(FUNCTIONS.map((name) => `dist/functions/${name}.handler`));
  });

  test.each(RULE_NAMES)("%s", (name) => {
    expect(RULES[name](packagedOf(stage).template, stage)).toEqual([]);
  });
});

test("the OBS variant has no bucket and no permission for one", () => {
  const { template } = packagedOf("obs");
  expect(Object.keys(template.Resources)).not.toContain("ArchiveBucket");
  expect(JSON.stringify(template.Resources.ArchiveRole)).not.toContain("s3:");
});

test("a key of the secret's own may be used by whoever reads the secret, and through Secrets Manager only", async () => {
  // Each role reads it here: OBS is opened with the access key.
  const { template } = await packageStage("obs", { credentialsKeyArn: CREDENTIALS_KEY });
  const condition = { "kms:ViaService": { "Fn::Sub": `secretsmanager.\${AWS::Region}.amazonaws.com` } };
  const grant = `kms:Decrypt on ${CREDENTIALS_KEY} if ${JSON.stringify({ StringEquals: condition })}`;
  expect(problemsOfGrants(template, "obs").sort()).toEqual(
    ["Archive", "Discover", "Doctor", "Expire", "ExportEvents", "Inventory", "Report", "Retain"].map(
      (name) => `${name}Role may ${grant}`,
    ),
  );
});

test("the secret of who is told may be read by the functions that tell and by the doctor, and by no other", async () => {
  const { template } = await packageStage("prod", { notificationSecret: "iotda-archiver/prod/told" });
  const on = `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:iotda-archiver/prod/told-??????`;
  expect(problemsOfGrants(template, "prod").sort()).toEqual(
    READERS_OF_TARGETS.map((name) => `${name}Role may secretsmanager:GetSecretValue on ${on}`),
  );
  const setting = "Environment/Variables/ARCHIVER_NOTIFICATION_SECRET";
  const told = ofType(template, "AWS::Lambda::Function").filter(
    ([, properties]) => at(properties, setting) === "iotda-archiver/prod/told",
  );
  expect(told.map(([id]) => id).sort()).toEqual(READERS_OF_TARGETS.map((name) => `${name}LambdaFunction`));
});

describe("the rules can fail", () => {
  test.each(SABOTAGES)("$rule: $what", (sabotage) => {
    const { template } = packagedOf(sabotage.stage);
    expect(RULES[sabotage.rule](sabotaged(template, sabotage), sabotage.stage)).not.toEqual([]);
  });

  test("every one of them", () => {
    const sabotagedRules = new Set(SABOTAGES.map(({ rule }) => rule));
    expect(RULE_NAMES.filter((name) => !sabotagedRules.has(name))).toEqual([]);
  });
});
