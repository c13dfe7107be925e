import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { parseRetentionPolicy, policyDigest, ruleFor } from "./policy.ts";
import { publishedSchema } from "./testing/published-schema.ts";

const DEFAULT = { keepDays: 30, lock: "none" };

function policy(more: object = {}) {
  return parseRetentionPolicy(JSON.stringify({ schemaVersion: 1, default: DEFAULT, ...more }));
}

function problems(text: string): readonly string[] {
  try {
    parseRetentionPolicy(text);
  } catch (error) {
    expect(error).toMatchObject({ code: "retention-policy", scope: "system", retry: "never" });
    return error instanceof Error ? error.message.split("\n").slice(1) : [];
  }
  return [];
}

describe("a policy is refused", () => {
  const rule = { name: "a", when: { appId: "x" }, ...DEFAULT };
  test.each<[object, string]>([
    [{ default: undefined }, "default: is missing"],
    [{ default: { keepDay: 30, keepDays: 30, lock: "none" } }, "did you mean keepDays?"],
    [{ defaults: {} }, "did you mean default?"],
    [{ default: { lock: "none" } }, "default.keepDays: is missing"],
    [{ default: { keepDays: 0, lock: "none" } }, "default.keepDays: must be"],
    [{ default: { keepDays: 36_501, lock: "none" } }, "default.keepDays: must be"],
    [{ default: { keepDays: 1.5, lock: "none" } }, "default.keepDays: must be"],
    [{ default: { keepDays: "always", lock: "none" } }, "default.keepDays: must be"],
    [{ default: { keepDays: 1, lock: "strict" } }, "default.lock: must be one of none, governance"],
    [{ default: { keepDays: 1, lock: "none", storageClass: "A/B" } }, "default.storageClass: is not"],
    [{ schemaVersion: 2 }, "schemaVersion: is not 1"],
    [{ rules: {} }, "rules: is not a list"],
    [{ rules: [{ ...rule, when: { app: "x" } }] }, "rules[0].when.app: is not a key"],
    [{ rules: [{ ...rule, when: { appid: "x" } }] }, "did you mean appId?"],
    [{ rules: [{ ...rule, when: {} }] }, "rules[0].when: is empty"],
    [{ rules: [{ ...rule, name: "default" }] }, "rules[0].name:"],
    [{ rules: [rule, rule] }, "rules[1].name: another rule"],
    [
      { rules: [{ ...rule, when: { minSizeBytes: 2, maxSizeBytes: 1 } }] },
      "rules[0].when: minSizeBytes is greater",
    ],
    [{ rules: [{ ...rule, when: undefined }] }, "rules[0].when: is missing"],
    [{ rules: Array.from({ length: 201 }, (_, index) => ({ ...rule, name: `r${index}` })) }, "200 rules"],
  ])("policy %#", (change, problem) => {
    const text = JSON.stringify({ schemaVersion: 1, default: DEFAULT, ...change });
    expect(problems(text)).toEqual(expect.arrayContaining([expect.stringContaining(problem)]));
  });

  test("one field is told once, however many ways it is wrong in", () => {
    const half = { ...DEFAULT, keepDays: 0.5 };
    const minus = [{ name: "a", when: { minSizeBytes: -0.5 }, ...DEFAULT }];
    expect(problems(JSON.stringify({ schemaVersion: 1, default: half, rules: minus }))).toEqual([
      expect.stringMatching(/^ {2}rules\[0\]\.when\.minSizeBytes: is not a whole number/),
      expect.stringMatching(/^ {2}default\.keepDays: must be/),
    ]);
  });

  test("whatever is wrong with it, all at once", () => {
    expect(problems('{"rules":[{"name":1}]}').length).toBeGreaterThan(2);
    expect(problems("{")).toEqual(["  the policy is not JSON"]);
    expect(problems("[]")).not.toEqual([]);
    expect(problems("7")).toEqual(["  the policy: is not an object"]);
  });
});

describe("the first rule that applies counts", () => {
  const made = policy({
    rules: [
      { name: "big", when: { minSizeBytes: 1000, appId: "app-1" }, keepDays: 1, lock: "none" },
      { name: "one task", when: { condition: { task_id: "t", deep: { b: 1, a: [2] } } }, ...DEFAULT },
      { name: "small", when: { maxSizeBytes: 10 }, ...DEFAULT },
      { name: "batch", when: { resourceType: "BatchTask", appType: "GLOBAL" }, ...DEFAULT },
    ],
  });
  test.each([
    [{ app_id: "app-1" }, 1000, "big"],
    [{ app_id: "app-1" }, 999, "default"],
    [{ app_id: "app-2" }, 1000, "default"],
    [{ resource_condition: { task_id: "t", deep: { a: [2], b: 1 }, more: 1 } }, 1000, "one task"],
    [{ resource_condition: { task_id: "t", deep: { a: [2] } } }, 1000, "default"],
    [{ resource_condition: "t" }, 1000, "default"],
    [{ resource_condition: null }, 10, "small"],
    [{}, 11, "default"],
    [{ resource_type: "BatchTask", app_type: "GLOBAL" }, 100, "batch"],
    [{ resource_type: "BatchTask" }, 100, "default"],
  ])("%j with %i bytes: %s", (source, sizeBytes, name) => {
    const object = { key: "k", sizeBytes, sha256: "", etag: "" };
    expect(ruleFor(made, { source, object }).name).toBe(name);
  });
});

test("the digest tells policies apart, not spellings", () => {
  const text = '{"default":{"lock":"none","keepDays":30},"schemaVersion":1}';
  expect(policyDigest(parseRetentionPolicy(`\uFEFF${text}`))).toBe(policyDigest(policy()));
  expect(policyDigest(policy({ default: { keepDays: 31, lock: "none" } }))).not.toBe(policyDigest(policy()));
});

test("the published schema is the one the program reads by", async () => {
  const file = new URL("../../docs/retention-policy.schema.json", import.meta.url);
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual(JSON.parse(JSON.stringify(publishedSchema())));
});
