import { readdirSync, readFileSync } from "node:fs";
import * as v from "valibot";
import { bodiesOf, type Fields, type Stack } from "./stack.ts";

/** Published schemas of the provider, beside a checkout of this repository where somebody has put them. */
export const SCHEMAS = new URL("../../../shared/reference/huawei-schemas/", import.meta.url);

export interface BlockSchema {
  readonly attributes?: Readonly<
    Record<string, { readonly required?: boolean | undefined; readonly optional?: boolean | undefined }>
  >;
  readonly block_types?: Readonly<
    Record<
      string,
      {
        readonly min_items?: number | undefined;
        readonly max_items?: number | undefined;
        readonly block: BlockSchema;
      }
    >
  >;
}

const blockSchema: v.GenericSchema<BlockSchema> = v.object({
  attributes: v.exactOptional(
    v.record(v.string(), v.object({ required: v.optional(v.boolean()), optional: v.optional(v.boolean()) })),
  ),
  block_types: v.exactOptional(
    v.record(
      v.string(),
      v.object({
        min_items: v.optional(v.number()),
        max_items: v.optional(v.number()),
        block: v.lazy(() => blockSchema),
      }),
    ),
  ),
});

const documentSchema = v.object({
  provider_schemas: v.record(
    v.string(),
    v.object({ resource_schemas: v.record(v.string(), v.object({ block: blockSchema })) }),
  ),
});

/** Terraform's own, which every resource may have. */
const META = new Set(["for_each", "count", "depends_on", "lifecycle", "provider"]);

/** The schema of each type of resource. */
export function readSchemas(folder: URL): Readonly<Record<string, BlockSchema>> {
  const documents = readdirSync(folder).map((name) =>
    v.parse(documentSchema, JSON.parse(readFileSync(new URL(name, folder), "utf8"))),
  );
  return Object.fromEntries(
    documents
      .flatMap(({ provider_schemas }) => Object.values(provider_schemas))
      .flatMap(({ resource_schemas }) => Object.entries(resource_schemas))
      .map(([type, { block }]) => [type, block]),
  );
}

/** What the provider would refuse: types and names that it has not, and required ones that are missing. */
export function problemsOfSchema(
  { resources }: Stack,
  schemas: Readonly<Record<string, BlockSchema>>,
): string[] {
  return Object.entries(resources).flatMap(([address, body]) => {
    const schema = schemas[address.slice(0, address.indexOf("."))];
    const own = Object.fromEntries(Object.entries(body).filter(([name]) => !META.has(name)));
    return schema === undefined ? [`${address}: no such type`] : problemsOfBlock(address, own, schema);
  });
}

function problemsOfBlock(path: string, body: Fields, schema: BlockSchema): string[] {
  const { attributes = {}, block_types = {} } = schema;
  const named = Object.entries(body).flatMap(([name, value]) => {
    const attribute = attributes[name];
    const nested = block_types[name];
    if (nested !== undefined) {
      return bodiesOf(value).flatMap((inner) => problemsOfBlock(`${path}.${name}`, inner, nested.block));
    }
    if (attribute === undefined) {
      return [`${path}.${name}: no such attribute`];
    }
    const isSettable = attribute.required === true || attribute.optional === true;
    return isSettable ? [] : [`${path}.${name}: only the provider sets it`];
  });
  const missing = Object.entries(attributes)
    .filter(([name, { required }]) => required === true && !(name in body))
    .map(([name]) => `${path}.${name}: is required`);
  const counted = Object.entries(block_types).flatMap(([name, { min_items = 0, max_items = Infinity }]) => {
    const count = bodiesOf(body[name]).length;
    return count < min_items || count > max_items ? [`${path}.${name}: stands there ${count} times`] : [];
  });
  return [...named, ...missing, ...counted];
}
