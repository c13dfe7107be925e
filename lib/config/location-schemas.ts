import path from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { sqsQueueUrl } from "./value-schemas.ts";

export type StoreLocation =
  | { readonly kind: "file"; readonly folder: string }
  | { readonly kind: "s3"; readonly bucket: string; readonly prefix: string };

export type QueueLocation =
  | { readonly kind: "sqlite"; readonly file: string }
  | { readonly kind: "sqs"; readonly queueUrl: URL };

/** Where the retention policy is: its own JSON text, a file, or a document in the store. */
export type PolicyLocation =
  | { readonly kind: "inline"; readonly text: string }
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "store"; readonly key: string };

type Parsed<T> = { readonly value: T } | { readonly problem: string };

/** `s3://bucket/prefix` or `file:///absolute/folder`. */
export const storeLocation = schemaOf<StoreLocation>((text) => {
  if (text.startsWith("s3:")) {
    return parseS3Location(text);
  }
  if (text.startsWith("file:")) {
    return mapValue(absolutePath(text, "file"), (folder) => ({ kind: "file", folder }));
  }
  return { problem: "is neither s3://… nor file:///…" };
});

/** A file's name may have 255 bytes on most file systems, and SQLite puts `<name>-journal` beside it. */
const MAX_QUEUE_NAME_BYTES = 255 - "-journal".length;

/** An SQS queue URL or `sqlite:///absolute/file.db`. */
export const queueLocation = schemaOf<QueueLocation>((text) => {
  if (text.startsWith("sqlite:")) {
    if (/[/\\]$/.test(text)) {
      return { problem: "names a folder, not a file" };
    }
    const parsed = absolutePath(text, "sqlite");
    if ("value" in parsed && Buffer.byteLength(path.posix.basename(parsed.value)) > MAX_QUEUE_NAME_BYTES) {
      return { problem: `has a file name of more than ${MAX_QUEUE_NAME_BYTES} bytes` };
    }
    return mapValue(parsed, (file) => ({ kind: "sqlite", file }));
  }
  const parsed = v.safeParse(sqsQueueUrl, text);
  return parsed.success
    ? { value: { kind: "sqs", queueUrl: parsed.output } }
    : { problem: `${parsed.issues[0].message}, and not sqlite:///absolute/file.db either` };
});

/** `{…}`, `file:///absolute/policy.json` or `store:key`, the key below the store's prefix. */
export const policyLocation = schemaOf<PolicyLocation>((text) => {
  if (text.startsWith("{")) {
    return { value: { kind: "inline", text } };
  }
  if (text.startsWith("file:")) {
    return mapValue(absolutePath(text, "file"), (file) => ({ kind: "file", file }));
  }
  const [, key] = /^store:((?:[A-Za-z0-9_][A-Za-z0-9_.-]*\/)*[A-Za-z0-9_][A-Za-z0-9_.-]*)$/.exec(text) ?? [];
  return key === undefined
    ? { problem: "is neither JSON text nor file:///… nor store:… and a key" }
    : { value: { kind: "store", key } };
});

/** Bucket names by the rules of S3; a prefix is taken literally, as other S3 tools do, never percent-decoded. */
function parseS3Location(text: string): Parsed<StoreLocation> {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(text);
  if (match === null) {
    return { problem: "is not s3:// and a bucket name (3 to 63 of a-z, 0-9, dot and dash)" };
  }
  const [, bucket = "", rest = ""] = match;
  const prefix = rest.replace(/\/$/, "");
  const segments = prefix === "" ? [] : prefix.split("/");
  if (segments.some((segment) => segment === "" || segment === "." || segment === "..")) {
    return { problem: "has an empty, '.' or '..' part in its prefix" };
  }
  if (/[\p{Cc}\\]/u.test(prefix) || Buffer.byteLength(prefix) > 512) {
    return { problem: "has a prefix with control characters or backslashes, or one longer than 512 bytes" };
  }
  return { value: { kind: "s3", bucket, prefix } };
}

/** The path of `scheme:///absolute/path`, percent-decoded as in a file URL. */
function absolutePath(text: string, scheme: "file" | "sqlite"): Parsed<string> {
  const rest = text.slice(`${scheme}:`.length);
  if (!rest.startsWith("///")) {
    return { problem: `is not absolute: three slashes must follow "${scheme}:"` };
  }
  if (/[?#]/.test(rest)) {
    return { problem: "holds ? or #; write them as %3F and %23" };
  }
  const decoded = decodePath(`file:${rest}`);
  if (decoded === undefined || /\p{Cc}/u.test(decoded)) {
    return { problem: "holds a % that is not a character of a path; write % itself as %25" };
  }
  const normal = path.posix.normalize(decoded).replace(/(?<=.)\/$/, "");
  return normal === "/" ? { problem: "names the root of the file system" } : { value: normal };
}

function decodePath(fileUrl: string): string | undefined {
  try {
    return fileURLToPath(fileUrl, { windows: false });
  } catch (error) {
    // What Node throws for %2F (TypeError) and for bytes that are not UTF-8 (URIError): a malformed value.
    if (error instanceof TypeError || error instanceof URIError) {
      return undefined;
    }
    throw error;
  }
}

function mapValue<A, B>(parsed: Parsed<A>, map: (value: A) => B): Parsed<B> {
  return "value" in parsed ? { value: map(parsed.value) } : parsed;
}

function schemaOf<T>(parse: (text: string) => Parsed<T>) {
  return v.pipe(
    v.string(),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      const parsed = parse(dataset.value);
      if ("value" in parsed) {
        return parsed.value;
      }
      addIssue({ message: parsed.problem });
      return NEVER;
    }),
  );
}
