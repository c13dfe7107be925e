import type { RuleName } from "./rules.ts";
import { fieldsOf, type Stack } from "./stack.ts";

/** By the rule that must see it: what is wrong, where in the stack, and what stands there instead of the truth. */
export const SABOTAGES: Readonly<
  Record<RuleName, readonly (readonly [what: string, path: string, to: unknown])[]>
> = {
  "every function of the package is deployed, with all that it needs, and no other": [
    ["a function is left out", "locals/functions/expire", undefined],
    ["one that the package has not", "locals/functions/sweep", { instances: 1 }],
    ["a handler of another program", "resources/huaweicloud_fgs_function.archiver/handler", "index.handler"],
    ["a Node that does not run it", "resources/huaweicloud_fgs_function.archiver/runtime", "Node.js20.15"],
    ["one alarm for all", "resources/huaweicloud_ces_alarmrule.errors/for_each", undefined],
  ],
  "there is one instance of each function that a timer starts": [
    ["two archive runs", "locals/functions/archive/instances", 2],
    ["no limit", "resources/huaweicloud_fgs_function.archiver/max_instance_num", undefined],
  ],
  "no call is repeated, and the topic hears of one that failed": [
    ["a retry", "resources/huaweicloud_fgs_async_invoke_configuration.archiver/max_async_retry_attempts", 1],
    [
      "old calls",
      "resources/huaweicloud_fgs_async_invoke_configuration.archiver/max_async_event_age_in_seconds",
      3600,
    ],
    [
      "a failure is not told",
      "resources/huaweicloud_fgs_async_invoke_configuration.archiver/on_failure",
      undefined,
    ],
  ],
  "memory and time-outs are those that FunctionGraph has": [
    ["memory in between", "locals/functions/report/memory", 400],
    ["a day", "locals/functions/archive/timeout", 86_400],
  ],
  "everything that is stored is encrypted": [
    ["a plain bucket", "resources/huaweicloud_obs_bucket.archive/encryption", false],
    ["a plain package", "resources/huaweicloud_obs_bucket_object.code/encryption", undefined],
  ],
  "the archive is private, versioned, and outlives the stack": [
    ["everybody reads", "resources/huaweicloud_obs_bucket.archive/acl", "public-read"],
    ["no versions", "resources/huaweicloud_obs_bucket.archive/versioning", undefined],
    ["destroy removes it", "resources/huaweicloud_obs_bucket.archive/lifecycle", undefined],
    ["uploads stay for ever", "resources/huaweicloud_obs_bucket.archive/lifecycle_rule/0/enabled", false],
    [
      "old versions of copies end",
      "resources/huaweicloud_obs_bucket.archive/lifecycle_rule/1/prefix",
      "exports",
    ],
    ["exports end", "resources/huaweicloud_obs_bucket.archive/lifecycle_rule/2/expiration", [{ days: 30 }]],
  ],
  "secrets are in encrypted settings only": [
    ["a mail server's password", "locals/settings/ARCHIVER_SMTP", "smtps://user:password@mail.example.com"],
    [
      "secrets as plain settings",
      "resources/huaweicloud_fgs_function.archiver/user_data",
      "jsonencode(var.secret_settings)",
    ],
    ["secrets left out", "resources/huaweicloud_fgs_function.archiver/encrypted_user_data", undefined],
    ["secrets in the plan", "variables/secret_settings/sensitive", false],
    ["a default secret", "variables/secret_settings/default", { ARCHIVER_NOTIFY: "https://example.com" }],
    ["an output of them", "outputs/bucket/value", "var.secret_settings"],
    ["an access key", "variables/access_key", { type: "string" }],
  ],
  "the program reads the settings as they are, and they are short enough": [
    ["a misspelt name", "locals/settings/ARCHIVER_DELTE", "never"],
    ["no store", "locals/settings/ARCHIVER_STORE", undefined],
    ["too many", "locals/settings/POWERTOOLS_SERVICE_NAME", "x".repeat(4_000)],
  ],
  "every alarm tells the topic, and people are subscribed to it": [
    ["an alarm that is off", "resources/huaweicloud_ces_alarmrule.errors/alarm_action_enabled", false],
    ["no action", "resources/huaweicloud_ces_alarmrule.errors/alarm_actions", []],
    [
      "a silent word of the log",
      "resources/huaweicloud_lts_keywords_alarm_rule.log/send_notifications",
      undefined,
    ],
    [
      "a rule without a topic",
      "resources/huaweicloud_lts_keywords_alarm_rule.log/notification_rule",
      undefined,
    ],
    ["no subscription", "resources/huaweicloud_smn_subscription.mail", undefined],
  ],
  "each agency may do exactly what its function does": [
    ["archive removes copies", "locals/further/archive/0/keys", ["exports/*"]],
    ["retain removes too", "locals/further/retain/1/actions", ["obs:object:DeleteObject"]],
    ["discover deletes tasks", "locals/iotda_actions/discover", ["iotda:exporttasks:delete"]],
    ["archive cannot download", "locals/iotda_actions/archive/1", undefined],
    ["report writes records", "locals/writable/report/1", "records/*"],
    ["expire cannot see holds", "locals/readable/expire/4", undefined],
    ["inventory ends no uploads", "locals/further/inventory", undefined],
    ["all remove the bucket", "locals/bucket_actions/0", "obs:bucket:DeleteBucket"],
    [
      "every action",
      "resources/huaweicloud_identity_role.store/policy",
      `\${jsonencode({ Action = ["obs:*:*"] })}`,
    ],
  ],
  "no secret is taken as a further setting": [["any", "variables/further_settings/validation", undefined]],
  "every variable is described": [["a bare one", "variables/region/description", undefined]],
};

/** A copy of the stack with one thing wrong. @throws when nothing lies where the wrong thing should go. */
export function sabotaged(stack: Stack, path: string, to: unknown): Stack {
  const copy = structuredClone(stack);
  const names = path.split("/");
  const last = names.pop() ?? "";
  let parent: unknown = copy;
  for (const name of names) {
    parent = Array.isArray(parent) ? parent[Number(name)] : fieldsOf(parent)[name];
  }
  if (typeof parent !== "object" || parent === null || (to === undefined && !(last in parent))) {
    throw new Error(`nothing lies at ${path}`);
  }
  if (to !== undefined) {
    Reflect.set(parent, last, to);
  } else if (Array.isArray(parent)) {
    parent.splice(Number(last), 1);
  } else {
    Reflect.deleteProperty(parent, last);
  }
  return copy;
}
