import * as v from "valibot";

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

export interface Resource {
  readonly Type: string;
  readonly Properties?: { [name: string]: Json };
  readonly DependsOn?: string | readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** A packaged CloudFormation template, as far as the rules look at it. */
export interface Template {
  readonly Resources: { readonly [logicalId: string]: Resource };
  readonly Outputs?: { readonly [name: string]: Json };
}

const json: v.GenericSchema<Json> = v.lazy(() =>
  v.union([v.string(), v.number(), v.boolean(), v.null(), v.array(json), v.record(v.string(), json)]),
);
const templateSchema: v.GenericSchema<unknown, Template> = v.looseObject({
  Resources: v.record(
    v.string(),
    v.looseObject({
      Type: v.string(),
      Properties: v.exactOptional(v.record(v.string(), json)),
      DependsOn: v.exactOptional(v.union([v.string(), v.array(v.string())])),
      DeletionPolicy: v.exactOptional(v.string()),
      UpdateReplacePolicy: v.exactOptional(v.string()),
    }),
  ),
  Outputs: v.exactOptional(v.record(v.string(), json)),
});

export function parseJson(text: string): Json {
  return v.parse(json, JSON.parse(text));
}

/** @throws ValiError when it is not a template. */
export function parseTemplate(value: Json): Template {
  return v.parse(templateSchema, value);
}

/** Resources of one type: logical id and properties. */
export function ofType(template: Template, type: string): [string, { [name: string]: Json }][] {
  return Object.entries(template.Resources)
    .filter(([, resource]) => resource.Type === type)
    .map(([logicalId, { Properties = {} }]) => [logicalId, Properties]);
}

/** What lies at a path such as `Target/RetryPolicy/MaximumRetryAttempts`; `undefined` when there is nothing. */
export function at(value: Json | undefined, path: string): Json | undefined {
  return path.split("/").reduce<Json | undefined>((inner, name) => {
    if (Array.isArray(inner)) {
      return inner[Number(name)];
    }
    return typeof inner === "object" && inner !== null ? inner[name] : undefined;
  }, value);
}

/** The fields of an object; of anything else none. */
export function fieldsOf(value: Json | undefined): { [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

export function listOf(value: Json | undefined): Json[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

/**
 * A value with its references written as `Fn::Sub` writes them, so that one reference has one text:
 * `{"Fn::GetAtt": ["Bucket", "Arn"]}` is `${Bucket.Arn}`.
 */
export function textOf(value: Json | undefined): string {
  const reference = intrinsicOf(value);
  switch (reference?.name) {
    case undefined:
      return typeof value === "string" ? value : JSON.stringify(value ?? null);
    case "Ref":
      return `\${${textOf(reference.argument)}}`;
    case "Fn::GetAtt":
      return `\${${listOf(reference.argument).map(textOf).join(".")}}`;
    case "Fn::Sub":
      return textOf(reference.argument);
    case "Fn::Join":
      return listOf(at(reference.argument, "1"))
        .map(textOf)
        .join(textOf(at(reference.argument, "0")));
    default:
      return JSON.stringify(value);
  }
}

/** The intrinsic function that a value is, if it is one. */
export function intrinsicOf(value: Json | undefined): { name: string; argument: Json } | undefined {
  const [only, ...others] = Object.entries(fieldsOf(value));
  if (only === undefined || others.length > 0 || !(only[0] === "Ref" || only[0].startsWith("Fn::"))) {
    return undefined;
  }
  return { name: only[0], argument: only[1] };
}
