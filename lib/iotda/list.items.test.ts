import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readListItem } from "./list.ts";
import { parseListAnswer } from "./schemas.ts";

const HEALTHY = {
  export_task_id: "5f2d9c3a1b2c3d4e5f6a7b8c",
  status: "Success",
  resource_type: "BatchTask",
  resource_condition: { task_id: "b1" },
  export_count: 3,
};
const CONDITION = {
  resourceType: "BatchTask",
  resourceCondition: { task_id: "b1" },
  appType: undefined,
  appId: undefined,
};

function nested(depth: number, open = "[", close = "]"): unknown {
  return JSON.parse(open.repeat(depth) + (open === "[" ? "" : "0") + close.repeat(depth));
}

function read(fields: Record<string, unknown>) {
  return readListItem({ ...HEALTHY, ...fields });
}

describe("a healthy item", () => {
  test.each<[string, Record<string, unknown>]>([
    ["with nothing but documented fields", {}],
    ["with an end time in an unknown format", { end_time: "yesterday" }],
    ["with null for what is missing", { end_time: null, app_id: null, export_count: null }],
    ["with a count of -0", { export_count: -0 }],
    ["nested to the limit", { resource_condition: nested(31) }],
    ["with a lone surrogate in an undocumented field", { note: "\ud800" }],
    ["with prototype keys", JSON.parse('{"__proto__": {"status": "x"}, "constructor": 1}')],
    ["of just under the largest size", { filler: "x".repeat(1_048_000) }],
  ])("%s", (_which, fields) => {
    expect(read(fields)).toMatchObject({ kind: "task", task: { exportTaskId: HEALTHY.export_task_id } });
  });
});

describe("an odd item is named by its field, and told apart by its id where it has one", () => {
  const id = HEALTHY.export_task_id;
  test.each<[string, Record<string, unknown>, string | undefined, string, string | undefined]>([
    ["a count that is text", { export_count: "3" }, "export_count", "is not a number", id],
    ["a count of 1e999", JSON.parse('{"export_count":1e999}'), "export_count", "is not a whole number", id],
    ["a count of 1.5", { export_count: 1.5 }, "export_count", "is not a whole number", id],
    ["a count beyond whole numbers", { export_count: 2 ** 53 }, "export_count", "is not a whole number", id],
    [
      "an id with a dot",
      { export_task_id: "a.b" },
      "export_task_id",
      "is not 1 to 36 letters, digits, - or _",
      "a.b",
    ],
    [
      "an id of a path",
      { export_task_id: "a/../b" },
      "export_task_id",
      "is not 1 to 36 letters, digits, - or _",
      "a/../b",
    ],
    [
      "an id of 37 characters",
      { export_task_id: "x".repeat(37) },
      "export_task_id",
      "is not 1 to 36 letters, digits, - or _",
      "x".repeat(37),
    ],
    [
      "an id of 300 characters",
      { export_task_id: "x".repeat(300) },
      "export_task_id",
      "is not 1 to 36 letters, digits, - or _",
      undefined,
    ],
    [
      "an empty id",
      { export_task_id: "" },
      "export_task_id",
      "is not 1 to 36 letters, digits, - or _",
      undefined,
    ],
    ["an id that is a number", { export_task_id: 7 }, "export_task_id", "is not a text", undefined],
    ["no id", { export_task_id: undefined }, "export_task_id", "is missing", undefined],
    ["no status", { status: undefined }, "status", "is missing", id],
    ["a status that is null", { status: null }, "status", "is not a text", id],
    ["a status that is long", { status: "x".repeat(257) }, "status", "is longer than 256 characters", id],
    ["a time that is a number", { end_time: 1 }, "end_time", "is not a text", id],
    [
      "an undocumented field that is too deep",
      { x: nested(32) },
      "(undocumented)",
      "its JSON is nested deeper than 32",
      id,
    ],
    ["too many bytes", { x: "x".repeat(1_048_576) }, undefined, "it is larger than 1024 KiB", id],
  ])("%s", (_which, fields, field, problem, shownId) => {
    expect(read(fields)).toEqual({
      kind: "odd",
      item: { field, problem, id: shownId, condition: CONDITION },
    });
  });

  test.each([
    ["null", null],
    ["a list", [HEALTHY]],
    ["a text", "x"],
    ["a number", 7],
  ])("%s", (_which, item) => {
    expect(readListItem(item)).toEqual({
      kind: "odd",
      item: { field: undefined, problem: "it is not an object", id: undefined, condition: undefined },
    });
  });

  test.each<[string, unknown]>([
    ["lists", nested(6_000)],
    ["objects", nested(6_000, '{"a":', "}")],
    ["one level too deep", nested(32)],
  ])("a condition of %s that is too deep to walk through", (_which, resource_condition) => {
    expect(read({ resource_condition })).toEqual({
      kind: "odd",
      item: {
        field: "resource_condition",
        problem: "its JSON is nested deeper than 32",
        id,
        condition: undefined,
      },
    });
  });

  test("a condition that is an item's size on its own is not kept", () => {
    const resource_condition = "x".repeat(1_048_577);
    expect(read({ resource_condition })).toMatchObject({ kind: "odd", item: { condition: undefined } });
  });

  test("with an app that cannot be read, its condition is unknown", () => {
    expect(read({ app_type: 7 })).toMatchObject({ kind: "odd", item: { condition: undefined } });
  });
});

test("whatever stands in a list, reading it never fails and every healthy item is a task", () => {
  const strange = fc.oneof(
    fc.jsonValue({ maxDepth: 6 }),
    fc.record(
      {
        export_task_id: fc.jsonValue(),
        status: fc.jsonValue(),
        resource_condition: fc.jsonValue(),
        app_type: fc.jsonValue(),
        export_count: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
    fc.integer({ min: 1, max: 3_000 }).map((depth) => ({ ...HEALTHY, resource_condition: nested(depth) })),
  );
  const property = fc.property(fc.array(strange), fc.nat(), (others, at) => {
    const items = others.toSpliced(at % (others.length + 1), 0, HEALTHY);
    const text = `{"export_tasks":[${items.map(jsonOf).join(",")}]}`;
    const read = parseListAnswer(text)?.items.map(readListItem) ?? [];
    expect(read).toHaveLength(items.length);
    const healthy = read[items.indexOf(HEALTHY)];
    expect(healthy).toMatchObject({ kind: "task", task: { exportTaskId: HEALTHY.export_task_id } });
    for (const one of read) {
      if (one.kind === "task") {
        // What is taken can be written into a record and compared.
        expect(() => JSON.stringify(one.task.source)).not.toThrow();
      }
    }
  });
  fc.assert(property, { numRuns: 300 });
});

/** Deep ones by hand: `JSON.stringify` cannot. */
function jsonOf(item: unknown): string {
  const marker = "@deep@";
  let depth = 0;
  const condition =
    typeof item === "object" && item !== null && "resource_condition" in item
      ? item.resource_condition
      : undefined;
  for (let inner = condition; Array.isArray(inner); inner = inner[0]) {
    depth += 1;
  }
  return depth > 100
    ? JSON.stringify({ ...HEALTHY, resource_condition: marker }).replace(
        JSON.stringify(marker),
        () => "[".repeat(depth) + "]".repeat(depth),
      )
    : (JSON.stringify(item) ?? "null");
}
