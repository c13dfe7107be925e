import { BUCKET_SABOTAGES } from "./bucket-sabotages.ts";
import { EVENT_SABOTAGES } from "./event-sabotages.ts";
import { FUNCTION_SABOTAGES } from "./function-sabotages.ts";
import { RETENTION_SABOTAGES } from "./retention-sabotages.ts";
import type { RuleName } from "./rules.ts";
import type { Template } from "./template.ts";
import { WATCH_SABOTAGES } from "./watch-sabotages.ts";
import { WHOLE_SABOTAGES } from "./whole-sabotages.ts";

/** By the rule that must see it: what is wrong, where below `Resources`, and what stands there instead of the truth. */
export type Wrongs<Name extends string> = Readonly<
  Record<Name, readonly (readonly [what: string, path: string, to: unknown])[]>
>;

/** One thing made wrong in a template: the value at a path below `Resources`, or none. */
export interface Sabotage {
  readonly stage: "prod" | "kms";
  readonly rule: RuleName;
  readonly what: string;
  readonly path: string;
  readonly to: unknown;
}

/** A rule without an entry here does not compile. */
const IN_PROD: Wrongs<RuleName> = {
  ...WHOLE_SABOTAGES,
  ...FUNCTION_SABOTAGES,
  ...EVENT_SABOTAGES,
  ...BUCKET_SABOTAGES,
  ...WATCH_SABOTAGES,
  ...RETENTION_SABOTAGES,
};

/** What can only be wrong where the bucket is encrypted with a key of one's own. */
const IN_KMS: Partial<Wrongs<RuleName>> = {
  "a KMS key is used as a bucket key": [
    [
      "a request to KMS for every object",
      "ArchiveBucket/Properties/BucketEncryption/ServerSideEncryptionConfiguration/0/BucketKeyEnabled",
      undefined,
    ],
  ],
  "each role may do exactly what its function does": [
    ["no permission to use the key", "ArchiveRole/Properties/Policies/2", undefined],
    [
      "the key may be used without S3",
      "RetainRole/Properties/Policies/2/PolicyDocument/Statement/0/Condition",
      undefined,
    ],
    [
      "the key may be used through any service",
      "ExpireRole/Properties/Policies/2/PolicyDocument/Statement/0/Condition",
      { StringLike: { "kms:ViaService": "*" } },
    ],
  ],
};

export const SABOTAGES: readonly Sabotage[] = [...rowsOf("prod", IN_PROD), ...rowsOf("kms", IN_KMS)];

function rowsOf(stage: Sabotage["stage"], wrongs: Partial<Wrongs<RuleName>>): Sabotage[] {
  return (Object.keys(wrongs) as RuleName[]).flatMap((rule) =>
    (wrongs[rule] ?? []).map(([what, path, to]) => ({ stage, rule, what, path, to })),
  );
}

/** A copy of the template with one thing wrong. @throws when nothing lies where the wrong thing should go. */
export function sabotaged(template: Template, { path, to }: Pick<Sabotage, "path" | "to">): Template {
  const copy = structuredClone(template);
  const names = path.split("/");
  const last = names.pop() ?? "";
  let parent: object = copy.Resources;
  for (const name of names) {
    parent = containerOf(Reflect.get(parent, name), path);
  }
  if (to !== undefined) {
    Reflect.set(parent, last, to);
  } else if (!Reflect.has(parent, last)) {
    throw new Error(`nothing to remove at ${path}`);
  } else if (Array.isArray(parent)) {
    parent.splice(Number(last), 1);
  } else {
    Reflect.deleteProperty(parent, last);
  }
  return copy;
}

function containerOf(value: unknown, path: string): object {
  if (typeof value !== "object" || value === null) {
    throw new Error(`nothing lies at ${path}`);
  }
  return value;
}
