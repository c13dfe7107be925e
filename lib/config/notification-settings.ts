import * as v from "valibot";
import { isLoopback } from "../network/loopback.ts";
import { namedApart, parseTarget, type Target } from "../notify/target.ts";
import { Secret } from "../observability/redact.ts";
import { optional, withDefault } from "./section.ts";
import { headerText, oneOf } from "./value-schemas.ts";

// Whoever has such an address can write to its owner: each is a secret. A message never quotes one.

function isSafe(url: URL): boolean {
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
}

/** The address that a run pings. */
export const heartbeatUrl = v.pipe(
  v.string(),
  v.regex(/^[\x21-\x7e]{1,2048}$/, "is not a URL of printable characters without spaces"),
  v.check((text) => {
    const url = URL.parse(text);
    return url !== null && isSafe(url) && url.username === "" && url.hash === "";
  }, "is not an https:// URL without user and fragment (http:// is for loopback only)"),
  v.transform((text) => new Secret(text)),
);

const notifyTarget = v.pipe(
  v.string(),
  v.trim(),
  v.maxLength(2_048, "has an entry of more than 2048 characters"),
  v.transform(parseTarget),
  v.check(
    (target) => target !== undefined,
    "has an entry that is not a target (write a comma inside a URL as %2C)",
  ),
  v.check((target) => {
    const url = URL.parse(target?.address ?? "");
    return url === null || !/^https?:$/.test(url.protocol) || isSafe(url);
  }, "has an http:// address, which is for loopback only"),
);

/** Who is told, separated by commas. */
export const notifyTargets = v.pipe(
  v.string(),
  v.transform((text) => text.split(",")),
  v.maxLength(20, "has more than 20 entries"),
  v.array(notifyTarget),
  v.transform((targets): readonly Target<Secret>[] =>
    namedApart(
      targets.flatMap((target) =>
        target === undefined ? [] : [{ ...target, address: new Secret(target.address) }],
      ),
    ),
  ),
);

/** The mail server. */
const smtpUrl = v.pipe(
  v.string(),
  v.regex(/^smtps?:\/\/[\x21-\x7e]{1,2048}$/, "is not an smtp:// or smtps:// URL"),
  v.check((text) => {
    const url = URL.parse(text);
    return url !== null && url.hostname !== "" && /^\/?$/.test(url.pathname) && url.search + url.hash === "";
  }, "is not a URL of user, password, host and port alone (write @, : and / in a password as %40, %3A and %2F)"),
  v.transform((text) => new Secret(text)),
);

/** Who hears of the nights. */
export const notification = v.object({
  heartbeatUrl: optional("ARCHIVER_HEARTBEAT_URL", heartbeatUrl, {
    meaning: "check of Healthchecks or its like that each archive run pings; `http://` only on loopback",
    example: "the ping URL of the check, such as https://hc-ping.com/<uuid>",
    secret: true,
  }),
  targets: optional("ARCHIVER_NOTIFY", notifyTargets, {
    meaning:
      "who is told of each night, and at once of what cannot wait, separated by commas: `https://…` (JSON), `slack+https://…`, `wecom+https://…`, `dingtalk+https://…`, `feishu+https://…`, `sns:ARN`, `mailto:address`",
    example:
      "a list of https://…, slack+https://…, wecom+https://…, dingtalk+https://…, feishu+https://…, sns:ARN and mailto:address",
    secret: true,
  }),
  smtpUrl: optional("ARCHIVER_SMTP", smtpUrl, {
    meaning: "mail server for `mailto:`, as `smtp://user:password@host:587` or `smtps://…`",
    example: "smtps://user:password@mail.example.org",
    secret: true,
  }),
  secretId: optional("ARCHIVER_NOTIFICATION_SECRET", headerText, {
    meaning:
      'Secrets Manager id of `{"heartbeatUrl"?,"notify"?}`, each as in the setting above; its targets are told beside those of `ARCHIVER_NOTIFY`',
    example: "the id or ARN of the secret",
  }),
  notifyOn: withDefault("ARCHIVER_NOTIFY_ON", oneOf(["every-night", "problems"]), "every-night", {
    meaning: "which nights are told: `every-night`, or `problems`, which needs a heartbeat",
    example: "every-night or problems",
  }),
});
