/** The parts of a valibot schema that {@link jsonSchemaOf} reads. */
interface Described {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Described>>;
  readonly item?: Described;
  readonly options?: readonly (Described | string)[];
  readonly literal?: unknown;
  readonly wrapped?: Described;
  readonly default?: unknown;
  readonly pipe?: readonly Described[];
  readonly requirement?: unknown;
}

type JsonSchema = { readonly [keyword: string]: unknown };

/** What each check of a pipe says in JSON Schema. */
const CHECKS: Readonly<Record<string, (requirement: unknown, of: string) => JsonSchema>> = {
  integer: () => ({ type: "integer" }),
  min_value: (minimum) => ({ minimum }),
  max_value: (maximum) => ({ maximum }),
  max_length: (maxItems) => ({ maxItems }),
  regex: (pattern) => ({ pattern: pattern instanceof RegExp ? pattern.source : String(pattern) }),
};

/**
 * A valibot schema as JSON Schema, for the kinds that the retention policy uses.
 *
 * @throws TypeError for a kind it does not know: the published schema must not say less than the program does.
 */
export function jsonSchemaOf(schema: Described): JsonSchema {
  const { pipe } = schema;
  if (pipe !== undefined) {
    const [first, ...checks] = pipe;
    if (first === undefined) {
      throw new TypeError("an empty pipe");
    }
    const parts = checks.map((check) => partOf(check, schema.type));
    return Object.assign({}, jsonSchemaOf(first), ...parts);
  }
  switch (schema.type) {
    case "strict_object":
      return objectOf(schema.entries ?? {});
    case "array":
      return { type: "array", items: schema.item === undefined ? {} : jsonSchemaOf(schema.item) };
    case "record":
      return { type: "object" };
    case "optional":
      return {
        ...(schema.wrapped === undefined ? {} : jsonSchemaOf(schema.wrapped)),
        ...(schema.default === undefined ? {} : { default: schema.default }),
      };
    case "union":
      return { anyOf: (schema.options ?? []).map((option) => optionOf(option)) };
    case "picklist":
      return { enum: schema.options };
    case "literal":
      return { const: schema.literal };
    case "string":
    case "number":
      return { type: schema.type };
    default:
      throw new TypeError(`no JSON Schema for ${schema.type}`);
  }
}

function optionOf(option: Described | string): JsonSchema {
  return typeof option === "string" ? { const: option } : jsonSchemaOf(option);
}

function partOf({ type, requirement }: Described, of: string): JsonSchema {
  const check = CHECKS[type];
  if (check === undefined) {
    throw new TypeError(`no JSON Schema for the check ${type}`);
  }
  return check(requirement, of);
}

function objectOf(entries: Readonly<Record<string, Described>>): JsonSchema {
  const names = Object.keys(entries);
  return {
    type: "object",
    properties: Object.fromEntries(
      Object.entries(entries).map(([name, entry]) => [name, jsonSchemaOf(entry)]),
    ),
    required: names.filter((name) => entries[name]?.type !== "optional"),
    additionalProperties: false,
  };
}

/** The published schema, as it stands in docs/retention-policy.schema.json. */
export function publishedSchema(schema: Described): JsonSchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Retention policy of the IoTDA export archiver",
    description:
      "Rules are tried in order; the first that applies decides, and `default` where none does. keepDays are days of 24 hours from archivedAt. The storage class is given as a tag, for the bucket's lifecycle rules.",
    ...jsonSchemaOf(schema),
  };
}
