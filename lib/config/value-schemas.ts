import path from "node:path";
import { fileURLToPath } from "node:url";
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

/** What examples have where a secret belongs: `…`, `...`, `your-secret-key`, `<secret key>`. */
const PLACEHOLDER = /^(?:…|\.{3,}|your-[a-z-]+|<.*>)$/;

/** A key or token: long enough to be found again in a log line, and fit for a header. */
export const secretText = v.pipe(
  v.string(),
  v.check((text) => !PLACEHOLDER.test(text), "is the placeholder of an example"),
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

export type StoreLocation =
  | { readonly kind: "file"; readonly folder: string }
  | { readonly kind: "s3"; readonly bucket: string; readonly prefix: string };

export type QueueLocation =
  | { readonly kind: "sqlite"; readonly file: string }
  | { readonly kind: "sqs"; readonly queueUrl: URL }
  /** Documents in the archive's own store. */
  | { readonly kind: "store" };

/** Where a document is that operators write: its own JSON text, a file, or a document in the store. */
export type DocumentLocation =
  | { readonly kind: "inline"; readonly text: string }
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "store"; readonly key: string };

/** The path of `scheme:///absolute/path`, percent-decoded as in a file URL. */
function absolutePath(scheme: "file" | "sqlite") {
  return v.pipe(
    v.string(),
    v.check(
      (text) => text.startsWith(`${scheme}:///`),
      `is not absolute: three slashes must follow "${scheme}:"`,
    ),
    v.check((text) => !/[?#]/.test(text), "holds ? or #; write them as %3F and %23"),
    v.transform((text) => decodedPath(`file:${text.slice(`${scheme}:`.length)}`)),
    v.regex(/^\P{Cc}+$/u, "holds a % that is not a character of a path; write % itself as %25"),
    v.transform((text) => path.posix.normalize(text).replace(/(?<=.)\/$/, "")),
    v.notValue("/", "names the root of the file system"),
  );
}

/** Empty for what Node refuses: %2F (TypeError) and bytes that are not UTF-8 (URIError). */
function decodedPath(fileUrl: string): string {
  try {
    return fileURLToPath(fileUrl, { windows: false });
  } catch (error) {
    if (error instanceof TypeError || error instanceof URIError) {
      return "";
    }
    throw error;
  }
}

/** Bucket names by the rules of S3; a prefix is taken literally, as other S3 tools do, never percent-decoded. */
const S3_LOCATION = /^s3:\/\/(?<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(?<prefix>.*?)\/?)?$/s;

const s3Location = v.pipe(
  v.string(),
  v.startsWith("s3:", "is neither s3://… nor file:///…"),
  v.regex(S3_LOCATION, "is not s3:// and a bucket name (3 to 63 of a-z, 0-9, dot and dash)"),
  v.transform((text) => {
    const { bucket = "", prefix = "" } = S3_LOCATION.exec(text)?.groups ?? {};
    return { kind: "s3" as const, bucket, prefix };
  }),
  v.check(
    ({ prefix }) => prefix === "" || !prefix.split("/").some((segment) => /^\.{0,2}$/.test(segment)),
    "has an empty, '.' or '..' part in its prefix",
  ),
  v.check(
    ({ prefix }) => !/[\p{Cc}\\]/u.test(prefix) && Buffer.byteLength(prefix) <= 512,
    "has a prefix with control characters or backslashes, or one longer than 512 bytes",
  ),
);

const fileStore = v.pipe(
  absolutePath("file"),
  v.transform((folder) => ({ kind: "file" as const, folder })),
);

/** `s3://bucket/prefix` or `file:///absolute/folder`. */
export const storeLocation = v.lazy<v.GenericSchema<string, StoreLocation>>((text) =>
  begins(text, "file:") ? fileStore : s3Location,
);

/** A file's name may have 255 bytes on most file systems, and SQLite puts `<name>-journal` beside it. */
const MAX_QUEUE_NAME_BYTES = 255 - "-journal".length;

const sqliteQueue = v.pipe(
  v.string(),
  v.regex(/[^/\\]$/, "names a folder, not a file"),
  absolutePath("sqlite"),
  v.check(
    (file) => Buffer.byteLength(path.posix.basename(file)) <= MAX_QUEUE_NAME_BYTES,
    `has a file name of more than ${MAX_QUEUE_NAME_BYTES} bytes`,
  ),
  v.transform((file) => ({ kind: "sqlite" as const, file })),
);

const sqsQueue = v.pipe(
  sqsQueueUrl,
  v.transform((queueUrl) => ({ kind: "sqs" as const, queueUrl })),
);

const storeQueue = v.pipe(
  v.string(),
  v.literal("store:", "has something after store:, but the queue has its own place in ARCHIVER_STORE"),
  v.transform(() => ({ kind: "store" as const })),
);

/** An SQS queue URL, `sqlite:///absolute/file.db` or `store:`. */
export const queueLocation = v.lazy<v.GenericSchema<string, QueueLocation>>((text) =>
  begins(text, "sqlite:") ? sqliteQueue : begins(text, "store:") ? storeQueue : sqsQueue,
);

const inlineDocument = v.pipe(
  v.string(),
  v.transform((text) => ({ kind: "inline" as const, text })),
);

const documentFile = v.pipe(
  absolutePath("file"),
  v.transform((file) => ({ kind: "file" as const, file })),
);

const storedDocument = v.pipe(
  v.string(),
  v.regex(
    /^store:(?:[A-Za-z0-9_][A-Za-z0-9_.-]*\/)*[A-Za-z0-9_][A-Za-z0-9_.-]*$/,
    "is neither JSON text nor file:///… nor store:… and a key",
  ),
  v.transform((text) => ({ kind: "store" as const, key: text.slice("store:".length) })),
);

/** `{…}`, `file:///absolute/file.json` or `store:key`, the key below the store's prefix. */
export const documentLocation = v.lazy<v.GenericSchema<string, DocumentLocation>>((text) =>
  begins(text, "{") ? inlineDocument : begins(text, "file:") ? documentFile : storedDocument,
);

function begins(text: unknown, beginning: string): boolean {
  return typeof text === "string" && text.startsWith(beginning);
}
