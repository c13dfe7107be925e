import { inspect } from "node:util";

/** What stands in every text where a secret stood. */
export const REDACTED = "[redacted]";

/**
 * A key, token or password on its way from the configuration to the one place that needs it. Printed,
 * logged or turned into JSON it shows {@link REDACTED}; only {@link reveal} gives the value (promise I9).
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call it only where the value is used, never where it is shown. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

/** Shorter values occur in ordinary words; the configuration refuses such secrets. */
export const MIN_SECRET_LENGTH = 4;

/**
 * Shorter values stay in results: programs read those, and a bucket named `test` is not a secret because a store on
 * a developer's machine has `test` as its secret key. Keys of Huawei and AWS and the event secret are all longer.
 */
const LEAST_LENGTH_IN_RESULTS = 16;

/** The longest text that is shown of one value. */
const MAX_TEXT_LENGTH = 8_192;

/**
 * Names whose value is a secret whatever it looks like, compared without case, dashes and underscores:
 * `ak`, `HUAWEICLOUD_SDK_SK`, `X-Security-Token`, `secretAccessKey`, `Authorization` …
 */
const SECRET_NAME =
  /^[as]k$|sdk[as]k$|accesskey(id)?$|secretkey$|privatekey$|token$|signature$|authorization$|passw(or)?d$|^(set)?cookie$|secret$/;

/** Whether the value under this name is redacted unseen. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name.toLowerCase().replace(/[^a-z0-9]/g, ""));
}

/** Signature-like material in running text; each keeps what names it, so that a reader sees what was there. */
const SECRET_TEXT: readonly RegExp[] = [
  // Query parameters and Authorization parts: Signature=…, X-Amz-Credential=…, AWSAccessKeyId=…, Access=…
  /\b((?:x-(?:amz|obs)-)?(?:signature|credential|security-token|accesskeyid|access)=)[^\s&,;"'<>]+/gi,
  /\b((?:awsaccesskeyid|[as]k|access_?key|secret_?key|(?:security|session|auth)_?token|token|password)=)[^\s&,;"'<>]+/gi,
  // Header lines, to the end of the line.
  /\b((?:proxy-)?authorization["']?\s{0,3}[:=]\s{0,3}["']?)[^"'\r\n]+/gi,
  /\b(x-(?:[a-z]{1,8}-){0,2}token["']?\s{0,3}[:=]\s{0,3}["']?)[^\s"',;&]+/gi,
  // JSON and inspected objects inside a text.
  /(["']?\b(?:[as]k|access_?key(?:_?id)?|secret_?(?:access_?)?key|(?:security|session|auth)_?token)["']?\s{0,3}:\s{0,3}["'])[^"']+/gi,
  // User and password of a URL.
  /(\b[a-z][a-z0-9+.-]{1,15}:\/\/)[^\s/?#@"']{1,1000}@/gi,
];

/** Is told of secrets that are read while the program runs, before any other part of the program has them. */
export type SecretLearner = Pick<Redactor, "learn">;

/** Learns secrets, and takes them out of what is returned, stored or printed as a result. */
export type ResultRedactor = Pick<Redactor, "learn" | "result">;

/** Takes secrets out of texts and values before they are shown (promise I9). */
export class Redactor {
  readonly #known = new KnownForms(MIN_SECRET_LENGTH);
  readonly #knownInResults = new KnownForms(LEAST_LENGTH_IN_RESULTS);

  /** @param secrets values that never come out; those of less than 4 characters are left alone. */
  constructor(secrets: readonly (string | Secret)[]) {
    this.learn(secrets);
  }

  /** Values that must not come out from now on either: keys that are read while the program runs. */
  learn(secrets: readonly (string | Secret)[]): void {
    const values = secrets.map((secret) => (secret instanceof Secret ? secret.reveal() : secret));
    this.#known.add(values);
    this.#knownInResults.add(values);
  }

  /** The whole text without known secrets; nothing else in it is touched. */
  withoutKnown(text: string): string {
    return this.#known.without(text);
  }

  /** The whole text as a result may hold it: without known secrets, except for words that are too short to be told. */
  result(text: string): string {
    return this.#knownInResults.without(text);
  }

  /** The text without known secrets and without signature-like material, at most 8,192 characters of it. */
  text(text: string): string {
    let shown = this.withoutKnown(text);
    for (const pattern of SECRET_TEXT) {
      shown = shown.replace(pattern, (whole: string, lead: string) =>
        whole.endsWith("@") ? `${lead}${REDACTED}@` : `${lead}${REDACTED}`,
      );
    }
    // Cut only now: half a secret would no longer be recognised.
    return shown.length <= MAX_TEXT_LENGTH ? shown : `${shown.slice(0, MAX_TEXT_LENGTH)}… (cut)`;
  }

  /**
   * A copy made of plain JSON values, every text and property name in it redacted. Never throws.
   * @param stacks whether errors keep their stack traces.
   */
  value(value: unknown, stacks = true): unknown {
    return plainCopy(value, { text: (text) => this.text(text), stacks });
  }
}

/** Known secrets in all their forms. */
class KnownForms {
  readonly #leastLength: number;
  readonly #forms = new Set<string>();
  #pattern: RegExp | undefined;

  constructor(leastLength: number) {
    this.#leastLength = leastLength;
  }

  add(values: readonly string[]): void {
    for (const form of values.filter(({ length }) => length >= this.#leastLength).flatMap(writtenForms)) {
      this.#forms.add(form);
    }
    // The longest first: a secret that begins with another one must go as a whole.
    const longestFirst = [...this.#forms].sort((a, b) => b.length - a.length);
    this.#pattern =
      longestFirst.length === 0 ? undefined : new RegExp(longestFirst.map(escapeRegExp).join("|"), "g");
  }

  without(text: string): string {
    return this.#pattern === undefined ? text : text.replace(this.#pattern, REDACTED);
  }
}

/** The forms a secret takes on its way through a program: as it is, in a URL, in a form, in JSON, in Base64. */
function writtenForms(secret: string): string[] {
  const forms = [secret, JSON.stringify(secret).slice(1, -1), Buffer.from(secret, "utf8").toString("base64")];
  if (secret.isWellFormed()) {
    const inUrl = encodeURIComponent(secret);
    const strict = inUrl.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
    const inForm = new URLSearchParams({ v: secret }).toString().slice("v=".length);
    forms.push(
      inUrl,
      strict,
      inForm,
      inUrl.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    );
  }
  return forms;
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/** How {@link plainCopy} shows what it copies. */
interface CopyRules {
  /** Applied to every text and every property name. */
  readonly text: (text: string) => string;
  /** Whether errors keep their stack traces. */
  readonly stacks: boolean;
}

const MAX_DEPTH = 8;
const MAX_ITEMS = 100;

/**
 * Copies any value into plain JSON values within limits: 8 levels, 100 items or properties each.
 * Errors keep name, message, own fields, cause and, if asked for, the stack. Never throws, whatever the value's getters do.
 */
function plainCopy(value: unknown, rules: CopyRules, parents: readonly object[] = []): unknown {
  switch (typeof value) {
    case "string":
      return rules.text(value);
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "bigint":
      return rules.text(String(value));
    case "boolean":
    case "undefined":
      return value;
    case "symbol":
      return rules.text(String(value));
    case "function":
      return "(function)";
    case "object":
      return value === null ? null : copyObject(value, rules, parents);
  }
}

function copyObject(value: object, rules: CopyRules, parents: readonly object[]): unknown {
  if (value instanceof Secret) {
    return REDACTED;
  }
  if (parents.includes(value)) {
    return "(circular)";
  }
  if (parents.length >= MAX_DEPTH) {
    return "(too deep)";
  }
  const inside = [...parents, value];
  try {
    if (value instanceof Date) {
      return Number.isNaN(value.getTime()) ? "(invalid date)" : value.toISOString();
    }
    if (value instanceof URL || value instanceof URLSearchParams || value instanceof RegExp) {
      return rules.text(String(value));
    }
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
      // Bytes may be anything, a body or a key: their number says enough.
      return `(${value.byteLength} bytes)`;
    }
    if (value instanceof Map) {
      return copyEntries(
        [...value].map(([key, item]) => [typeof key === "string" ? key : "(key)", item]),
        rules,
        inside,
      );
    }
    if (Array.isArray(value) || value instanceof Set) {
      return copyItems([...value], rules, inside);
    }
    const entries: [string, unknown][] =
      value instanceof Error ? errorEntries(value, rules) : ownEntries(value);
    return copyEntries(entries, rules, inside);
  } catch (unreadable) {
    return `(unreadable ${unreadable instanceof Error ? unreadable.name : "object"})`;
  }
}

function copyItems(items: readonly unknown[], rules: CopyRules, parents: readonly object[]): unknown[] {
  const shown = items.slice(0, MAX_ITEMS).map((item) => plainCopy(item, rules, parents));
  return items.length > MAX_ITEMS ? [...shown, `(${items.length - MAX_ITEMS} more)`] : shown;
}

function copyEntries(
  entries: readonly (readonly [string, unknown])[],
  rules: CopyRules,
  parents: readonly object[],
): Record<string, unknown> {
  const shown: [string, unknown][] = entries
    .slice(0, MAX_ITEMS)
    .map(([name, item]) => [
      rules.text(name),
      isSecretName(name) ? REDACTED : plainCopy(item, rules, parents),
    ]);
  if (entries.length > MAX_ITEMS) {
    shown.push(["(more)", entries.length - MAX_ITEMS]);
  }
  return Object.fromEntries(shown);
}

/** Own enumerable properties; a getter that throws shows as such and hides nothing else. */
function ownEntries(value: object): [string, unknown][] {
  return Object.keys(value).map((name) => [name, readProperty(value, name)]);
}

function errorEntries(error: Error, rules: CopyRules): [string, unknown][] {
  const stack = rules.stacks ? ["stack"] : [];
  const shown = ["name", "message", ...Object.keys(error), ...stack, "cause", "errors"];
  return [...new Set(shown)].filter((name) => name in error).map((name) => [name, readProperty(error, name)]);
}

function readProperty(value: object, name: string): unknown {
  try {
    return Reflect.get(value, name);
  } catch (unreadable) {
    return `(unreadable ${unreadable instanceof Error ? unreadable.name : "property"})`;
  }
}
