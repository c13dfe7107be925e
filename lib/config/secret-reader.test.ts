import { expect, test } from "vitest";
import { readEventSecret } from "./secret-reader.ts";
import { type SecretAnswer, serveSecrets } from "./testing/secrets-manager.ts";

const NO_PROXY = { httpProxy: undefined, httpsProxy: undefined, noProxy: undefined };
const SECRET = "eventSecret0123456789";

let answer: SecretAnswer = { status: 500, body: {} };
serveSecrets(() => answer);

test.each([SECRET, `${SECRET}\n`])("%j is a secret, a line end at its end left out", async (value) => {
  answer = { status: 200, body: { SecretString: value } };
  expect(await readEventSecret("iotda/events", NO_PROXY)).toBe(SECRET);
});

test.each([
  ["a short one", { SecretString: "short" }, /names a secret that is not 16 to 1024 printable/],
  ["one of two lines", { SecretString: `${SECRET}\n${SECRET}` }, /16 to 1024/],
  ["a binary one", { SecretBinary: "AAAA" }, /names a secret that/],
  ["a denied one", { __type: "AccessDeniedException", message: SECRET }, /secretsmanager:GetSecretValue/],
  ["a missing one", { __type: "ResourceNotFoundException", message: SECRET }, /does not exist/],
])("%s is a wrong setting, named without what it holds", async (_what, body, said) => {
  answer = { status: "__type" in body ? 400 : 200, body };
  const error: unknown = await readEventSecret("iotda/events", NO_PROXY).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "configuration", message: expect.stringMatching(said) });
  expect(String(error)).toContain("ARCHIVER_EVENT_SECRET_ID");
  expect(String(error) + JSON.stringify(error)).not.toContain(SECRET);
});

test("Secrets Manager that does not work is not a wrong setting", async () => {
  answer = { status: 500, body: { __type: "InternalServiceError", message: "m" } };
  await expect(readEventSecret("iotda/events", NO_PROXY)).rejects.toMatchObject({
    code: "secret-unavailable",
    retry: "later",
  });
});
