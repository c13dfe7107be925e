import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { problemsOfSchema, readSchemas, SCHEMAS } from "./schema.ts";
import { readStack } from "./stack.ts";

const isThere = existsSync(SCHEMAS);
if (!isThere) {
  console.warn("The provider's schemas are not beside this repository: the stack is not compared with them.");
}

test.skipIf(!isThere)(
  "the provider knows every type and attribute, and has all that it requires",
  async () => {
    const stack = await readStack();
    expect(Object.keys(stack.resources).length).toBeGreaterThan(10);
    expect(problemsOfSchema(stack, readSchemas(SCHEMAS))).toEqual([]);
  },
);

const SCHEMA = {
  cloud_thing: {
    attributes: { name: { required: true }, size: { optional: true }, id: {} },
    block_types: { part: { max_items: 1, block: { attributes: { days: { required: true } } } } },
  },
};

test.each([
  ["a type that is not there", "cloud_thin", { name: "a" }, ["cloud_thin.a: no such type"]],
  ["a misspelt attribute", "cloud_thing", { name: "a", sise: 1 }, ["cloud_thing.a.sise: no such attribute"]],
  ["one that is missing", "cloud_thing", {}, ["cloud_thing.a.name: is required"]],
  [
    "the provider's own",
    "cloud_thing",
    { name: "a", id: "1" },
    ["cloud_thing.a.id: only the provider sets it"],
  ],
  ["a block's own", "cloud_thing", { name: "a", part: [{}] }, ["cloud_thing.a.part.days: is required"]],
  [
    "a block too many",
    "cloud_thing",
    { name: "a", part: [{ days: 1 }, { days: 2 }] },
    ["cloud_thing.a.part: stands there 2 times"],
  ],
])("the comparison sees %s", (_what, type, body, problems) => {
  const stack = { resources: { [`${type}.a`]: body }, variables: {}, outputs: {}, locals: {} };
  expect(problemsOfSchema(stack, SCHEMA)).toEqual(problems);
});
