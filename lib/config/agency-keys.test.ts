import { inspect } from "node:util";
import { expect, test } from "vitest";
import { Redactor } from "../observability/redact.ts";
import { AccessKeys } from "./access-keys.ts";
import { AgencyKeys, type GivenKeys } from "./agency-keys.ts";
import { readConfiguration } from "./configuration.ts";
import { ALL, AWS, LOCAL, problemsOf, type Variables } from "./testing/variables.ts";

const GIVEN = {
  accessKeyId: "AGENCYAK000000000001",
  secretAccessKey: "agencySecret0000000000000000000000000001",
  securityToken: "agencyToken.0001==",
};
const NEWER = {
  accessKeyId: "AGENCYAK000000000002",
  secretAccessKey: "agencySecret0000000000000000000000000002",
  securityToken: "agencyToken.0002==",
};
const NO_PROXY = { httpProxy: undefined, httpsProxy: undefined, noProxy: undefined };

function holderOf(given: GivenKeys): AgencyKeys {
  const held = new AgencyKeys();
  held.accept(given);
  return held;
}

function revealed(held: AgencyKeys): unknown {
  const { accessKeyId, secretAccessKey, securityToken } = held.current();
  return {
    accessKeyId: accessKeyId.reveal(),
    secretAccessKey: secretAccessKey.reveal(),
    securityToken: securityToken.reveal(),
  };
}

test("the newest keys are given out, and the older ones are forgotten", () => {
  const held = holderOf(GIVEN);
  expect(revealed(held)).toEqual(GIVEN);
  held.accept(NEWER);
  expect(revealed(held)).toEqual(NEWER);
  expect(held.secrets().map((secret) => secret.reveal())).toEqual(Object.values(NEWER));
});

const NONE = "the host of this function gave no keys of an agency";
test.each<[string, Partial<GivenKeys>, string]>([
  ["nothing", {}, NONE],
  ["empty headers", { accessKeyId: "", secretAccessKey: "", securityToken: "" }, NONE],
  ["no token", { ...GIVEN, securityToken: undefined }, "whose security token is missing"],
  ["a token alone", { securityToken: "t0ken" }, "whose access key id and secret key is missing"],
  ["a key with a line end", { ...GIVEN, secretAccessKey: "PLANTED\nKEY" }, "whose secret key is not a key"],
  ["a token without an end", { ...GIVEN, securityToken: "t".repeat(16_385) }, "token is not a key"],
])("given %s, it has no keys, those of before neither, and says so without a value", (_what, given, text) => {
  const held = holderOf(GIVEN);
  held.accept({ accessKeyId: undefined, secretAccessKey: undefined, securityToken: undefined, ...given });
  let thrown: unknown;
  try {
    held.current();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({
    code: "agency-keys-missing",
    scope: "system",
    retry: "later",
    message: expect.stringContaining(text),
  });
  expect(inspect(thrown)).not.toMatch(/AGENCYAK|agencySecret|agencyToken|PLANTED|t0ken/);
  expect(held.secrets()).toEqual([]);
});

test("before the first invocation there are no keys", () => {
  expect(() => new AgencyKeys().current()).toThrow(NONE);
});

test("a holder shows nothing of what it holds", () => {
  const held = holderOf(GIVEN);
  const shown = [
    inspect(held, { showHidden: true, depth: 9 }),
    JSON.stringify(held),
    inspect(held.current()),
  ];
  expect(shown.join()).not.toMatch(/AGENCYAK|agencySecret|agencyToken/);
});

test("whoever signs gets the keys of the moment, once the redactor knows them", async () => {
  const held = holderOf(GIVEN);
  const redactor = new Redactor([]);
  const keys = new AccessKeys({ kind: "agency", held }, redactor, NO_PROXY);
  const text = Object.values({ ...GIVEN, ...Object.values(NEWER) }).join(" and ");
  expect(redactor.withoutKnown(text)).toBe(text);
  expect(await keys.get(false)).toEqual({
    ak: GIVEN.accessKeyId,
    sk: GIVEN.secretAccessKey,
    securityToken: GIVEN.securityToken,
  });
  held.accept(NEWER);
  expect(await keys.get(false)).toMatchObject({ ak: NEWER.accessKeyId });
  // The older keys are good for a day: they stay secret.
  expect(redactor.withoutKnown(text)).not.toMatch(/AGENCYAK|agencySecret|agencyToken/);
});

const { HUAWEICLOUD_SDK_AK: _ak, HUAWEICLOUD_SDK_SK: _sk, ...WITHOUT_KEYS } = AWS;
const AGENCY = {
  ...WITHOUT_KEYS,
  ARCHIVER_PLATFORM_CREDENTIALS: "agency",
  ARCHIVER_STORE_CREDENTIALS: "agency",
  AWS_ENDPOINT_URL_S3: "https://obs.cn-north-4.myhuaweicloud.com",
};

test("as a function, platform and store take the keys of the holder", () => {
  const agencyKeys = holderOf(GIVEN);
  const { platform, store } = readConfiguration(AGENCY, new Set(["platform", "store"] as const), {
    agencyKeys,
  });
  expect(platform.credentials).toEqual({ kind: "agency", held: agencyKeys });
  expect(store).toMatchObject({
    profile: "obs",
    credentials: { kind: "huawei", keys: { kind: "agency", held: agencyKeys } },
  });
});

test("a store of another account has access keys while the platform has the agency's", () => {
  const env = {
    ...AGENCY,
    ...LOCAL,
    ARCHIVER_STORE: AWS.ARCHIVER_STORE,
    ARCHIVER_STORE_CREDENTIALS: "huawei",
  };
  const { store, platform } = readConfiguration(env, new Set(["platform", "store"] as const), {
    agencyKeys: holderOf(GIVEN),
  });
  expect(platform.credentials.kind).toBe("agency");
  expect(store).toMatchObject({ credentials: { kind: "huawei", keys: { kind: "static" } } });
});

test("elsewhere agency is refused, whatever the command needs", () => {
  const problem = "is agency, but this program does not run as a function of FunctionGraph";
  const problems = [`ARCHIVER_PLATFORM_CREDENTIALS: ${problem}`, `ARCHIVER_STORE_CREDENTIALS: ${problem}`];
  expect(problemsOf(AGENCY, new Set())).toEqual(problems);
  expect(problemsOf(AGENCY, ALL)).toEqual(problems);
});

test.each<[string, Variables]>([
  [
    "HUAWEICLOUD_SDK_AK",
    { HUAWEICLOUD_SDK_AK: "AKAKAKAK", HUAWEICLOUD_SDK_SK: "skskskskskskskskskskskskskskskskskskskskss" },
  ],
  ["ARCHIVER_CREDENTIALS_SECRET", { ARCHIVER_CREDENTIALS_SECRET: "iotda/keys" }],
])("%s beside an agency is a second source of the same keys", (name, extra) => {
  const read = () =>
    readConfiguration({ ...AGENCY, ...extra }, new Set<never>(), { agencyKeys: holderOf(GIVEN) });
  expect(read).toThrow(`${name}: is set, but ARCHIVER_PLATFORM_CREDENTIALS is agency`);
});
