import { readFileSync } from "node:fs";
import { AgencyKeys } from "../../lib/config/agency-keys.ts";
import { readConfiguration } from "../../lib/config/configuration.ts";
import { ConfigurationError } from "../../lib/config/errors.ts";
import { SETTINGS } from "../../lib/config/names.ts";
import { problemsOfGrants } from "./grant-rules.ts";
import { bodiesOf, type Fields, fieldsOf, ofType, type Stack } from "./stack.ts";

type Rule = (stack: Stack) => string[];

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: as the parser writes an expression
const EACH_FUNCTION = "${local.functions}";
const TOPIC = "${huaweicloud_smn_topic.alarms.topic_urn}";
const CALLS_OF_SETTINGS =
  '${jsonencode({ for name, text in merge(var.further_settings, local.settings) : name => text if text != "" })}';
const INSTANCES = "${tostring(each.value.instances)}";
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: as the parser writes an expression

/** Of each function there is one. */
const PER_FUNCTION = [
  "huaweicloud_fgs_function.archiver",
  "huaweicloud_fgs_async_invoke_configuration.archiver",
  "huaweicloud_identity_agency.function",
  "huaweicloud_identity_role.project",
  "huaweicloud_identity_role.store",
  "huaweicloud_lts_stream.archiver",
  "huaweicloud_ces_alarmrule.errors",
];

/** FunctionGraph user guide, "Configuring Basic Settings". */
const MEMORY_MB = [128, 256, 512, 768, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 8192, 10240];
/** Longer calls are for a whitelist by one of its pages. */
const MOST_SECONDS = 3_600;
/** Of names and values (FunctionGraph user guide, "Configuring Environment Variables"). */
const MOST_CHARACTERS = 4_096;

/** What the variables may be; each as a person fills it in. */
const EXAMPLE: Readonly<Record<string, string>> = {
  "var.region": "cn-north-4",
  "var.iotda_endpoint": "https://iotda.cn-north-4.myhuaweicloud.com",
  "var.iotda_project_id": "0123456789abcdef0123456789abcdef",
  "var.iotda_instance_id": "",
  "var.archive_id": "",
  "var.deletion": "never",
  "var.retention_policy": '{"schemaVersion":1,"default":{"keepDays":"forever","lock":"none"}}',
  "var.time_zone": "Asia/Shanghai",
  "huaweicloud_obs_bucket.archive.bucket": "my-iotda-archive",
};

function functionsOf({ locals }: Stack): [name: string, body: Fields][] {
  return Object.entries(fieldsOf(locals.functions)).map(([name, body]) => [name, fieldsOf(body)]);
}

function must(problem: string, isSo: boolean): string[] {
  return isSo ? [] : [problem];
}

/** Everything that the stack must keep to, by name. */
export const RULES = {
  "every function of the package is deployed, with all that it needs, and no other": (stack) => {
    const source = readFileSync(new URL("../../lib/functiongraph/main.ts", import.meta.url), "utf8");
    const packaged = [...source.matchAll(/^ {2}([A-Za-z]+): async \(\) => \(await import/gm)].map(
      ([, name]) => name,
    );
    const deployed = functionsOf(stack).map(([name]) => name);
    const { handler, runtime } = stack.resources["huaweicloud_fgs_function.archiver"] ?? {};
    return [
      ...must(`deployed are ${deployed}`, packaged.sort().join() === deployed.sort().join()),
      ...must("the handler does not name the function", /^\$\{each\.key\}\.handler$/.test(String(handler))),
      ...must("the runtime is not the custom one", runtime === "Custom"),
      ...PER_FUNCTION.flatMap((address) =>
        must(`${address} is not there for each`, stack.resources[address]?.for_each === EACH_FUNCTION),
      ),
    ];
  },

  "there is one instance of each function that a timer starts": (stack) => [
    ...must("limit", stack.resources["huaweicloud_fgs_function.archiver"]?.max_instance_num === INSTANCES),
    ...functionsOf(stack).flatMap(([name, { instances }]) =>
      must(`${name} has ${instances} instances`, instances === (name === "exportEvents" ? 5 : 1)),
    ),
  ],

  "no call is repeated, and the topic hears of one that failed": (stack) =>
    ofType(stack, "huaweicloud_fgs_async_invoke_configuration").flatMap(([address, body]) => [
      ...must(`${address} repeats calls`, body.max_async_retry_attempts === 0),
      ...must(`${address} keeps calls`, body.max_async_event_age_in_seconds === 60),
      ...must(
        `${address} has no listener`,
        bodiesOf(body.on_failure).some(
          ({ destination, param }) =>
            destination === "SMN" && String(param).includes("huaweicloud_smn_topic.alarms.topic_urn"),
        ),
      ),
    ]),

  "memory and time-outs are those that FunctionGraph has": (stack) =>
    functionsOf(stack).flatMap(([name, { memory, timeout }]) => [
      ...must(`${name} has ${memory} MB`, MEMORY_MB.includes(Number(memory))),
      ...must(`${name} has ${timeout} s`, Number(timeout) >= 3 && Number(timeout) <= MOST_SECONDS),
    ]),

  "everything that is stored is encrypted": (stack) => [
    ...ofType(stack, "huaweicloud_obs_bucket").flatMap(([address, { encryption, sse_algorithm }]) =>
      must(`${address} is not encrypted`, encryption === true && sse_algorithm === "AES256"),
    ),
    ...ofType(stack, "huaweicloud_obs_bucket_object").flatMap(([address, { encryption }]) =>
      must(`${address} is not encrypted`, encryption === true),
    ),
  ],

  "the archive is private, versioned, and outlives the stack": ({ resources }) => {
    const { acl, versioning, force_destroy, lifecycle, lifecycle_rule } =
      resources["huaweicloud_obs_bucket.archive"] ?? {};
    const rules = bodiesOf(lifecycle_rule);
    return [
      ...must("others may read it", acl === "private"),
      ...must("it has no versions", versioning === true),
      ...must(
        "it can be removed",
        force_destroy === false && bodiesOf(lifecycle)[0]?.prevent_destroy === true,
      ),
      ...must(
        "uploads stay",
        rules.some((rule) => rule.enabled === true && "abort_incomplete_multipart_upload" in rule),
      ),
      ...rules.flatMap(({ name, prefix, expiration, ...rule }) => [
        ...must(`${name} removes objects`, expiration === undefined),
        ...must(
          `${name} removes versions of copies`,
          !("noncurrent_version_expiration" in rule) || prefix === "state" || prefix === "queue",
        ),
      ]),
    ];
  },

  "secrets are in encrypted settings only": (stack) => {
    const secrets = new Set(SETTINGS.filter(({ isSecret }) => isSecret).map(({ name }) => name));
    const { user_data, encrypted_user_data } = stack.resources["huaweicloud_fgs_function.archiver"] ?? {};
    const plain = Object.keys(fieldsOf(stack.locals.settings)).filter((name) => secrets.has(name));
    const { sensitive, default: preset } = stack.variables.secret_settings ?? {};
    return [
      ...plain.map((name) => `${name} is not encrypted`),
      ...must("settings are given in another way", user_data === CALLS_OF_SETTINGS),
      ...must(
        "secrets are not given",
        String(encrypted_user_data).includes("jsonencode(var.secret_settings)"),
      ),
      ...must("secrets are shown", sensitive === true),
      ...must("a secret stands in the stack", JSON.stringify(preset) === "{}"),
      ...Object.entries(stack.outputs).flatMap(([name, output]) =>
        must(`output ${name} shows secrets`, !/secret|user_data/.test(JSON.stringify(output))),
      ),
      ...Object.keys(stack.variables).flatMap((name) =>
        must(`variable ${name}`, name === "secret_settings" || !/secret|password|token|_key/.test(name)),
      ),
    ];
  },

  "the program reads the settings as they are, and they are short enough": ({ locals }) => {
    const settings = Object.fromEntries(
      Object.entries(fieldsOf(locals.settings)).map(([name, text]) => [name, resolved(String(text))]),
    );
    const characters = Object.entries(settings).reduce(
      (sum, [name, text]) => sum + name.length + text.length,
      0,
    );
    const long = must(`they have ${characters} characters`, characters <= MOST_CHARACTERS);
    try {
      const need = new Set(["platform", "store", "queue", "events", "retention"] as const);
      readConfiguration(settings, need, { agencyKeys: new AgencyKeys() });
      return long;
    } catch (error) {
      if (error instanceof ConfigurationError) {
        return [...long, error.message];
      }
      throw error;
    }
  },

  "every alarm tells the topic, and people are subscribed to it": (stack) => [
    ...ofType(stack, "huaweicloud_ces_alarmrule").flatMap(
      ([address, { alarm_action_enabled, alarm_enabled, alarm_actions }]) =>
        must(
          `${address} has no listener`,
          alarm_enabled === true &&
            alarm_action_enabled === true &&
            bodiesOf(alarm_actions).some(({ notification_list }) => String(notification_list) === TOPIC),
        ),
    ),
    ...ofType(stack, "huaweicloud_lts_keywords_alarm_rule").flatMap(
      ([address, { send_notifications, notification_rule }]) =>
        must(
          `${address} has no listener`,
          send_notifications === true &&
            bodiesOf(bodiesOf(notification_rule)[0]?.topics).some(({ topic_urn }) => topic_urn === TOPIC),
        ),
    ),
    ...must(
      "the topic has no subscriber",
      ofType(stack, "huaweicloud_smn_subscription").some(([, { topic_urn }]) => topic_urn === TOPIC),
    ),
  ],

  "each agency may do exactly what its function does": problemsOfGrants,

  "no secret is taken as a further setting": ({ variables }) => {
    const validation = JSON.stringify(variables.further_settings?.validation ?? "");
    return SETTINGS.filter(({ isSecret, name }) => isSecret && !validation.includes(`\\"${name}\\"`)).map(
      ({ name }) => `${name} is taken`,
    );
  },

  "every variable is described": ({ variables }) =>
    Object.entries(variables).flatMap(([name, { description, type }]) =>
      must(`${name} has no description or type`, typeof description === "string" && type !== undefined),
    ),
} as const satisfies Readonly<Record<string, Rule>>;

export type RuleName = keyof typeof RULES;

function resolved(text: string): string {
  return text.replaceAll(/\$\{([^}]+)\}/g, (whole, name: string) => EXAMPLE[name] ?? whole);
}
