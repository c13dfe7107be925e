/** Foreign JSON nested deeper than this is not worked with: recursion over it would end in a stack overflow. */
export const MAX_JSON_DEPTH = 32;

/** Room for what a document of ours wraps around foreign JSON. */
const MAX_DOCUMENT_DEPTH = 2 * MAX_JSON_DEPTH;

/** What a foreign text turned out to be. */
export type BoundedJson =
  | { readonly kind: "json"; readonly value: unknown }
  | { readonly kind: "none" }
  | { readonly kind: "too-deep" };

/**
 * The one place where JSON from outside becomes a value that may be walked, compared and written again. Callers
 * bound the length of the text; this bounds its depth.
 */
export function readForeignJson(text: string, maxDepth = MAX_JSON_DEPTH): BoundedJson {
  const value = parseUnboundedJson(text);
  if (value === undefined) {
    return { kind: "none" };
  }
  return nestsDeeperThan(value, maxDepth) ? { kind: "too-deep" } : { kind: "json", value };
}

/** The value of a foreign JSON text; `undefined`, which no JSON text means, where it is none or nested too deep. */
export function parseJson(text: string): unknown {
  const json = readForeignJson(text);
  return json.kind === "json" ? json.value : undefined;
}

/** The same for a document of the store, whose records have foreign JSON in them. */
export function parseDocumentJson(text: string): unknown {
  const json = readForeignJson(text, MAX_DOCUMENT_DEPTH);
  return json.kind === "json" ? json.value : undefined;
}

/**
 * The value of a JSON text of any depth, `undefined` where it is none. Only for callers that take named fields out of
 * it, or judge its parts one by one: nothing may recurse into it.
 */
export function parseUnboundedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    // Its message would quote the text; that it is not JSON is all there is to say.
    if (thrown instanceof SyntaxError) {
      return undefined;
    }
    throw thrown;
  }
}

/** Whether arrays and objects stand in each other deeper than this, the value itself counted. Never recurses. */
export function nestsDeeperThan(value: unknown, limit: number): boolean {
  let level = [value].filter(isNode);
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > limit) {
      return true;
    }
    level = level.flatMap((node) => Object.values(node).filter(isNode));
  }
  return false;
}

function isNode(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** A copy of a report or a document of ours, each text in it changed on its own; names stay. */
export function mapTexts<Value>(value: Value, change: (text: string) => string): Value {
  const inner = (item: unknown): unknown => mapTexts(item, change);
  const copy: unknown =
    typeof value === "string"
      ? change(value)
      : Array.isArray(value)
        ? value.map(inner)
        : isNode(value)
          ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, inner(item)]))
          : value;
  // Only texts were changed.
  return copy as Value;
}

/** JSON with sorted keys: two spellings of one value compare equal. `undefined` for what JSON cannot say. */
export function sortedJson(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
