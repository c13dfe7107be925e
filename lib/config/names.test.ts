import { expect, test } from "vitest";
import { readConfiguration } from "./configuration.ts";
import { knownSecrets } from "./names.ts";

const EVENT_SECRET = "plantedEventSecret0123456789";
const AWS = {
  AWS_ACCESS_KEY_ID: "PLANTEDKEYID00000001",
  AWS_SECRET_ACCESS_KEY: "plantedSecretKey/0123456789+abcdefghijkl",
  AWS_SESSION_TOKEN: "plantedSessionToken0123456789",
  AWS_SECURITY_TOKEN: "plantedOlderToken0123456789",
  AWS_CONTAINER_AUTHORIZATION_TOKEN: "plantedContainerToken0123456789",
};

test("the event secret and the keys of AWS are known, whatever the command needs", () => {
  const env = { ...AWS, ARCHIVER_EVENT_SECRET: `${EVENT_SECRET}\n` };
  const { secrets } = readConfiguration(env, new Set<never>());
  const texts = secrets.map((secret) => secret.reveal());
  expect(texts).toEqual(expect.arrayContaining([EVENT_SECRET, ...Object.values(AWS)]));
  expect(JSON.stringify(secrets)).not.toContain("planted");
});

test("what is not set, or the short key id of a store on somebody's desk, is not a secret", () => {
  expect(
    knownSecrets({ AWS_ACCESS_KEY_ID: "test", AWS_SESSION_TOKEN: "", ARCHIVER_STORE: "s3://b" }),
  ).toEqual([]);
});

test.each(Object.entries({ ...AWS, ARCHIVER_EVENT_SECRET: EVENT_SECRET }))(
  "%s pasted into the place of another setting is not shown there",
  (name, value) => {
    const read = () => readConfiguration({ [name]: value, ARCHIVER_STORE: `s3:/${value}` }, new Set<never>());
    expect(read).toThrow(/ARCHIVER_STORE: "s3:\/\[redacted\]"/);
  },
);
