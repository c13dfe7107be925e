import { randomBytes } from "node:crypto";
import { type Answer, emptyAnswer } from "../kit/answer.ts";
import { attributesOf, type ObjectAttributes } from "./attributes.ts";
import { type ChecksumAlgorithm, checksumHeader, checksumIn, type TypedChecksum } from "./checksums.ts";
import { requireKnownConditions, requireReadConditions, requireWriteConditions } from "./conditions.ts";
import { dropPiece, readPieces, requireReadable, sizeOf } from "./content.ts";
import { S3Refusal } from "./errors.ts";
import { type Exchange, header } from "./exchange.ts";
import { newVersionId, type StoredVersion } from "./model.ts";
import { type ReceivedBody, receiveBody, requireDeclaredLength } from "./receive.ts";

export async function putObject(exchange: Exchange): Promise<Answer> {
  const { bucket, bucketSettings, key, nowMs, settings } = exchange;
  const attributes = attributesOf(exchange.head.headers, key, bucketSettings, nowMs);
  requireDeclaredLength(exchange);
  requireDigestUnderLock(exchange, attributes);
  requireKnownConditions(exchange, settings.createOncePut);
  const fallback =
    settings.checksums && settings.defaultChecksum !== "none" ? [settings.defaultChecksum] : [];
  const body = await receiveBody(exchange, fallback);
  try {
    requireWriteConditions(exchange, settings.createOncePut);
  } catch (thrown) {
    dropPiece(body.piece);
    throw thrown;
  }
  const version: StoredVersion = {
    kind: "object",
    key,
    versionId: newVersionId(bucketSettings),
    etag: attributes.opaqueEtag ? opaqueEtag() : body.md5.toString("hex"),
    modifiedAtMs: nowMs,
    attributes,
    checksum: checksumOf(body, fallback[0]),
    pieces: [body.piece],
    retention: attributes.retention,
    tags: attributes.tags,
  };
  bucket.add(version);
  return emptyAnswer(200, { ...writtenHeaders(exchange, version), ...checksumHeaders(version.checksum) });
}

function checksumOf(body: ReceivedBody, fallback: ChecksumAlgorithm | undefined): TypedChecksum | undefined {
  const algorithm = body.claimed?.algorithm ?? fallback;
  const value = algorithm && body.checksums.get(algorithm);
  return algorithm && value ? { algorithm, value, type: "FULL_OBJECT" } : undefined;
}

/** What S3 demands of every body for a locked object. */
export function requireDigestUnderLock(exchange: Exchange, attributes: ObjectAttributes): void {
  const { head, settings } = exchange;
  const hasDigest =
    head.headers.has("content-md5") ||
    (settings.checksums && (checksumIn(head.headers) !== undefined || head.headers.has("x-amz-trailer")));
  if (attributes.retention !== undefined && !hasDigest) {
    throw new S3Refusal(
      "InvalidRequest",
      "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
    );
  }
}

/** Objects of these classes are read after a restore only, which this stand-in does not play. */
const ARCHIVE_CLASSES: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE", "COLD"]);

export function getObject(exchange: Exchange): Answer {
  const version = requireVersion(exchange);
  requireReadConditions(exchange, version);
  if (ARCHIVE_CLASSES.has(version.attributes.storageClass)) {
    throw new S3Refusal("InvalidObjectState");
  }
  const sizeBytes = sizeOf(version.pieces);
  const range = rangeOf(header(exchange, "range"), sizeBytes);
  const [start, end] = range ?? [0, sizeBytes];
  requireReadable(version.pieces);
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      ...objectHeaders(exchange, version, range === undefined),
      ...(range === undefined ? {} : { "Content-Range": `bytes ${start}-${end - 1}/${sizeBytes}` }),
    },
    body: readPieces(version.pieces, start, end),
    sizeBytes: end - start,
    framing: "length",
    ending: "whole",
  };
}

export function headObject(exchange: Exchange): Answer {
  const version = requireVersion(exchange);
  requireReadConditions(exchange, version);
  const sizeBytes = sizeOf(version.pieces);
  return { ...emptyAnswer(200, objectHeaders(exchange, version, true)), sizeBytes };
}

export function deleteObject(exchange: Exchange): Answer {
  const { bucket, bucketSettings, key, nowMs, query } = exchange;
  const versionId = query.get("versionId");
  if (versionId === null && bucketSettings.versioning) {
    const marker = { kind: "delete-marker", key, versionId: newVersionId(bucketSettings) } as const;
    bucket.add({ ...marker, modifiedAtMs: nowMs });
    return emptyAnswer(204, { "x-amz-delete-marker": "true", "x-amz-version-id": marker.versionId });
  }
  const version = bucket.findVersion(key, versionId ?? "null");
  if (version?.kind === "object" && isLocked(exchange, version)) {
    throw new S3Refusal("AccessDenied", "Access Denied because object protected by object lock.");
  }
  bucket.remove(key, versionId ?? "null");
  return emptyAnswer(204, versionId === null ? {} : { "x-amz-version-id": versionId });
}

function isLocked(exchange: Exchange, { retention }: StoredVersion): boolean {
  if (retention === undefined || retention.untilMs <= exchange.nowMs) {
    return false;
  }
  const bypass = header(exchange, "x-amz-bypass-governance-retention") === "true";
  return !(bypass && retention.mode === "GOVERNANCE");
}

/** The version the request is about. @throws S3Refusal NoSuchKey, NoSuchVersion, MethodNotAllowed */
export function requireVersion({ bucket, key, query }: Exchange): StoredVersion {
  const versionId = query.get("versionId");
  const found = versionId === null ? bucket.find(key) : bucket.findVersion(key, versionId);
  if (found === undefined) {
    throw versionId === null ? new S3Refusal("NoSuchKey") : new S3Refusal("NoSuchVersion");
  }
  if (found.kind === "delete-marker") {
    throw new S3Refusal("MethodNotAllowed");
  }
  return found;
}

/** `[start, end)`. A header of another form than one byte range is ignored, as HTTP has it. */
function rangeOf(text: string | undefined, sizeBytes: number): [number, number] | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(text ?? "") ?? [];
  if (first === "" && last === "") {
    return undefined;
  }
  const start = first === "" ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === "" || last === "" ? sizeBytes : Math.min(sizeBytes, Number(last) + 1);
  if (first !== "" && last !== "" && Number(last) < start) {
    return undefined;
  }
  if (start >= sizeBytes) {
    throw new S3Refusal("InvalidRange");
  }
  return [start, end];
}

function objectHeaders(exchange: Exchange, version: StoredVersion, whole: boolean): Record<string, string> {
  const { attributes, retention } = version;
  const withChecksum = whole && header(exchange, "x-amz-checksum-mode")?.toUpperCase() === "ENABLED";
  return {
    "content-type": "binary/octet-stream",
    ...attributes.headers,
    "Last-Modified": new Date(version.modifiedAtMs).toUTCString(),
    "Accept-Ranges": "bytes",
    ETag: `"${version.etag}"`,
    ...(exchange.bucketSettings.versioning ? { "x-amz-version-id": version.versionId } : {}),
    ...(attributes.storageClass === "STANDARD" ? {} : { "x-amz-storage-class": attributes.storageClass }),
    ...(withChecksum && exchange.settings.checksums ? checksumHeaders(version.checksum) : {}),
    ...(retention === undefined
      ? {}
      : {
          "x-amz-object-lock-mode": retention.mode,
          "x-amz-object-lock-retain-until-date": new Date(retention.untilMs).toISOString(),
        }),
  };
}

function checksumHeaders(checksum: TypedChecksum | undefined): Record<string, string> {
  return checksum === undefined
    ? {}
    : { [checksumHeader(checksum.algorithm)]: checksum.value, "x-amz-checksum-type": checksum.type };
}

/** What the answer to a write says of the new object. */
export function writtenHeaders(exchange: Exchange, version: StoredVersion): Record<string, string> {
  return {
    ETag: `"${version.etag}"`,
    ...encryptionHeaders(version.attributes),
    ...(exchange.bucketSettings.versioning ? { "x-amz-version-id": version.versionId } : {}),
  };
}

/** How the object is encrypted, which every answer to a write repeats. */
export function encryptionHeaders({ headers }: ObjectAttributes): Record<string, string> {
  const names = Object.keys(headers).filter((name) => name.startsWith("x-amz-server-side-encryption"));
  return Object.fromEntries(names.map((name) => [name, headers[name] ?? ""]));
}

/** An ETag that says nothing about the content, as under KMS. */
export function opaqueEtag(): string {
  return randomBytes(16).toString("hex");
}
