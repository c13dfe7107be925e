import { loadAwsServiceSpecSync } from "@aws-cdk/aws-service-spec";
import type { PropertyType, Resource as SpecResource } from "@aws-cdk/service-spec-types";
import { intrinsicOf, type Json, listOf, type Resource, type Template, textOf } from "./template.ts";

const database = loadAwsServiceSpecSync();

type SpecProperties = SpecResource["properties"];

/** What the CloudFormation resource specification has against a template: properties, types, references. */
export function problemsOfSpecification(template: Template): string[] {
  return [
    ...Object.entries(template.Resources).flatMap(([logicalId, resource]) =>
      problemsOfResource(logicalId, resource, template),
    ),
    ...referenceProblems(template, "Outputs", { ...template.Outputs }),
  ];
}

function problemsOfResource(logicalId: string, resource: Resource, template: Template): string[] {
  const specified = specificationOf(resource.Type);
  if (specified === undefined) {
    return [`${logicalId} has the unknown type ${resource.Type}`];
  }
  const properties = resource.Properties ?? {};
  const dangling = listOf(resource.DependsOn as Json | undefined)
    .map(textOf)
    .filter((other) => template.Resources[other] === undefined);
  return [
    ...dangling.map((other) => `${logicalId} depends on ${other}, which is not there`),
    ...problemsOfProperties(logicalId, properties, specified.properties),
    ...referenceProblems(template, logicalId, properties),
  ];
}

function specificationOf(type: string): SpecResource | undefined {
  return database.lookup("resource", "cloudFormationType", "equals", type)[0];
}

function problemsOfProperties(
  path: string,
  properties: { [name: string]: Json },
  specified: SpecProperties,
): string[] {
  const missing = Object.entries(specified)
    .filter(([name, { required }]) => required === true && properties[name] === undefined)
    .map(([name]) => `${path} lacks ${name}`);
  const wrong = Object.entries(properties).flatMap(([name, value]) => {
    const property = specified[name];
    if (property === undefined) {
      return [`${path}.${name} is unknown`];
    }
    // A property may have had other types before, which CloudFormation still takes.
    const tries = [property.type, ...(property.previousTypes ?? [])].map((type) =>
      problemsOfValue(`${path}.${name}`, value, type),
    );
    return tries.some((problems) => problems.length === 0) ? [] : (tries[0] ?? []);
  });
  return [...missing, ...wrong];
}

function problemsOfValue(path: string, value: Json, type: PropertyType): string[] {
  if (intrinsicOf(value) !== undefined) {
    return [];
  }
  const wrongType = [`${path} is not a ${type.type}`];
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  switch (type.type) {
    case "string":
    case "date-time":
      return typeof value === "string" ? [] : wrongType;
    case "integer":
      return Number.isInteger(value) ? [] : wrongType;
    case "number":
      return typeof value === "number" ? [] : wrongType;
    case "boolean":
      return typeof value === "boolean" ? [] : wrongType;
    case "json":
      return [];
    case "null":
      return value === null ? [] : wrongType;
    case "tag":
      return isObject && "Key" in value && "Value" in value ? [] : wrongType;
    case "array":
      return Array.isArray(value)
        ? value.flatMap((element, index) => problemsOfValue(`${path}.${index}`, element, type.element))
        : wrongType;
    case "map":
      return isObject
        ? Object.entries(value).flatMap(([key, element]) =>
            problemsOfValue(`${path}.${key}`, element, type.element),
          )
        : wrongType;
    case "ref": {
      const { properties } = database.get("typeDefinition", type.reference.$ref);
      return isObject ? problemsOfProperties(path, value, properties) : wrongType;
    }
    case "union": {
      const tries = type.types.map((member) => problemsOfValue(path, value, member));
      return tries.some((problems) => problems.length === 0) ? [] : (tries[0] ?? []);
    }
  }
}

/** References to what is not there, wherever in a value they stand. */
function referenceProblems(template: Template, path: string, value: Json): string[] {
  const reference = intrinsicOf(value);
  const here = reference === undefined ? [] : referencesOf(reference);
  const children = typeof value === "object" && value !== null ? Object.values(value) : [];
  return [
    ...here.flatMap((target) => problemOfReference(template, path, target)),
    ...children.flatMap((child) => referenceProblems(template, path, child)),
  ];
}

/** `Queue`, `Queue.Arn` or `AWS::Region` for what a function refers to. */
function referencesOf({ name, argument }: { name: string; argument: Json }): string[] {
  switch (name) {
    case "Ref":
      return [textOf(argument)];
    case "Fn::GetAtt":
      return [listOf(argument).map(textOf).join(".")];
    case "Fn::Sub":
      return [...textOf(argument).matchAll(/\$\{([^!}][^}]*)\}/g)].map(([, target = ""]) => target);
    default:
      return [];
  }
}

function problemOfReference(template: Template, path: string, target: string): string[] {
  if (target.startsWith("AWS::")) {
    return [];
  }
  const [logicalId = "", ...attribute] = target.split(".");
  const resource = template.Resources[logicalId];
  if (resource === undefined) {
    return [`${path} refers to ${logicalId}, which is not there`];
  }
  const known = specificationOf(resource.Type)?.attributes ?? {};
  return attribute.length === 0 || known[attribute.join(".")] !== undefined
    ? []
    : [`${path} refers to ${target}, an attribute that ${resource.Type} does not have`];
}
