import { createHash, randomBytes } from "node:crypto";
import { type Answer, emptyAnswer } from "../kit/answer.ts";
import { attributesOf } from "./attributes.ts";
import {
  allowsType,
  type ChecksumType,
  checksumElement,
  checksumHeader,
  checksumIn,
  checksumOfParts,
  defaultType,
  parseAlgorithm,
  requireSameChecksum,
  type TypedChecksum,
} from "./checksums.ts";
import { requireKnownConditions, requireWriteConditions, unquoted } from "./conditions.ts";
import { dropPiece } from "./content.ts";
import { S3Refusal } from "./errors.ts";
import { type Exchange, header, numberIn } from "./exchange.ts";
import { newVersionId, type OpenUpload, type StoredPart, type StoredVersion } from "./model.ts";
import {
  encryptionHeaders,
  opaqueEtag,
  requireDigestUnderLock,
  writtenHeaders,
} from "./object-operations.ts";
import { receiveBody, receiveDocument, requireDeclaredLength } from "./receive.ts";
import { elementsOf, textOf, xmlAnswer } from "./xml.ts";

export function createMultipartUpload(exchange: Exchange): Answer {
  const { bucket, bucketSettings, key, nowMs } = exchange;
  const upload: OpenUpload = {
    uploadId: randomBytes(24).toString("base64url"),
    key,
    initiatedAtMs: nowMs,
    attributes: attributesOf(exchange.head.headers, key, bucketSettings, nowMs),
    checksum: checksumOfUpload(exchange),
    parts: new Map(),
  };
  bucket.uploads.set(upload.uploadId, upload);
  const { uploadId, checksum } = upload;
  const headers =
    checksum?.declared === true
      ? { "x-amz-checksum-algorithm": checksum.algorithm, "x-amz-checksum-type": checksum.type }
      : {};
  const content = { Bucket: bucketSettings.name, Key: key, UploadId: uploadId };
  const document = { InitiateMultipartUploadResult: content };
  return xmlAnswer(document, { ...headers, ...encryptionHeaders(upload.attributes) });
}

function checksumOfUpload(exchange: Exchange): OpenUpload["checksum"] {
  const { settings } = exchange;
  const named = header(exchange, "x-amz-checksum-algorithm");
  const type = header(exchange, "x-amz-checksum-type");
  if (!settings.checksums) {
    return undefined;
  }
  if (named === undefined) {
    if (type !== undefined) {
      throw new S3Refusal("InvalidRequest", "x-amz-checksum-type needs x-amz-checksum-algorithm.");
    }
    return settings.defaultChecksum === "none"
      ? undefined
      : { algorithm: settings.defaultChecksum, type: "FULL_OBJECT", declared: false };
  }
  const algorithm = parseAlgorithm(named);
  const chosen = type === undefined ? defaultType(algorithm) : parseType(type);
  if (!allowsType(algorithm, chosen)) {
    throw new S3Refusal(
      "InvalidRequest",
      `The ${chosen} checksum type cannot be used with the ${algorithm} checksum algorithm.`,
    );
  }
  return { algorithm, type: chosen, declared: true };
}

function parseType(text: string): ChecksumType {
  if (text !== "FULL_OBJECT" && text !== "COMPOSITE") {
    throw new S3Refusal("InvalidRequest", "Value for x-amz-checksum-type header is invalid.");
  }
  return text;
}

export async function uploadPart(exchange: Exchange): Promise<Answer> {
  const { query, settings } = exchange;
  const partNumber = numberIn(query, "partNumber", 0, settings.maxPartNumber);
  const begun = requireUpload(exchange);
  requireDeclaredLength(exchange);
  requireDigestUnderLock(exchange, begun.attributes);
  const wanted = begun.checksum === undefined ? [] : [begun.checksum.algorithm];
  const body = await receiveBody(exchange, wanted);
  try {
    requireSameAlgorithm(begun, body.claimed?.algorithm);
    // It may have been aborted while the body came in.
    requireUpload(exchange);
  } catch (thrown) {
    dropPiece(body.piece);
    throw thrown;
  }
  const replaced = begun.parts.get(partNumber);
  if (replaced !== undefined) {
    dropPiece(replaced.piece);
  }
  const part: StoredPart = {
    partNumber,
    etag: begun.attributes.opaqueEtag ? opaqueEtag() : body.md5.toString("hex"),
    md5: body.md5,
    sizeBytes: body.sizeBytes,
    modifiedAtMs: exchange.nowMs,
    checksum: begun.checksum && body.checksums.get(begun.checksum.algorithm),
    piece: body.piece,
  };
  begun.parts.set(partNumber, part);
  const echoed = body.claimed && { [checksumHeader(body.claimed.algorithm)]: body.claimed.value };
  return emptyAnswer(200, { ETag: `"${part.etag}"`, ...echoed, ...encryptionHeaders(begun.attributes) });
}

/** A part's checksum must be the one the upload was created with; a composite one cannot do without. */
function requireSameAlgorithm({ checksum }: OpenUpload, sent: string | undefined): void {
  const expected = checksum?.declared === true ? checksum.algorithm : undefined;
  const needed = checksum?.type === "COMPOSITE";
  if (sent === expected || (sent === undefined && !needed)) {
    return;
  }
  throw new S3Refusal(
    "InvalidRequest",
    `Checksum Type mismatch occurred, expected checksum Type: ${expected ?? "null"}, actual checksum Type: ${sent ?? "null"}`,
  );
}

export async function completeMultipartUpload(exchange: Exchange): Promise<Answer> {
  const { bucket, query, settings } = exchange;
  requireKnownConditions(exchange, settings.createOnceCompletion);
  const xml = await receiveDocument(exchange);
  const done = bucket.completed.get(query.get("uploadId") ?? "");
  if (done !== undefined && done.key === exchange.key && settings.completionRepeated === "same-answer") {
    return completedAnswer(exchange, done);
  }
  const upload = requireUpload(exchange);
  const parts = namedParts(upload, xml);
  requireSizes(exchange, parts);
  const checksum = wholeChecksum(exchange, upload, parts);
  requireWriteConditions(exchange, settings.createOnceCompletion);
  const version: StoredVersion = {
    kind: "object",
    key: upload.key,
    versionId: newVersionId(exchange.bucketSettings),
    etag: `${upload.attributes.opaqueEtag ? opaqueEtag() : md5OfMd5s(parts)}-${parts.length}`,
    // S3 dates a multipart object by the beginning of its upload.
    modifiedAtMs: upload.initiatedAtMs,
    attributes: upload.attributes,
    checksum,
    pieces: parts.map(({ piece }) => piece),
    retention: upload.attributes.retention,
    tags: upload.attributes.tags,
  };
  bucket.closeUpload(upload.uploadId, new Set(parts.map(({ partNumber }) => partNumber)));
  bucket.completed.set(upload.uploadId, version);
  bucket.add(version);
  return completedAnswer(exchange, version);
}

function md5OfMd5s(parts: readonly StoredPart[]): string {
  return createHash("md5")
    .update(Buffer.concat(parts.map(({ md5 }) => md5)))
    .digest("hex");
}

/** The parts the completion names, in its order. @throws S3Refusal MalformedXML, InvalidPart, InvalidPartOrder */
function namedParts(upload: OpenUpload, xml: string): StoredPart[] {
  const named = elementsOf(xml, "Part");
  if (!xml.includes("<CompleteMultipartUpload") || named.length === 0) {
    throw new S3Refusal("MalformedXML");
  }
  const parts = named.map((element) => {
    const part = upload.parts.get(Number(textOf(element, "PartNumber")));
    const { checksum } = upload;
    const claimed = checksum && textOf(element, checksumElement(checksum.algorithm));
    const same =
      part?.etag === unquoted(textOf(element, "ETag") ?? "") &&
      (claimed === undefined || claimed === part.checksum);
    if (part === undefined || !same) {
      throw new S3Refusal("InvalidPart");
    }
    if (checksum?.type === "COMPOSITE" && claimed === undefined) {
      throw new S3Refusal(
        "InvalidRequest",
        `The upload was created using a ${checksum.algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part.`,
      );
    }
    return part;
  });
  if (parts.some((part, index) => index > 0 && part.partNumber <= (parts[index - 1]?.partNumber ?? 0))) {
    throw new S3Refusal("InvalidPartOrder");
  }
  return parts;
}

function requireSizes(exchange: Exchange, parts: readonly StoredPart[]): void {
  if (parts.slice(0, -1).some(({ sizeBytes }) => sizeBytes < exchange.settings.minPartBytes)) {
    throw new S3Refusal("EntityTooSmall");
  }
  const claimed = header(exchange, "x-amz-mp-object-size");
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  if (exchange.settings.checksums && claimed !== undefined && Number(claimed) !== sizeBytes) {
    throw new S3Refusal("InvalidRequest", "The x-amz-mp-object-size does not match the size of the parts.");
  }
}

/** The object's checksum; a full-object one that the completion claims is compared with it. */
function wholeChecksum(
  exchange: Exchange,
  { checksum }: OpenUpload,
  parts: readonly StoredPart[],
): TypedChecksum | undefined {
  if (checksum === undefined || !exchange.settings.checksums) {
    return undefined;
  }
  const type = header(exchange, "x-amz-checksum-type");
  if (type !== undefined && type !== checksum.type) {
    throw new S3Refusal(
      "InvalidRequest",
      `The upload was created with the ${checksum.type} checksum mode; complete it with the same.`,
    );
  }
  const values = parts.map(({ sizeBytes, checksum: value = "" }) => ({ sizeBytes, value }));
  const whole = checksumOfParts(checksum.algorithm, checksum.type, values);
  const claimed = checksum.type === "FULL_OBJECT" ? checksumIn(exchange.head.headers) : undefined;
  if (claimed !== undefined) {
    if (claimed.algorithm !== checksum.algorithm) {
      throw new S3Refusal(
        "InvalidRequest",
        `Checksum Type mismatch occurred, expected checksum Type: ${checksum.algorithm}, actual checksum Type: ${claimed.algorithm}`,
      );
    }
    requireSameChecksum(claimed, whole.value);
  }
  return whole;
}

function completedAnswer(exchange: Exchange, version: StoredVersion): Answer {
  const { ETag, ...headers } = writtenHeaders(exchange, version);
  const { checksum } = version;
  const document = {
    CompleteMultipartUploadResult: {
      Location: `/${exchange.bucketSettings.name}/${version.key}`,
      Bucket: exchange.bucketSettings.name,
      Key: version.key,
      ETag,
      ...(checksum && { [checksumElement(checksum.algorithm)]: checksum.value, ChecksumType: checksum.type }),
    },
  };
  return xmlAnswer(document, headers);
}

export function abortMultipartUpload(exchange: Exchange): Answer {
  exchange.bucket.closeUpload(requireUpload(exchange).uploadId);
  return emptyAnswer(204);
}

/** @throws S3Refusal NoSuchUpload, also when the upload is for another key. */
export function requireUpload({ bucket, key, query }: Exchange): OpenUpload {
  const upload = bucket.uploads.get(query.get("uploadId") ?? "");
  if (upload?.key !== key) {
    throw new S3Refusal("NoSuchUpload");
  }
  return upload;
}
