import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSecretName, Redactor, Secret } from "./redact.ts";

/** Secrets as credentials look, with the characters that URLs, JSON and regular expressions rewrite. */
const secretText = fc
  .array(fc.constantFrom(..."abcXYZ0189+/=.$*()[]{}|^\\?&%\"' äé-_".split("")), {
    minLength: 6,
    maxLength: 40,
  })
  .map((characters) => `Z9${characters.join("")}q7`);

const noise = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.integer(),
  fc.constant(null),
  fc.constant(undefined),
  fc.boolean(),
);

/** Every place a secret was ever found in a log. */
const HIDING_PLACES: readonly ((secret: string) => unknown)[] = [
  (secret) => secret,
  (secret) => `before ${secret} after`,
  (secret) => `${secret}${secret}`,
  (secret) => ({ [secret]: 1 }),
  (secret) => ({ [`name-${secret}`]: { inner: secret } }),
  (secret) => [1, [secret], { deep: [{ deeper: secret }] }],
  (secret) => new Error(`failed with ${secret}`),
  (secret) => new Error("outer", { cause: new Error(`inner ${secret}`, { cause: { header: secret } }) }),
  (secret) => new AggregateError([new Error(secret)], "many"),
  (secret) => Object.assign(new Error("with fields"), { request: { headers: [secret] } }),
  (secret) => new URL(`https://host.example/path?part=1&k=${encodeURIComponent(secret)}`),
  (secret) => new URLSearchParams({ q: secret }),
  (secret) => `https://host.example/?${new URLSearchParams({ q: secret })}`,
  (secret) => JSON.stringify({ body: JSON.stringify({ value: secret }) }),
  (secret) => JSON.stringify({ value: secret }),
  (secret) => Buffer.from(secret).toString("base64"),
  (secret) => new Map([["header", secret]]),
  (secret) => new Set([secret]),
  (secret) => Symbol(secret),
  (secret) => new Secret(secret),
  (secret) => Buffer.from(secret),
];

function formsOf(secret: string): string[] {
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
}

describe("a known secret", () => {
  test("comes out of no place it can be planted in", () => {
    fc.assert(
      fc.property(
        secretText,
        fc.nat(HIDING_PLACES.length - 1),
        fc.dictionary(fc.string(), noise),
        (secret, place, rest) => {
          const planted = HIDING_PLACES[place]?.(secret);
          const redactor = new Redactor([secret]);
          const copy = redactor.value({ ...rest, here: planted, nested: { there: [planted] } });
          const shown = [inspect(copy, { depth: 20 }), ...allTexts(copy)].join("\n");
          for (const form of formsOf(secret)) {
            expect(shown).not.toContain(form);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("goes as a whole when it begins with another one", () => {
    expect(new Redactor(["token", "token-and-more"]).text("x token-and-more x")).toBe("x [redacted] x");
  });

  test("does not come out cut in half at the length limit", () => {
    const shown = new Redactor(["supersecretvalue"]).text(`${"x".repeat(8_186)}supersecretvalue`);
    expect(shown).not.toContain("super");
    expect(shown.length).toBeLessThan(8_300);
  });

  test("is left alone when it is too short to tell from a word", () => {
    expect(new Redactor(["abc"]).text("abcdef")).toBe("abcdef");
  });
});

describe("what looks like a secret", () => {
  test.each([
    "V11-HMAC-SHA256 Credential=AKVALUE/20260129/cn-north-4/iotdm, SignedHeaders=host, Signature=PLANTED",
    "Authorization: SDK-HMAC-SHA256 Access=PLANTED, SignedHeaders=host;x-sdk-date, Signature=PLANTED",
    "X-Security-Token: PLANTED",
    "X-Auth-Token=PLANTED",
    "https://b.s3.amazonaws.com/k?X-Amz-Credential=PLANTED&X-Amz-Signature=PLANTED&X-Amz-Security-Token=PLANTED",
    "https://b.obs.example.com/k?AWSAccessKeyId=PLANTED&Expires=1&Signature=PLANTED",
    '{"ak":"PLANTED","sk":"PLANTED","securityToken":"PLANTED"}',
    "{ ak: 'PLANTED', secretAccessKey: 'PLANTED' }",
    "http://user:PLANTED@proxy.example:3128/",
  ])("is taken out of %s", (text) => {
    const shown = new Redactor([]).text(text);
    expect(shown).not.toContain("PLANTED");
    expect(shown).toContain("[redacted]");
  });

  test.each([
    "ak",
    "SK",
    "securityToken",
    "security_token",
    "X-Security-Token",
    "authorization",
    "HUAWEICLOUD_SDK_AK",
    "secretAccessKey",
    "password",
    "Set-Cookie",
    "Signature",
  ])("is the value under the name %s, whatever it is", (name) => {
    expect(isSecretName(name)).toBe(true);
    expect(new Redactor([]).value({ a: { [name]: { any: "PLANTED" } } })).toEqual({
      a: { [name]: "[redacted]" },
    });
  });

  test.each(["exportTaskId", "key", "idempotencyKey", "revision", "task", "secretId", "sizeBytes", "risk"])(
    "is not what stands under the name %s",
    (name) => {
      expect(isSecretName(name)).toBe(false);
    },
  );

  test("leaves ordinary lines as they are", () => {
    const line =
      "archived exports/p/default/2026/11/20/5f2d/fe8e44f7-0a1b2c.zip at https://h.example/v5?limit=50";
    expect(new Redactor([]).text(line)).toBe(line);
  });
});

describe("copying", () => {
  test("keeps plain values and what an error says", () => {
    const cause = new Error("inner");
    const error = Object.assign(new Error("outer", { cause }), { code: "store-full" });
    const copy = new Redactor([]).value({ n: 1, day: new Date(0), big: 10n, error });
    expect(copy).toMatchObject({
      n: 1,
      day: "1970-01-01T00:00:00.000Z",
      big: "10",
      error: { name: "Error", message: "outer", code: "store-full", cause: { message: "inner" } },
    });
  });

  test("ends on circles, depth, size and getters that throw", () => {
    const circle: Record<string, unknown> = { items: Array.from({ length: 500 }, (_, index) => index) };
    circle.self = circle;
    Object.defineProperty(circle, "bad", {
      enumerable: true,
      get: () => {
        throw new TypeError("no");
      },
    });
    const copy = new Redactor([]).value(circle) as Record<string, unknown>;
    expect(copy.self).toBe("(circular)");
    expect(copy.bad).toBe("(unreadable TypeError)");
    expect(copy.items).toHaveLength(101);

    let deep: unknown = "bottom";
    for (let level = 0; level < 1_000; level++) {
      deep = { deep };
    }
    expect(JSON.stringify(new Redactor([]).value(deep))).toContain("(too deep)");
    const hostile = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new RangeError("no");
        },
      },
    );
    expect(new Redactor([]).value(hostile)).toBe("(unreadable RangeError)");
  });
});

test("a Secret shows nowhere but in reveal()", () => {
  const secret = new Secret("PLANTED");
  expect(secret.reveal()).toBe("PLANTED");
  const shown = [
    `${secret}`,
    String(secret),
    JSON.stringify({ secret }),
    inspect({ secret }),
    inspect(secret, { showHidden: true }),
  ];
  expect(shown.join()).not.toContain("PLANTED");
});

/** Every text and property name in a plain value, as it is, without the quoting of a printer. */
function allTexts(value: unknown): string[] {
  if (typeof value === "string") {
    return [value];
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([name, item]) => [name, ...allTexts(item)]);
  }
  return [];
}
