import { isDeepStrictEqual } from "node:util";
import { keysInBucket } from "../template/grants.ts";
import { fieldsOf, ofType, type Stack } from "./stack.ts";

/** What the functions do with a queue in the bucket, which the stack on AWS has not. */
const QUEUE: Readonly<Record<string, { readonly reads: string[]; readonly writes: string[] }>> = {
  archive: { reads: ["queue/*"], writes: ["queue/*"] },
  discover: { reads: ["queue/*"], writes: ["queue/messages/*"] },
  inventory: { reads: ["queue/*"], writes: ["queue/messages/*"] },
  report: { reads: ["queue/*"], writes: [] },
  exportEvents: { reads: ["queue/*"], writes: ["queue/messages/*", "queue/dead-letters/*"] },
};

const LIST = "iotda:exporttasks:queryList";
/** What each asks the platform for. `discover` creates exports only where batch tasks request them. */
const ON_PLATFORM: Readonly<Record<string, unknown>> = {
  archive: [LIST, "iotda:exporttasks:query", "iotda:exporttasks:delete"],
  discover: `\${concat(["iotda:exporttasks:queryList"], var.forward_batch_tasks ? ["iotda:exporttasks:create"] : [])}`,
  retain: [],
  expire: [LIST],
  inventory: [LIST],
  report: [LIST],
  exportEvents: [],
};

const READS_TAGS = { actions: ["obs:object:GetObjectTagging"], keys: ["exports/*", "state/preflight.json"] };
const FURTHER: Readonly<Record<string, unknown>> = {
  archive: [{ actions: ["obs:object:DeleteObject"], keys: ["queue/*"] }],
  retain: [READS_TAGS, { actions: ["obs:object:PutObjectTagging"], keys: ["exports/*"] }],
  expire: [
    READS_TAGS,
    { actions: ["obs:object:DeleteObject", "obs:object:DeleteObjectVersion"], keys: ["exports/*"] },
  ],
  inventory: [{ actions: ["obs:object:AbortMultipartUpload"], keys: ["exports/*"] }],
};

/**
 * What an agency may do too much or too little. On the bucket each has what the role of the same function has on AWS, where
 * test/template/permissions.exhaustive.test.ts compares it with the requests that the function sends.
 */
export function problemsOfGrants(stack: Stack): string[] {
  const { locals } = stack;
  const names = Object.keys(fieldsOf(locals.functions));
  const byAll = textsOf(locals.writable_by_all);
  const onBucket = names.flatMap((name) => {
    const role = `${name.charAt(0).toUpperCase()}${name.slice(1)}Role`;
    const { reads, writes } = QUEUE[name] ?? { reads: [], writes: [] };
    const ofRole = (...actions: string[]) => actions.flatMap((action) => keysInBucket(role, action));
    const puts = ofRole("s3:PutObject");
    return [
      ...differences(name, "read", keysOf(locals.readable, name), [
        ...ofRole("s3:GetObject", "s3:GetObjectVersion"),
        ...reads,
      ]),
      ...differences(name, "write", [...keysOf(locals.writable, name), ...byAll], [...puts, ...writes]),
      ...same(`what else ${name} may do`, fieldsOf(locals.further)[name], FURTHER[name]),
      ...same(`what ${name} asks of IoTDA`, fieldsOf(locals.iotda_actions)[name], ON_PLATFORM[name]),
    ];
  });
  const wide = ofType(stack, "huaweicloud_identity_role").flatMap(([address, { policy }]) =>
    /"[a-z*]*:?\*[:"]|FullAccess|Administrator/.test(String(policy).replaceAll("OBS:*:*:", ""))
      ? [`${address} has a wildcard for actions or objects`]
      : [],
  );
  const bucket = same("what all may do with the bucket", locals.bucket_actions, [
    "obs:bucket:HeadBucket",
    "obs:bucket:ListBucket",
    "obs:bucket:ListBucketMultipartUploads",
    "obs:bucket:ListBucketVersions",
  ]);
  return [...onBucket, ...bucket, ...wide];
}

function differences(name: string, verb: string, given: readonly string[], needed: readonly string[]) {
  const has = new Set(given);
  const needs = new Set(needed);
  return [
    ...[...has.difference(needs)].map((key) => `${name} may ${verb} ${key}, and does not`),
    ...[...needs.difference(has)].map((key) => `${name} may not ${verb} ${key}`),
  ];
}

function same(what: string, found: unknown, expected: unknown): string[] {
  return isDeepStrictEqual(found, expected) ? [] : [`${what} is ${JSON.stringify(found)}`];
}

function keysOf(byFunction: unknown, name: string): string[] {
  return textsOf(fieldsOf(byFunction)[name]);
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
