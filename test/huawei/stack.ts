import { readdir, readFile } from "node:fs/promises";
import { parse } from "@cdktn/hcl2json";
import * as v from "valibot";

const FOLDER = new URL("../../deploy/huawei/", import.meta.url);

const fieldsSchema = v.record(v.string(), v.unknown());
export type Fields = v.InferOutput<typeof fieldsSchema>;

/** Blocks by label, each a list of bodies, as the parser writes them. */
const blocksSchema = v.optional(v.record(v.string(), v.array(fieldsSchema)), {});
const fileSchema = v.object({
  resource: v.optional(v.record(v.string(), v.record(v.string(), v.array(fieldsSchema))), {}),
  variable: blocksSchema,
  output: blocksSchema,
  locals: v.optional(v.array(fieldsSchema), []),
});

/** The stack in `deploy/huawei`. Expressions stay text, `${…}`. */
export interface Stack {
  /** By type and name, `huaweicloud_smn_topic.alarms`. */
  readonly resources: Readonly<Record<string, Fields>>;
  readonly variables: Readonly<Record<string, Fields>>;
  readonly outputs: Readonly<Record<string, Fields>>;
  readonly locals: Fields;
}

/** @throws Error for text that is not HCL, with the file and the line. */
export async function readStack(): Promise<Stack> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith(".tf")).sort();
  const files = await Promise.all(
    names.map(async (name) =>
      v.parse(fileSchema, await parse(name, await readFile(new URL(name, FOLDER), "utf8"))),
    ),
  );
  return {
    resources: Object.fromEntries(
      files.flatMap(({ resource }) =>
        Object.entries(resource).flatMap(([type, byName]) =>
          Object.entries(byName).map(([name, bodies]) => [`${type}.${name}`, bodies[0] ?? {}] as const),
        ),
      ),
    ),
    variables: firstOfEach(files.flatMap(({ variable }) => Object.entries(variable))),
    outputs: firstOfEach(files.flatMap(({ output }) => Object.entries(output))),
    locals: Object.assign({}, ...files.flatMap(({ locals }) => locals)),
  };
}

function firstOfEach(blocks: readonly (readonly [string, readonly Fields[]])[]): Record<string, Fields> {
  return Object.fromEntries(blocks.map(([name, bodies]) => [name, bodies[0] ?? {}]));
}

/** The resources of a type, by their addresses. */
export function ofType({ resources }: Stack, type: string): [address: string, body: Fields][] {
  return Object.entries(resources).filter(([address]) => address.startsWith(`${type}.`));
}

/** What lies there as fields; none for anything else. */
export function fieldsOf(value: unknown): Fields {
  return v.is(fieldsSchema, value) ? value : {};
}

/** The bodies of a nested block, however often it stands there. */
export function bodiesOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}
