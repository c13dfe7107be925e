import { REDACTED, Secret } from "./secret.ts";

/** How {@link plainCopy} shows texts and which names it hides. */
export interface CopyRules {
  /** Applied to every text and every property name. */
  readonly text: (text: string) => string;
  /** Whether the value under this name is replaced unseen. */
  readonly hides: (name: string) => boolean;
  /** Whether errors keep their stack traces. */
  readonly stacks: boolean;
}

const MAX_DEPTH = 8;
const MAX_ITEMS = 100;

/**
 * Copies any value into plain JSON values within limits: 8 levels, 100 items or properties each.
 * Errors keep name, message, own fields, cause and, if asked for, the stack. Never throws, whatever the value's getters do.
 */
export function plainCopy(value: unknown, rules: CopyRules): unknown {
  return copy(value, rules, []);
}

function copy(value: unknown, rules: CopyRules, parents: readonly object[]): unknown {
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
  const shown = items.slice(0, MAX_ITEMS).map((item) => copy(item, rules, parents));
  return items.length > MAX_ITEMS ? [...shown, `(${items.length - MAX_ITEMS} more)`] : shown;
}

function copyEntries(
  entries: readonly (readonly [string, unknown])[],
  rules: CopyRules,
  parents: readonly object[],
): Record<string, unknown> {
  const shown: [string, unknown][] = entries
    .slice(0, MAX_ITEMS)
    .map(([name, item]) => [rules.text(name), rules.hides(name) ? REDACTED : copy(item, rules, parents)]);
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
