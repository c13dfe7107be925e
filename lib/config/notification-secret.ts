import * as v from "valibot";
import { parseJson } from "../domain/json.ts";
import { namedApart } from "../notify/target.ts";
import type { SecretLearner } from "../observability/redact.ts";
import { type CommonConfiguration, settingsOfProxy } from "./configuration.ts";
import { secretsOfAddresses } from "./names.ts";
import { heartbeatUrl, notifyTargets } from "./notification-settings.ts";
import { loadSecretReader } from "./sdk-adapters.ts";
import type { SecretReader } from "./secret-reader.ts";

type Settings = Pick<CommonConfiguration, "notification" | "proxy">;

const SETTING = "ARCHIVER_NOTIFICATION_SECRET";
const FIX =
  'Store a JSON object with "heartbeatUrl" or "notify" in it, or both, written as ARCHIVER_HEARTBEAT_URL and ARCHIVER_NOTIFY are.';

const textsSchema = v.pipe(
  v.string(),
  v.transform(parseJson),
  v.strictObject({ heartbeatUrl: v.optional(v.string()), notify: v.optional(v.string()) }),
);
const valuesSchema = v.object({
  heartbeatUrl: v.optional(heartbeatUrl),
  notify: v.optional(notifyTargets),
});

/**
 * The same settings with the addresses that `ARCHIVER_NOTIFICATION_SECRET` names a secret of; unchanged where it is not
 * set. Of two heartbeats that of the environment counts.
 *
 * @param learner is told of every address before anybody else has it.
 * @throws ConfigurationError for a secret that does not exist, may not be read or does not hold such addresses;
 *   `ArchiverError` `secret-unavailable` when Secrets Manager does not answer.
 */
export async function withNotificationSecret<Of extends Settings>(
  settings: Of,
  learner: SecretLearner,
): Promise<Of> {
  const { notification, proxy } = settings;
  if (notification.secretId === undefined) {
    return settings;
  }
  // With it comes the AWS SDK: most have no such secret.
  const { SecretReader } = await loadSecretReader();
  const reader = new SecretReader(SETTING, notification.secretId, settingsOfProxy(proxy));
  try {
    const texts = v.safeParse(textsSchema, await reader.read({ forceFetch: true, maxAgeSeconds: 0 }));
    if (!texts.success) {
      throw reader.wrong(`names a secret that ${problemOf(texts.issues[0])}`, FIX);
    }
    const { heartbeatUrl: held = "", notify = "" } = texts.output;
    learner.learn(secretsOfAddresses([held, notify]));
    const values = v.safeParse(valuesSchema, texts.output);
    if (!values.success) {
      const [{ path, message }] = values.issues;
      throw reader.wrong(`names a secret whose "${path?.[0]?.key}" ${message}`, FIX);
    }
    return { ...settings, notification: joined(notification, values.output, reader) };
  } finally {
    reader.close();
  }
}

function joined(
  own: Settings["notification"],
  { heartbeatUrl: held, notify = [] }: v.InferOutput<typeof valuesSchema>,
  reader: Pick<SecretReader, "wrong">,
): Settings["notification"] {
  const watched = own.heartbeatUrl ?? held;
  if (watched === undefined && own.notifyOn === "problems") {
    throw reader.wrong('names a secret without "heartbeatUrl", and ARCHIVER_NOTIFY_ON is problems', FIX);
  }
  if (own.smtpUrl === undefined && notify.some(({ kind }) => kind === "mail")) {
    throw reader.wrong("names a secret with a mailto: address, and ARCHIVER_SMTP is not set", FIX);
  }
  const targets = namedApart([...(own.targets ?? []), ...notify]);
  return { ...own, heartbeatUrl: watched, targets, secretId: undefined };
}

/** What is wrong with it; never what stands there. */
function problemOf({ path }: v.InferIssue<typeof textsSchema>): string {
  const field = path?.[0]?.key;
  if (field === undefined) {
    return "is not a JSON object";
  }
  return field === "heartbeatUrl" || field === "notify"
    ? `has a "${field}" that is not a text`
    : 'has other fields than "heartbeatUrl" and "notify"';
}
