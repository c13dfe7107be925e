import * as v from "valibot";
import { MAX_JSON_DEPTH, readForeignJson } from "./json.ts";
import { nearestName } from "./nearest-name.ts";

// Schemas of what operators write by hand. Each message completes "{key}: …".

/** An object that takes its own keys only; another one is most often a slip of the keyboard. @param what has the keys, with its article. */
export function exactly<const Entries extends v.ObjectEntries>(entries: Entries, what: string) {
  const known = Object.keys(entries);
  return v.strictObject(entries, (issue) => {
    if (issue.expected === "never") {
      const unknown = issue.path?.at(-1)?.key;
      const meant = typeof unknown === "string" ? nearestName(unknown, known) : undefined;
      return meant === undefined
        ? `is not a key of ${what} here; remove it (known: ${known.join(", ")})`
        : `is not a key of ${what} here; did you mean ${meant}?`;
    }
    return issue.received === "undefined" ? "is missing" : "is not an object";
  });
}

/** A number without a fraction. */
export function wholeNumberFrom(
  least: number,
  most: number,
  message = `is not a whole number from ${least} to ${most}`,
) {
  return v.pipe(v.number(message), v.integer(message), v.minValue(least, message), v.maxValue(most, message));
}

/** Text that matches; `is` completes "is not …". */
export function textLike(pattern: RegExp, is: string) {
  return v.pipe(v.string(`is not ${is}`), v.regex(pattern, `is not ${is}`));
}

/** What a name may be that stands in tags, records and reports. */
export const shortName = textLike(
  /^[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}$/,
  "1 to 63 letters, digits, spaces, _ . -",
);

/** What is read, or every problem with it, each beginning with its key. */
export type StrictRead<Output> =
  | { readonly kind: "read"; readonly value: Output }
  | { readonly kind: "refused"; readonly problems: readonly string[] };

/** Reads a JSON text by a schema. @param whole names the text where a problem is that of all of it. */
export function readStrictJson<Schema extends v.GenericSchema>(
  schema: Schema,
  text: string,
  whole: string,
): StrictRead<v.InferOutput<Schema>> {
  const json = readForeignJson(text.replace(/^\uFEFF/, ""));
  switch (json.kind) {
    case "none":
      return { kind: "refused", problems: [`${whole} is not JSON`] };
    case "too-deep":
      return { kind: "refused", problems: [`${whole} is nested deeper than ${MAX_JSON_DEPTH} levels`] };
    case "json": {
      const result = v.safeParse(schema, json.value, { abortPipeEarly: true });
      return result.success
        ? { kind: "read", value: result.output }
        : {
            kind: "refused",
            problems: result.issues.map((issue) => `${pathOf(issue, whole)}: ${issue.message}`),
          };
    }
  }
}

function pathOf(issue: v.BaseIssue<unknown>, whole: string): string {
  const keys = (issue.path ?? []).map(({ key }) =>
    typeof key === "number" ? `[${key}]` : `.${String(key)}`,
  );
  return keys.join("").replace(/^\./, "") || whole;
}
