import { afterEach, expect, test } from "vitest";
import { readConfiguration } from "../config/configuration.ts";
import { Redactor } from "../observability/redact.ts";
import { EventDoor } from "./event-door.ts";

const reads: string[] = [];
const kept = { text: "oldEventSecret0123456789", nowMs: 1_000_000 };

function doorOfSecret(): EventDoor {
  const read = async (secretId: string) => {
    reads.push(secretId);
    return kept.text;
  };
  return new EventDoor(read, { wallMs: () => kept.nowMs });
}

afterEach(() => {
  reads.length = 0;
  kept.text = "oldEventSecret0123456789";
});

const configurationOf = (settings: Readonly<Record<string, string>>) =>
  readConfiguration({ ARCHIVER_IOTDA_PROJECT_ID: "p1", ...settings }, new Set(["events"] as const));
const KEPT = configurationOf({ ARCHIVER_EVENT_SECRET_ID: "iotda/events" });

function requestWith(secret: string) {
  return { method: "POST", headers: { "x-archiver-secret": secret }, body: "{}", isBase64Encoded: false };
}

test("a secret that changed is taken with the first request that has it, and the old one no longer", async () => {
  const door = doorOfSecret();
  const redactor = new Redactor([]);
  const admit = async (secret: string) => (await door.admit(requestWith(secret), KEPT, redactor)).kind;
  const old = kept.text;
  expect(await admit(old)).toBe("body");
  kept.text = "newEventSecret0123456789";
  kept.nowMs += 60_000;
  expect(await admit(old), "for some minutes more").toBe("body");
  expect(await admit(kept.text)).toBe("body");
  expect(await admit(old)).toBe("refused");
  expect(await admit("")).toBe("refused");
  expect(reads).toEqual(["iotda/events", "iotda/events"]);
  expect(redactor.text(`${old} ${kept.text}`)).toBe("[redacted] [redacted]");
});

test("the next call of the function knows the secrets of the one before", async () => {
  const door = doorOfSecret();
  await door.admit(requestWith(kept.text), KEPT, new Redactor([]));
  const redactor = new Redactor([]);
  door.teach(redactor);
  expect(redactor.text(kept.text)).toBe("[redacted]");
});

test("a secret of the environment is read nowhere, and without any no HTTP event is let in", async () => {
  const door = doorOfSecret();
  const redactor = new Redactor([]);
  const ofEnvironment = configurationOf({ ARCHIVER_EVENT_SECRET: "eventSecret0123456789" });
  expect(await door.admit(requestWith("eventSecret0123456789"), ofEnvironment, redactor)).toMatchObject({
    kind: "body",
  });
  expect(await door.admit(requestWith("eventSecret012345678"), ofEnvironment, redactor)).toMatchObject({
    reason: "unsigned",
  });
  expect(await door.admit(requestWith(""), configurationOf({}), redactor)).toMatchObject({
    reason: "http-events-off",
  });
  expect(reads).toEqual([]);
});
