import { beforeEach, expect, test } from "vitest";
import { type StoppedTimers, stopTimers } from "../../sandbox/testing/stopped-timers.ts";
import { startTunnelProxy } from "../network/testing/tunnel-proxy.ts";
import { Redactor, Secret } from "../observability/redact.ts";
import { AccessKeys } from "./access-keys.ts";
import { ConfigurationError } from "./errors.ts";
import { type SecretAnswer, serveSecrets } from "./testing/secrets-manager.ts";

const NO_PROXY = { httpProxy: undefined, httpsProxy: undefined, noProxy: undefined };
const KEYS = { ak: "AKAKAKAKAKAKAKAKAKAK", sk: "skskskskskskskskskskskskskskskskskskskss" };

/** What Secrets Manager answers to each read; the last one stays. */
let answers: SecretAnswer[] = [];
let reads = 0;
serveSecrets(() => {
  const answer = answers[Math.min(reads, answers.length - 1)] ?? { status: 500, body: {} };
  reads += 1;
  return answer;
});

// So that the SDK reads nothing twice only because this machine is busy.
let timers: StoppedTimers;
beforeEach(() => {
  timers = stopTimers();
  answers = [];
  reads = 0;
});

function secretHolding(value: unknown) {
  return { status: 200, body: { SecretString: typeof value === "string" ? value : JSON.stringify(value) } };
}

function refusal(name: string) {
  return { status: 400, body: { __type: name, message: `User ${KEYS.sk} is not authorized` } };
}

function ofSecret(redactor?: Redactor): AccessKeys {
  return new AccessKeys({ kind: "secret", secretId: "iotda/keys" }, redactor, NO_PROXY);
}

test("keys from the environment are handed out as they are", async () => {
  const credentials = { kind: "static", ak: new Secret(KEYS.ak), sk: new Secret(KEYS.sk) } as const;
  const keys = new AccessKeys({ ...credentials, securityToken: undefined }, undefined, NO_PROXY);
  expect(await keys.get(true)).toEqual(KEYS);
  const temporary = new AccessKeys(
    { ...credentials, securityToken: new Secret("token") },
    undefined,
    NO_PROXY,
  );
  expect(await temporary.get(false)).toEqual({ ...KEYS, securityToken: "token" });
});

test.each(["RequestTimeTooSkewed", "InvalidSignatureException", "RequestExpired"])(
  "a single %s of Secrets Manager is not seen, two are the end",
  async (name) => {
    answers = [refusal(name), secretHolding(KEYS)];
    expect(await ofSecret().get(false)).toEqual(KEYS);
    expect(reads).toBe(2);
    reads = 0;
    answers = [refusal(name)];
    await expect(ofSecret().get(false)).rejects.toMatchObject({
      code: "secret-unavailable",
      hint: expect.stringContaining("clock"),
    });
    expect(reads).toBe(2);
  },
);

test("an answer that is longer than any secret is not read to its end", async () => {
  answers = [secretHolding("x".repeat(2 * 1024 * 1024))];
  await expect(ofSecret().get(false)).rejects.toMatchObject({ code: "secret-unavailable", scope: "system" });
});

test("a secret is read once, and once more when its keys were refused, however often that is", async () => {
  const rotated = { ...KEYS, sk: `${KEYS.sk}2`, securityToken: "token-of-temporary-keys" };
  answers = [secretHolding({ ...KEYS, owner: "somebody else's field" }), secretHolding(rotated)];
  const keys = ofSecret();
  expect(await keys.get(false)).toEqual(KEYS);
  expect(await keys.get(false)).toEqual(KEYS);
  expect(reads).toBe(1);
  expect(await keys.get(true)).toEqual(rotated);
  expect(await keys.get(true)).toEqual(rotated);
  expect(await keys.get(false)).toEqual(rotated);
  expect(reads).toBe(2);
  keys.close();
});

test("callers at once share one read, also one that is for keys that were refused", async () => {
  const rotated = { ...KEYS, sk: `${KEYS.sk}2` };
  answers = [secretHolding(KEYS), secretHolding(rotated)];
  const keys = ofSecret();
  const first = await Promise.all([keys.get(false), keys.get(false), keys.get(false)]);
  expect(first).toEqual([KEYS, KEYS, KEYS]);
  expect(reads).toBe(1);
  expect(await Promise.all([keys.get(true), keys.get(true), keys.get(false)])).toEqual([
    rotated,
    rotated,
    rotated,
  ]);
  expect(reads).toBe(2);
  keys.close();
});

test("keys that were read are known to the redactor before anybody has them", async () => {
  answers = [secretHolding({ ...KEYS, securityToken: "token-of-temporary-keys" })];
  const redactor = new Redactor([]);
  const keys = ofSecret(redactor);
  await keys.get(false);
  expect(redactor.text(`x ${KEYS.ak} ${KEYS.sk} token-of-temporary-keys`)).toBe(
    "x [redacted] [redacted] [redacted]",
  );
  keys.close();
});

test.each([
  ["a missing secret", refusal("ResourceNotFoundException"), /does not exist/],
  ["a denied secret", refusal("AccessDeniedException"), /GetSecretValue/],
  ["a key that may not be used", refusal("DecryptionFailure"), /kms:Decrypt/],
  ["a secret that waits for its deletion", refusal("InvalidRequestException"), /Restore/],
  ["a secret without sk", secretHolding({ ak: KEYS.ak }), /no "sk"/],
  ["a secret without ak", secretHolding({ sk: KEYS.sk }), /no "ak"/],
  ["an sk with a line end", secretHolding({ ...KEYS, sk: `${KEYS.sk}\n` }), /"sk" is not a key/],
  ["an sk that is not text", secretHolding({ ...KEYS, sk: 1 }), /"sk" is not a key/],
  ["a secret that is not JSON", secretHolding(`${KEYS.ak}:${KEYS.sk}`), /not a JSON object/],
  ["a secret that is a list", secretHolding([KEYS.sk]), /no JSON object|has no "ak"/],
  ["a binary secret", { status: 200, body: { SecretBinary: "AAAA" } }, /not a JSON object/],
])("%s is a wrong setting, named with what to do and without its content", async (_what, answer, said) => {
  answers = [answer];
  const keys = ofSecret();
  const error: unknown = await keys.get(false).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigurationError);
  expect(error).toMatchObject({
    code: "configuration",
    scope: "system",
    message: expect.stringMatching(said),
  });
  expect(String(error)).toContain("ARCHIVER_CREDENTIALS_SECRET");
  expect(String(error) + JSON.stringify(error)).not.toContain(KEYS.sk.slice(0, 20));
  keys.close();
});

test("Secrets Manager that does not work is not a wrong setting: it is asked again later", async () => {
  answers = [{ status: 500, body: { __type: "InternalServiceError", message: "m" } }];
  const keys = ofSecret();
  // The SDK waits before it tries again.
  await expect(timers.passUntil(keys.get(false), 10)).rejects.toMatchObject({
    code: "secret-unavailable",
    scope: "system",
    retry: "later",
  });
  keys.close();
});

test("a secret that could not be read is read at the next use", async () => {
  answers = [refusal("AccessDeniedException"), secretHolding(KEYS)];
  const keys = ofSecret();
  await expect(keys.get(false)).rejects.toBeInstanceOf(ConfigurationError);
  expect(await keys.get(false)).toEqual(KEYS);
  keys.close();
});

test("a proxy on the way to the secret is taken", async () => {
  answers = [secretHolding(KEYS)];
  const proxy = await startTunnelProxy();
  const keys = new AccessKeys({ kind: "secret", secretId: "iotda/keys" }, undefined, {
    ...NO_PROXY,
    httpProxy: new Secret(proxy.url),
  });
  expect(await keys.get(false)).toEqual(KEYS);
  expect(proxy.targets).toHaveLength(1);
  keys.close();
});
