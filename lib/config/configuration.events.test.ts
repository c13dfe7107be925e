import { expect, test } from "vitest";
import { readConfiguration } from "./configuration.ts";
import { knownSecrets } from "./names.ts";
import type { Values } from "./rules.ts";

const NEED = new Set(["events"] as const);
const PROJECT = { ARCHIVER_IOTDA_PROJECT_ID: "p1" };

function revealed({ secret }: Values<"events">): string | undefined {
  return secret?.reveal();
}

test("events need the project, and no key of the platform", () => {
  expect(readConfiguration(PROJECT, NEED).events).toEqual({
    projectId: "p1",
    instanceId: undefined,
    secret: undefined,
    secretId: undefined,
    exportOn: [
      { taskType: "any", status: "Success" },
      { taskType: "any", status: "PartialSuccess" },
    ],
  });
  expect(() => readConfiguration({}, NEED)).toThrow(/ARCHIVER_IOTDA_PROJECT_ID/);
});

test("types and statuses are read from a list", () => {
  const { events } = readConfiguration(
    { ...PROJECT, ARCHIVER_EXPORT_ON: "softwareUpgrade:Fail, any:Stopped" },
    NEED,
  );
  expect(events.exportOn).toEqual([
    { taskType: "softwareUpgrade", status: "Fail" },
    { taskType: "any", status: "Stopped" },
  ]);
});

test.each([
  "Success",
  "any:success",
  "any:Processing",
  "any:Success,",
  "a b:Success",
  "any:Failed",
  ":Success",
])("%j is refused", (list) => {
  expect(() => readConfiguration({ ...PROJECT, ARCHIVER_EXPORT_ON: list }, NEED)).toThrow(
    /ARCHIVER_EXPORT_ON/,
  );
});

test("a short secret is refused, and never shown", () => {
  const read = () => readConfiguration({ ...PROJECT, ARCHIVER_EVENT_SECRET: "tooShortSecret" }, NEED);
  expect(read).toThrow(/ARCHIVER_EVENT_SECRET: its value \(not shown\) is not 16 to 1024/);
  expect(read).not.toThrow(/tooShortSecret/);
});

test("a line end after the secret, as editors leave one, is not part of it", () => {
  const read = (ARCHIVER_EVENT_SECRET: string) =>
    revealed(readConfiguration({ ...PROJECT, ARCHIVER_EVENT_SECRET }, NEED).events);
  expect(read("eventSecret0123456789\n")).toBe("eventSecret0123456789");
  expect(read(" eventSecret0123456789\r\n")).toBe("eventSecret0123456789");
  expect(() => read("eventSecret\n0123456789")).toThrow(/ARCHIVER_EVENT_SECRET/);
  // What senders carry is what logs must not show.
  const known = knownSecrets({ ARCHIVER_EVENT_SECRET: "eventSecret0123456789\n" });
  expect(known.map((secret) => secret.reveal())).toContain("eventSecret0123456789");
});

test("the secret may be kept in Secrets Manager, and not in two places, whatever the command needs", () => {
  const kept = { ARCHIVER_EVENT_SECRET_ID: "iotda/events" };
  expect(readConfiguration({ ...PROJECT, ...kept }, NEED).events).toMatchObject({
    secret: undefined,
    secretId: "iotda/events",
  });
  const both = { ...kept, ARCHIVER_EVENT_SECRET: "eventSecret0123456789" };
  expect(() => readConfiguration(both, new Set<never>())).toThrow(
    /ARCHIVER_EVENT_SECRET_ID: is set together with ARCHIVER_EVENT_SECRET.*Remove one of them/,
  );
});
