import * as v from "valibot";
import { type ExportTrigger, TERMINAL_BATCH_STATUSES } from "../events/outside-event.ts";
import { MIN_SECRET_LENGTH, Secret } from "../observability/redact.ts";

/** Schemas from the text of a variable to a typed value. Each message completes `name: …`. */

/** A decimal whole number within bounds; no sign, unit, space or exponent. */
export function wholeNumber(least: number, most: number) {
  const message = `is not a whole number from ${least} to ${most}`;
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,15}$/, message),
    v.transform(Number),
    v.minValue(least, message),
    v.maxValue(most, message),
  );
}

/** One of a few words, exactly. */
export function oneOf<const Words extends readonly string[]>(words: Words) {
  return v.picklist(words, `is not one of ${words.join(", ")}`);
}

export const flag = v.pipe(
  oneOf(["true", "false"]),
  v.transform((text) => text === "true"),
);

/** One of a few words in upper case, whatever the case it is written in. */
export function oneOfAnyCase<const Words extends readonly string[]>(words: Words) {
  return v.pipe(v.string(), v.toUpperCase(), oneOf(words));
}

/** Text that matches the pattern; `is` completes "is not …". */
export function matching(pattern: RegExp, is: string) {
  return v.pipe(v.string(), v.regex(pattern, `is not ${is}`));
}

/** A UUID, in lower case as this program writes them. */
export const uuid = v.pipe(v.string(), v.toLowerCase(), v.uuid("is not a UUID"));

/** Text without spaces or controls at the ends or inside: it goes into a request header as it is. */
export const headerText = matching(/^[\x21-\x7e]{1,2048}$/, "printable text without spaces");

/** A key or token: long enough to be found again in a log line, and fit for a header. */
export const secretText = v.pipe(
  v.string(),
  v.regex(
    new RegExp(`^[\\x21-\\x7e]{${MIN_SECRET_LENGTH},16384}$`),
    `is not ${MIN_SECRET_LENGTH} or more printable characters without spaces (quotes or a line end pasted with it?)`,
  ),
  v.transform((text) => new Secret(text)),
);

function parsedUrl(text: string): URL | undefined {
  const url = URL.parse(text) ?? undefined;
  return url !== undefined && (url.protocol === "https:" || url.protocol === "http:") ? url : undefined;
}

const webUrl = v.pipe(
  v.string(),
  v.check((text) => parsedUrl(text) !== undefined, "is not an https:// or http:// URL"),
  v.transform((text) => new URL(text)),
);

const withoutUser = v.check<URL, string>(
  (url) => url.username === "" && url.password === "",
  "holds a user or password",
);

const withoutQuery = v.check<URL, string>(
  (url) => url.search === "" && url.hash === "" && !/[?#]$/.test(url.href),
  "holds a query or fragment",
);

/** An address of a service. */
export const serviceUrl = v.pipe(webUrl, withoutUser, withoutQuery);

/** Scheme, host and port, nothing after them. */
export const originUrl = v.pipe(
  serviceUrl,
  v.check((url) => url.pathname === "/", "holds a path after the host"),
);

/** An SQS queue URL: `https://host/account/queue`. */
export const sqsQueueUrl = v.pipe(
  serviceUrl,
  v.check(
    (url) => /^\/[^/]+\/[A-Za-z0-9_-]{1,80}(\.fifo)?$/.test(url.pathname),
    "is not an SQS queue URL such as https://sqs.eu-west-1.amazonaws.com/123456789012/exports",
  ),
  v.check(
    (url) => !url.pathname.endsWith(".fifo"),
    "names a FIFO queue, which takes no delay for one message",
  ),
);

/** A proxy, user and password allowed; therefore a secret. */
export const proxyUrl = v.pipe(
  webUrl,
  v.transform((url) => new Secret(url.href)),
);

const STATUSES: ReadonlySet<string> = new Set(TERMINAL_BATCH_STATUSES);

const exportTrigger = v.pipe(
  v.string(),
  v.trim(),
  v.regex(/^([A-Za-z0-9_-]{1,64}):[A-Za-z]+$/, "is not a list of type:status, separated by commas"),
  v.transform((text) => {
    const [taskType = "", status = ""] = text.split(":");
    return { taskType, status };
  }),
  v.check<{ taskType: string; status: string }, string>(
    ({ status }) => STATUSES.has(status),
    `names a status that is not one of ${TERMINAL_BATCH_STATUSES.join(", ")}`,
  ),
  v.transform((trigger) => trigger as ExportTrigger),
);

/** `type:status,…` */
export const exportTriggers = v.pipe(
  v.string(),
  v.transform((text) => text.split(",")),
  v.array(exportTrigger),
  v.maxLength(100, "has more than 100 entries"),
);

/**
 * Anybody may try it over HTTP, so it is longer than other secrets have to be. An editor ends its file with a line
 * end, which no header can carry: it is not part of the secret.
 */
export const eventSecret = v.pipe(
  v.string(),
  v.trim(),
  v.regex(/^[\x21-\x7e]{16,1024}$/, "is not 16 to 1024 printable characters without spaces"),
  v.transform((text) => new Secret(text)),
);
