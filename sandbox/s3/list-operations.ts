import { type Answer, bufferAnswer } from "../answer.ts";
import { checksumElement } from "./checksums.ts";
import { sizeOf } from "./content.ts";
import { S3Refusal } from "./errors.ts";
import { type Exchange, numberIn } from "./exchange.ts";
import { compareKeys, type OpenUpload, type StoredVersion } from "./model.ts";
import { requireUpload, XML_TYPE } from "./multipart-operations.ts";
import { encodeStrictly } from "./signature.ts";
import { type XmlContent, xmlDocument } from "./xml.ts";

/** An entry of a list, or the prefix that stands for several. */
type Entry<T> = { readonly item: T } | { readonly commonPrefix: string };

export function listObjectsV2(exchange: Exchange): Answer {
  const { bucket, bucketSettings, query } = exchange;
  if (query.get("list-type") !== "2") {
    throw new S3Refusal("NotImplemented", "This stand-in lists objects by list-type=2 only.");
  }
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const token = query.get("continuation-token") ?? undefined;
  const after = token === undefined ? (query.get("start-after") ?? "") : decodeToken(token);
  const limit = pageLimit(exchange, "max-keys");
  const matching = bucket
    .current()
    .filter(({ key }) => key.startsWith(prefix) && compareKeys(key, after) > 0);
  const entries = grouped(matching, prefix, delimiter, after);
  const page = entries.slice(0, limit);
  const isTruncated = limit > 0 && entries.length > page.length;
  const last = page.at(-1);
  const encode = encoderOf(query);
  return xmlAnswer({
    ListBucketResult: {
      Name: bucketSettings.name,
      Prefix: encode(prefix),
      ...(delimiter === "" ? {} : { Delimiter: encode(delimiter) }),
      ...(query.has("start-after") ? { StartAfter: encode(query.get("start-after") ?? "") } : {}),
      ...(token === undefined ? {} : { ContinuationToken: token }),
      KeyCount: page.length,
      MaxKeys: limit,
      ...encodingType(query),
      IsTruncated: isTruncated,
      ...(isTruncated && last ? { NextContinuationToken: encodeToken(last) } : {}),
      Contents: items(page).map((version) => listedObject(version, encode)),
      CommonPrefixes: prefixes(page).map((one) => ({ Prefix: encode(one) })),
    },
  });
}

function listedObject(version: StoredVersion, encode: (text: string) => string): XmlContent {
  const { checksum } = version;
  return {
    Key: encode(version.key),
    LastModified: new Date(version.modifiedAtMs).toISOString(),
    ETag: `"${version.etag}"`,
    ...(checksum && { ChecksumAlgorithm: checksum.algorithm, ChecksumType: checksum.type }),
    Size: sizeOf(version.pieces),
    StorageClass: version.attributes.storageClass,
  };
}

/** Every version below a prefix, newest first within a key, on one page. */
export function listObjectVersions({ bucket, bucketSettings, query }: Exchange): Answer {
  if (query.has("delimiter") || query.has("key-marker")) {
    throw new S3Refusal("NotImplemented", "This stand-in lists versions on one page, without a delimiter.");
  }
  const prefix = query.get("prefix") ?? "";
  const encode = encoderOf(query);
  const matching = bucket
    .all()
    .filter(({ key }) => key.startsWith(prefix))
    .reverse()
    .sort((a, b) => compareKeys(a.key, b.key));
  const common = ({ key, versionId, modifiedAtMs }: (typeof matching)[number], index: number) => ({
    Key: encode(key),
    VersionId: versionId,
    IsLatest: matching[index - 1]?.key !== key,
    LastModified: new Date(modifiedAtMs).toISOString(),
  });
  const entries = matching.map((version, index) => ({ version, facts: common(version, index) }));
  return xmlAnswer({
    ListVersionsResult: {
      Name: bucketSettings.name,
      Prefix: encode(prefix),
      ...encodingType(query),
      IsTruncated: false,
      Version: entries.flatMap(({ version, facts }) =>
        version.kind === "object"
          ? [{ ...facts, ETag: `"${version.etag}"`, Size: sizeOf(version.pieces) }]
          : [],
      ),
      DeleteMarker: entries.flatMap(({ version, facts }) => (version.kind === "object" ? [] : [facts])),
    },
  });
}

export function listMultipartUploads(exchange: Exchange): Answer {
  const { bucket, bucketSettings, query } = exchange;
  const prefix = query.get("prefix") ?? "";
  const keyMarker = query.get("key-marker") ?? "";
  const idMarker = query.get("upload-id-marker") ?? "";
  const limit = pageLimit(exchange, "max-uploads");
  if (query.has("delimiter")) {
    throw new S3Refusal("NotImplemented", "This stand-in lists uploads without a delimiter only.");
  }
  const matching = [...bucket.uploads.values()].sort(compareUploads).filter(({ key, uploadId }) => {
    const order = compareKeys(key, keyMarker);
    const isAfter = order > 0 || (order === 0 && idMarker !== "" && uploadId > idMarker);
    return key.startsWith(prefix) && isAfter;
  });
  const page = matching.slice(0, limit);
  const last = page.at(-1);
  const isTruncated = matching.length > page.length;
  const encode = encoderOf(query);
  return xmlAnswer({
    ListMultipartUploadsResult: {
      Bucket: bucketSettings.name,
      KeyMarker: encode(keyMarker),
      UploadIdMarker: idMarker,
      ...(isTruncated && last ? { NextKeyMarker: encode(last.key), NextUploadIdMarker: last.uploadId } : {}),
      Prefix: encode(prefix),
      ...encodingType(query),
      MaxUploads: limit,
      IsTruncated: isTruncated,
      Upload: page.map((upload) => ({
        Key: encode(upload.key),
        UploadId: upload.uploadId,
        StorageClass: upload.attributes.storageClass,
        Initiated: new Date(upload.initiatedAtMs).toISOString(),
      })),
    },
  });
}

/** By key, then by upload id: the order that paging by two markers can go on from. */
function compareUploads(a: OpenUpload, b: OpenUpload): number {
  return compareKeys(a.key, b.key) || (a.uploadId < b.uploadId ? -1 : 1);
}

export function listParts(exchange: Exchange): Answer {
  const { bucketSettings, query } = exchange;
  const upload = requireUpload(exchange);
  const marker = numberIn(query, "part-number-marker", 0, exchange.settings.maxPartNumber);
  const limit = pageLimit(exchange, "max-parts");
  const matching = [...upload.parts.values()]
    .filter(({ partNumber }) => partNumber > marker)
    .sort((a, b) => a.partNumber - b.partNumber);
  const page = matching.slice(0, limit);
  const isTruncated = matching.length > page.length;
  const { checksum } = upload;
  return xmlAnswer({
    ListPartsResult: {
      Bucket: bucketSettings.name,
      Key: encoderOf(query)(upload.key),
      UploadId: upload.uploadId,
      StorageClass: upload.attributes.storageClass,
      PartNumberMarker: marker,
      ...(isTruncated ? { NextPartNumberMarker: page.at(-1)?.partNumber } : {}),
      MaxParts: limit,
      IsTruncated: isTruncated,
      ...(checksum && { ChecksumAlgorithm: checksum.algorithm, ChecksumType: checksum.type }),
      Part: page.map((part) => ({
        PartNumber: part.partNumber,
        LastModified: new Date(part.modifiedAtMs).toISOString(),
        ETag: `"${part.etag}"`,
        Size: part.sizeBytes,
        ...(checksum && { [checksumElement(checksum.algorithm)]: part.checksum }),
      })),
    },
  });
}

/** Objects of which the rest of the key holds the delimiter become one entry, their common prefix. */
function grouped(
  versions: readonly StoredVersion[],
  prefix: string,
  delimiter: string,
  after: string,
): Entry<StoredVersion>[] {
  const entries: Entry<StoredVersion>[] = [];
  let previous: string | undefined;
  for (const item of versions) {
    const end = delimiter === "" ? -1 : item.key.indexOf(delimiter, prefix.length);
    const commonPrefix = end < 0 ? undefined : item.key.slice(0, end + delimiter.length);
    if (commonPrefix === undefined) {
      entries.push({ item });
    } else if (commonPrefix !== previous && commonPrefix !== after) {
      entries.push({ commonPrefix });
    }
    previous = commonPrefix;
  }
  return entries;
}

function items<T>(entries: readonly Entry<T>[]): T[] {
  return entries.flatMap((entry) => ("item" in entry ? [entry.item] : []));
}

function prefixes<T>(entries: readonly Entry<T>[]): string[] {
  return entries.flatMap((entry) => ("item" in entry ? [] : [entry.commonPrefix]));
}

/** Opaque to clients: where the page ended. */
function encodeToken(last: Entry<StoredVersion>): string {
  return Buffer.from("item" in last ? last.item.key : last.commonPrefix, "utf8").toString("base64url");
}

function decodeToken(token: string): string {
  const key = Buffer.from(token, "base64url").toString("utf8");
  if (token === "" || Buffer.from(key, "utf8").toString("base64url") !== token) {
    throw new S3Refusal("InvalidArgument", "The continuation token provided is incorrect");
  }
  return key;
}

function pageLimit({ query, settings }: Exchange, name: string): number {
  return Math.min(numberIn(query, name, 1000, 1000), settings.maxPageEntries);
}

function encoderOf(query: URLSearchParams): (text: string) => string {
  return query.get("encoding-type") === "url"
    ? (text) => text.split("/").map(encodeStrictly).join("/")
    : (text) => text;
}

function encodingType(query: URLSearchParams): { EncodingType?: string } {
  return query.get("encoding-type") === "url" ? { EncodingType: "url" } : {};
}

function xmlAnswer(document: Readonly<Record<string, XmlContent>>): Answer {
  return bufferAnswer(200, xmlDocument(document), XML_TYPE);
}
