import { at, type Json, type Template, textOf } from "./template.ts";

type Expected = Readonly<Record<string, Json | RegExp>>;

/** Where properties differ from what is expected at each path. `undefined` for none is written as `null`. */
export function differences(
  logicalId: string,
  properties: { [name: string]: Json },
  expected: Expected,
): string[] {
  return Object.entries(expected).flatMap(([path, wanted]) => {
    const found = textOf(at(properties, path));
    const isRight = wanted instanceof RegExp ? wanted.test(found) : found === textOf(wanted);
    return isRight
      ? []
      : [`${logicalId}/${path} is ${found}, not ${wanted instanceof RegExp ? wanted : textOf(wanted)}`];
  });
}

/** The same for one resource of a template, which must be there. */
export function differencesOf(template: Template, logicalId: string, expected: Expected): string[] {
  const resource = template.Resources[logicalId];
  return resource === undefined
    ? [`there is no ${logicalId}`]
    : differences(logicalId, resource.Properties ?? {}, expected);
}

/** Ids that are expected and not there, or there and not expected. */
export function strangers(found: readonly string[], expected: readonly string[]): string[] {
  const odd = new Set(found).symmetricDifference(new Set(expected));
  return [...odd].map((name) => `${name} is ${found.includes(name) ? "not known to the tests" : "missing"}`);
}
