import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { expect } from "vitest";
import { startArchiver } from "./command-line.ts";
import { callFresh } from "./function-host.ts";
import { EVENT_SECRET, type WrongPlace } from "./wrong-places.ts";

/** Every command that works with an archive. */
export const COMMANDS: readonly (readonly string[])[] = [
  ["run"],
  ["discover"],
  ["archive"],
  ["archive", "--under-pressure"],
  ["request", "batch-01"],
  ["status"],
  ["probe", "--live", "--yes"],
  ["sweep"],
  ["sweep", "--remove-orphans"],
  ["dead-letters", "list"],
  ["dead-letters", "redrive", "--all"],
  ["dead-letters", "dismiss", "export-01", "--reason", "x"],
  ["retention", "plan"],
  ["retention", "sweep"],
  ["retention", "expire"],
  ["hold", "list"],
  ["hold", "add", "export-01", "--reason", "x"],
  ["hold", "remove", "export-01", "--reason", "x"],
  ["verify", "--all"],
  ["restore", "export-01", "--to", join(tmpdir(), "never-restored.zip")],
  ["restore", "--batch-task", "batch-01", "--latest", "--to", "never-written.zip"],
  ["inventory"],
  ["list"],
  ["find", "export"],
  ["show", "export-01"],
];

/** Every function, and what it is called with. */
export const FUNCTIONS: readonly (readonly [name: string, event?: object])[] = [
  ["discover"],
  ["archive"],
  ["retain"],
  ["expire"],
  ["inventory"],
  ["report"],
  ["exportEvents", { exportTaskId: "export-02" }],
  [
    "exportEvents",
    {
      version: "2.0",
      requestContext: { http: { method: "POST", path: "/" } },
      headers: { "x-archiver-secret": EVENT_SECRET },
      body: '{"exportTaskId":"export-02"}',
      isBase64Encoded: false,
    },
  ],
];

const failureSchema = v.object({ code: v.string(), message: v.string(), hint: v.string() });
const documentSchema = v.object({ failure: failureSchema });

/** The three causes, the most dangerous one first. */
const CAUSES = /disk may not be mounted.*ARCHIVER_STORE may be mistyped.*iotda-archiver init/;

/** The command fails, names the three causes, asks the platform for lists at most, and changes nothing anywhere. */
export async function expectCommandRefused(place: WrongPlace, command: readonly string[]): Promise<void> {
  const before = await place.look();
  const { exitCode, stdout, stderr } = await startArchiver([...command, "--json"], place.settings).ended;
  expect(exitCode, `${stdout}${stderr}`).toBe(1);
  const { failure } = v.parse(documentSchema, JSON.parse(stdout));
  expect(failure).toMatchObject({ code: place.code, hint: expect.stringMatching(CAUSES) });
  await expectUntouched(place, before);
}

/** The same of a function, which returns or throws its failure. */
export async function expectFunctionRefused(
  place: WrongPlace,
  [name, event]: (typeof FUNCTIONS)[number],
): Promise<void> {
  const before = await place.look();
  const { returned, thrown } = await callFresh(place.settings, name, {
    ...(event === undefined ? {} : { event }),
    timeLeftMs: 600_000,
  });
  const told = JSON.stringify({ returned, thrown });
  if (name === "exportEvents") {
    // Whoever posts is told the code alone, and the host of a queue the message.
    const words = place.code === "no-archive" ? "there is no archive" : "this place holds archive";
    expect(told.includes(place.code) || told.includes(words), told).toBe(true);
  } else {
    const { failure } = v.parse(documentSchema, returned);
    expect(failure).toMatchObject({ code: place.code, hint: expect.stringMatching(CAUSES) });
  }
  await expectUntouched(place, before);
}

async function expectUntouched(place: WrongPlace, before: unknown): Promise<void> {
  expect(await place.look()).toEqual(before);
  const operations = (await place.control.requests()).map(({ operation }) => operation);
  expect(operations.filter((operation) => operation !== "listExportTasks")).toEqual([]);
}
