import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TaskMessage } from "../domain/task-message.ts";
import { encodeMessage, MAX_BODY_BYTES, parseBody, withoutProgress } from "./message-codec.ts";

const ID = "5f2d9c3a1b2c3d4e5f6a7b8c";

function messageOf(body: string): TaskMessage {
  const parsed = parseBody(body);
  if (parsed.kind !== "task") {
    throw new Error(parsed.problem);
  }
  return parsed.message;
}

function problemOf(body: string): string {
  const parsed = parseBody(body);
  if (parsed.kind !== "unreadable") {
    throw new Error("the body is readable");
  }
  return parsed.problem;
}

const timeMs = fc.integer({ min: Date.parse("0000-01-01"), max: Date.parse("9999-12-31T23:59:59.999Z") });
const hex = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`));
const OWN_NAMES = new Set(
  "exportTaskId export_task_id revision attempts requestedAt firstFailedAt notBefore absentSince needsFullRun alone rejectedSha256 source __proto__ prototype constructor".split(
    " ",
  ),
);
const extra = fc.dictionary(
  fc.string().filter((name) => !OWN_NAMES.has(name)),
  // -0 is the one JSON value that JSON does not give back
  fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
  { minKeys: 1, maxKeys: 5, noNullPrototype: true },
);
const message: fc.Arbitrary<TaskMessage> = fc.record(
  {
    exportTaskId: fc.stringMatching(/^[A-Za-z0-9_-]{1,36}$/),
    revision: hex(8),
    attempts: fc.nat(),
    requestedAtMs: timeMs,
    firstFailedAtMs: timeMs,
    notBeforeMs: timeMs,
    absentSinceMs: timeMs,
    needsFullRun: fc.boolean(),
    alone: fc.boolean(),
    rejectedSha256: hex(64),
    source: fc.constantFrom("discover" as const, "event" as const, "cli" as const),
    extra,
  },
  { requiredKeys: ["exportTaskId"] },
);

describe("a message written and read again", () => {
  test("is the same message", () => {
    fc.assert(
      fc.property(message, (original) => {
        expect(messageOf(encodeMessage(original))).toEqual(original);
      }),
    );
  });

  test("is one line of JSON with the names and ISO times of architecture §6.2", () => {
    const body = encodeMessage({
      exportTaskId: ID,
      revision: "fe8e44f7",
      attempts: 2,
      requestedAtMs: Date.parse("2026-11-22T01:02:03.004Z"),
      alone: true,
      source: "event",
      extra: { ticket: "OPS-7" },
    });
    expect(JSON.parse(body)).toEqual({
      exportTaskId: ID,
      revision: "fe8e44f7",
      attempts: 2,
      requestedAt: "2026-11-22T01:02:03.004Z",
      alone: true,
      source: "event",
      ticket: "OPS-7",
    });
    expect(body).not.toContain("\n");
  });

  test("is refused when a time has no ISO text of four-digit years", () => {
    expect(() => encodeMessage({ exportTaskId: ID, notBeforeMs: Number.NaN })).toThrow(RangeError);
    expect(() => encodeMessage({ exportTaskId: ID, notBeforeMs: 8e15 })).toThrow(RangeError);
  });

  test("never lets a foreign field stand for one of ours", () => {
    const body = encodeMessage({
      exportTaskId: ID,
      extra: { attempts: 9, export_task_id: "other", exportTaskId: "other" },
    });
    expect(JSON.parse(body)).toEqual({ exportTaskId: ID });
  });
});

describe("reading a body", () => {
  test("never throws, whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (text) => {
        expect(["task", "unreadable"]).toContain(parseBody(text).kind);
      }),
    );
  });

  test("never throws on an object with our field names and any values", () => {
    const names = fc.constantFrom(...OWN_NAMES, "other");
    fc.assert(
      fc.property(fc.dictionary(names, fc.oneof(fc.jsonValue(), fc.constant(ID))), (fields) => {
        const body = JSON.stringify(fields);
        if (parseBody(body).kind === "task") {
          expect(messageOf(encodeMessage(messageOf(body)))).toEqual(messageOf(body));
        }
      }),
    );
  });

  test.each([ID, ` ${ID}\n`, "\uFEFFabc", "1234", "true", "null", "x".repeat(36)])(
    "takes %j as a bare id",
    (body) => {
      expect(messageOf(body)).toEqual({ exportTaskId: body.trim() });
    },
  );

  test("takes export_task_id for exportTaskId, and both when they agree", () => {
    expect(messageOf(`{"export_task_id":"${ID}"}`)).toEqual({ exportTaskId: ID });
    expect(messageOf(`{"export_task_id":"${ID}","exportTaskId":"${ID}"}`)).toEqual({ exportTaskId: ID });
    expect(problemOf('{"export_task_id":"a","exportTaskId":"b"}')).toContain("two different tasks");
  });

  test("takes null for an absent field", () => {
    expect(messageOf(`{"exportTaskId":"${ID}","revision":null,"alone":null}`)).toEqual({ exportTaskId: ID });
  });

  test("keeps unknown fields", () => {
    expect(messageOf(`{"exportTaskId":"${ID}","a":{"b":[1,null]}}`).extra).toEqual({ a: { b: [1, null] } });
  });

  test("is not fooled by __proto__", () => {
    const parsed = messageOf(
      `{"exportTaskId":"${ID}","__proto__":{"attempts":7},"constructor":{"prototype":{"x":1}}}`,
    );
    expect(parsed.attempts).toBeUndefined();
    expect(Object.keys(parsed)).toEqual(["exportTaskId"]);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
    expect(parseBody('{"__proto__":{"exportTaskId":"a"}}').kind).toBe("unreadable");
  });

  test.each([
    ["2026-11-22T01:02:03.004Z", "2026-11-22T01:02:03.004Z"],
    ["2026-11-22T01:02:03Z", "2026-11-22T01:02:03.000Z"],
    ["2026-11-22T01:02Z", "2026-11-22T01:02:00.000Z"],
    ["2026-11-22T01:02:03.004567+00:00", "2026-11-22T01:02:03.004Z"],
    ["2026-11-22T09:02:03+08:00", "2026-11-22T01:02:03.000Z"],
  ])("reads the time %s", (text, expected) => {
    expect(messageOf(JSON.stringify({ exportTaskId: ID, notBefore: text })).notBeforeMs).toBe(
      Date.parse(expected),
    );
  });

  test.each([
    ["", "neither"],
    ["x".repeat(37), "neither"],
    ["../etc/passwd", "neither"],
    ['"abc"', "not an object"],
    ["[]", "not an object"],
    ["{}", "no exportTaskId"],
    ['{"exportTaskId":"a/b"}', "field exportTaskId"],
    ['{"exportTaskId":7}', "field exportTaskId"],
    ['{"exportTaskId":"a","revision":"FE8E44F7"}', "field revision"],
    ['{"exportTaskId":"a","revision":"fe8e44f"}', "field revision"],
    ['{"exportTaskId":"a","attempts":-1}', "field attempts"],
    ['{"exportTaskId":"a","attempts":1.5}', "field attempts"],
    ['{"exportTaskId":"a","attempts":"2"}', "field attempts"],
    ['{"exportTaskId":"a","requestedAt":1795312923004}', "field requestedAt"],
    ['{"exportTaskId":"a","requestedAt":"2026-11-22"}', "field requestedAt"],
    ['{"exportTaskId":"a","requestedAt":"2026-11-22T01:02:03"}', "field requestedAt"],
    ['{"exportTaskId":"a","requestedAt":"2026-02-30T01:02:03Z"}', "field requestedAt"],
    ['{"exportTaskId":"a","requestedAt":"0000-01-01T00:00:00+01:00"}', "field requestedAt"],
    ['{"exportTaskId":"a","alone":"yes"}', "field alone"],
    ['{"exportTaskId":"a","source":"cron"}', "field source"],
    ['{"exportTaskId":"a","rejectedSha256":"00"}', "field rejectedSha256"],
    [`{"exportTaskId":"a","deep":${"[".repeat(40)}${"]".repeat(40)}}`, "nests deeper"],
  ])("calls %j unreadable", (body, problem) => {
    expect(problemOf(body)).toContain(problem);
  });

  test("quotes nothing of the body in its problem", () => {
    const secret = "hunter2";
    for (const body of [
      `${secret}!`,
      `{"exportTaskId":"${secret}!"}`,
      `{"exportTaskId":"a","revision":"${secret}"}`,
    ]) {
      expect(problemOf(body)).not.toContain(secret);
    }
  });

  test("refuses more than 256 KiB of UTF-8, counted in bytes", () => {
    const body = (text: string) => JSON.stringify({ exportTaskId: ID, text });
    expect(parseBody(body("x".repeat(MAX_BODY_BYTES / 2))).kind).toBe("task");
    expect(problemOf(body("€".repeat(MAX_BODY_BYTES / 2)))).toContain("larger than 256 KiB");
  });

  test("refuses what grows beyond the limit when it is sent again", () => {
    const numbers = `[${Array(MAX_BODY_BYTES / 8)
      .fill("1e20")
      .join(",")}]`;
    expect(problemOf(`{"exportTaskId":"a","numbers":${numbers}}`)).toContain(
      "The body is too large: with its progress",
    );
  });

  test("measures what is sent again as SQS takes it: with its refused characters escaped", () => {
    const room = MAX_BODY_BYTES - 2_048;
    const body = (bytes: number) => `{"exportTaskId":"a","note":"${"\\ufffe".repeat(bytes / 6)}"}`;
    expect(parseBody(body(room)).kind).toBe("task");
    expect(problemOf(body(room + 1_800))).toContain("The body is too large: with its progress");
  });

  test("refuses 100,000 nested arrays without running out of stack", () => {
    const deep = `{"exportTaskId":"a","deep":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    expect(problemOf(deep)).toContain("nests deeper");
  });
});

describe("the body of a dead letter", () => {
  test("has no progress, and all the rest", () => {
    fc.assert(
      fc.property(message, (original) => {
        const { exportTaskId, revision, source, extra: foreign } = original;
        const left = messageOf(withoutProgress(encodeMessage(original)));
        expect(left).toEqual(
          Object.fromEntries(
            Object.entries({ exportTaskId, revision, source, extra: foreign }).filter(
              ([, value]) => value !== undefined,
            ),
          ),
        );
      }),
    );
  });

  test.each([ID, ` ${ID} `, "not { json", '{"exportTaskId":"a","attempts":-1}'])(
    "stays %j as it is",
    (body) => {
      expect(withoutProgress(body)).toBe(body);
    },
  );
});
