import { createHash } from "node:crypto";
import {
  DeleteObjectCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { LockMode, VersionLock } from "../../ports/retention-store.ts";
import { bucketKeyOf, type S3Context } from "./client.ts";
import { isMissingObject } from "./objects.ts";
import { notS3Error, S3Error } from "./s3-error.ts";

/** One version as S3 names it; without an id, the only one of a bucket without versions. */
export interface S3Version {
  readonly key: string;
  readonly versionId: string | undefined;
}

/** A version as HEAD shows it. */
export interface VersionHead {
  readonly versionId: string | undefined;
  readonly legalHold: boolean;
}

/** What stores answer that do not know an operation. */
const UNKNOWN_OPERATION: ReadonlySet<number | undefined> = new Set([405, 501]);
/** The names under which stores say that an object, or a bucket, has no lock. */
const NO_LOCK: ReadonlySet<string | undefined> = new Set([
  "NoSuchObjectLockConfiguration",
  "ObjectLockConfigurationNotFoundError",
]);

/** The names under which stores say, as a 404, that an object has no tags; S3 gives an empty set. */
const NO_TAGS: ReadonlySet<string | undefined> = new Set(["NoSuchTagSet", "NoSuchTagSetError"]);

/** Whether the bucket was made with object lock. Throws where access is denied: that is not an answer. */
export async function hasObjectLock(context: S3Context, signal: AbortSignal): Promise<boolean> {
  const command = new GetObjectLockConfigurationCommand({ Bucket: context.options.bucket });
  const request = { operation: "GetObjectLockConfiguration", subject: context.options.bucket };
  try {
    const answer = await context.caller.call(request, signal, (http) => context.client.send(command, http));
    return answer.ObjectLockConfiguration?.ObjectLockEnabled === "Enabled";
  } catch (thrown) {
    if (thrown instanceof S3Error && (isUnknownOperation(thrown) || NO_LOCK.has(thrown.s3Code))) {
      return false;
    }
    throw thrown;
  }
}

/** Whether the store knows tags; asked about any key, whether or not it has an object. */
export async function knowsTags(context: S3Context, key: string, signal: AbortSignal): Promise<boolean> {
  try {
    await getTags(context, { key, versionId: undefined }, signal);
    return true;
  } catch (thrown) {
    if (thrown instanceof S3Error && isUnknownOperation(thrown)) {
      return false;
    }
    if (isMissingObject(thrown)) {
      return true;
    }
    throw thrown;
  }
}

function isUnknownOperation({ httpStatus }: S3Error): boolean {
  return UNKNOWN_OPERATION.has(httpStatus);
}

/** `undefined` when there is no such version. */
export async function headVersion(
  context: S3Context,
  version: S3Version,
  signal: AbortSignal,
): Promise<VersionHead | undefined> {
  const command = new HeadObjectCommand(fieldsOf(context, version));
  const request = { operation: "HeadObject", subject: version.key };
  try {
    return await context.caller.call(request, signal, async (http) => {
      const answer = await context.client.send(command, http);
      if (answer.ETag === undefined) {
        throw notS3Error(request);
      }
      return { versionId: answer.VersionId, legalHold: answer.ObjectLockLegalHoldStatus === "ON" };
    });
  } catch (thrown) {
    if (isMissingObject(thrown)) {
      return undefined;
    }
    throw thrown;
  }
}

/** The lock of a version that is there; asked for on its own, since HEAD leaves it out without permission to see it. */
export async function getLock(
  context: S3Context,
  version: S3Version,
  signal: AbortSignal,
): Promise<VersionLock | undefined> {
  const command = new GetObjectRetentionCommand(fieldsOf(context, version));
  const request = { operation: "GetObjectRetention", subject: version.key };
  try {
    return await context.caller.call(request, signal, async (http) => {
      const { Retention: retention } = await context.client.send(command, http);
      const mode = MODES.find(([, name]) => name === retention?.Mode)?.[0];
      if (mode === undefined || retention?.RetainUntilDate === undefined) {
        throw notS3Error(request);
      }
      return { mode, untilMs: retention.RetainUntilDate.getTime() };
    });
  } catch (thrown) {
    if (thrown instanceof S3Error && NO_LOCK.has(thrown.s3Code)) {
      return undefined;
    }
    throw thrown;
  }
}

const MODES = [
  ["governance", "GOVERNANCE"],
  ["compliance", "COMPLIANCE"],
] as const satisfies readonly (readonly [LockMode, string])[];

/** Locks or extends; never with the header that bypasses governance. */
export async function putLock(
  context: S3Context,
  version: S3Version,
  { mode, untilMs }: VersionLock,
  signal: AbortSignal,
): Promise<void> {
  const command = new PutObjectRetentionCommand({
    ...fieldsOf(context, version),
    Retention: {
      Mode: MODES.find(([name]) => name === mode)?.[1],
      RetainUntilDate: new Date(untilMs),
    },
  });
  const request = { operation: "PutObjectRetention", subject: version.key };
  await context.caller.call(request, signal, (http) => context.client.send(command, http));
}

/** The tags of a version; none is not an error, however the store says it. @throws S3Error, the signal's reason. */
export async function getTags(
  context: S3Context,
  version: S3Version,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const command = new GetObjectTaggingCommand(fieldsOf(context, version));
  const request = { operation: "GetObjectTagging", subject: version.key };
  try {
    const { TagSet = [] } = await context.caller.call(request, signal, (http) =>
      context.client.send(command, http),
    );
    return Object.fromEntries(TagSet.map(({ Key = "", Value = "" }) => [Key, Value]));
  } catch (thrown) {
    if (thrown instanceof S3Error && NO_TAGS.has(thrown.s3Code)) {
      return {};
    }
    throw thrown;
  }
}

/** Replaces the whole set. */
export async function putTags(
  context: S3Context,
  version: S3Version,
  tags: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const command = new PutObjectTaggingCommand({
    ...fieldsOf(context, version),
    Tagging: { TagSet: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) },
  });
  const request = { operation: "PutObjectTagging", subject: version.key };
  await context.caller.call(request, signal, (http) => context.client.send(command, http));
}

/** Removes one version; never with the header that bypasses governance. */
export async function deleteVersion(
  context: S3Context,
  version: S3Version,
  signal: AbortSignal,
): Promise<void> {
  const command = new DeleteObjectCommand(fieldsOf(context, version));
  const request = { operation: "DeleteObject", subject: version.key };
  try {
    await context.caller.call(request, signal, (http) => context.client.send(command, http));
  } catch (thrown) {
    if (!isMissingObject(thrown)) {
      throw thrown;
    }
  }
}

function fieldsOf(context: S3Context, { key, versionId }: S3Version) {
  return {
    Bucket: context.options.bucket,
    Key: bucketKeyOf(context, key),
    ...(versionId === undefined ? {} : { VersionId: versionId }),
  };
}

const XML_BODIES: ReadonlySet<string | undefined> = new Set([
  "PutObjectRetentionCommand",
  "PutObjectTaggingCommand",
]);

/** S3 demands a digest over these small bodies. Where the store knows Content-MD5 only, it gets that instead of the SDK's. */
export function digestXmlBodies(client: S3Client): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const { request } = args;
        if (XML_BODIES.has(commandName) && isRequest(request)) {
          for (const name of Object.keys(request.headers)) {
            if (/^x-amz-(?:sdk-)?checksum-/i.test(name)) {
              delete request.headers[name];
            }
          }
          request.headers["content-md5"] = createHash("md5").update(request.body).digest("base64");
        }
        return await next(args);
      },
    { step: "build", priority: "low", name: "archiverXmlDigest" },
  );
}

function isRequest(
  request: unknown,
): request is { headers: Record<string, string>; body: string | Uint8Array } {
  return (
    typeof request === "object" &&
    request !== null &&
    "headers" in request &&
    "body" in request &&
    (typeof request.body === "string" || request.body instanceof Uint8Array)
  );
}
