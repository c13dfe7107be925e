import { matchesWildcards } from "../template/grants.ts";
import { fieldsOf, type Stack } from "./stack.ts";

/** What the agency of a function may do with objects of the archive: actions with patterns of keys, as its policy has them. */
function grantsOf({ locals }: Stack, name: string): (readonly [actions: string[], keys: string[]])[] {
  const of = (local: string) => textsOf(fieldsOf(locals[local])[name]);
  const further = fieldsOf(locals.further)[name];
  return [
    [["GetObject", "GetObjectVersion"], of("readable")],
    [
      ["PutObject", "AbortMultipartUpload", "ListMultipartUploadParts"],
      [...of("writable"), ...textsOf(locals.writable_by_all)],
    ],
    ...(Array.isArray(further) ? further.map(fieldsOf) : []).map(({ actions, keys }) => {
      const names = textsOf(actions).map((action) => action.replace("obs:object:", ""));
      return [names, textsOf(keys)] as const;
    }),
  ];
}

/** Whether a function's agency may do something with an object. */
export function mayWithObject(stack: Stack, name: string, action: string, key: string): boolean {
  return grantsOf(stack, name).some(
    ([actions, patterns]) =>
      actions.includes(action) && patterns.some((pattern) => matchesWildcards(key, pattern)),
  );
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
