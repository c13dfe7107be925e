import type { Answer } from "../kit/answer.ts";
import { encodeStrictly } from "../kit/signing.ts";
import { checksumElement } from "./checksums.ts";
import { sizeOf } from "./content.ts";
import { S3Refusal } from "./errors.ts";
import { type Exchange, numberIn } from "./exchange.ts";
import { compareKeys, type OpenUpload, type StoredVersion } from "./model.ts";
import { requireUpload } from "./multipart-operations.ts";
import { type XmlContent, xmlAnswer } from "./xml.ts";

/** An entry of a list, or the prefix that stands for several. */
type Entry<T> = { readonly item: T } | { readonly commonPrefix: string };

/** Version 1: S3 names a NextMarker only where keys are grouped. */
export function listObjects(exchange: Exchange): Answer {
  const { query, settings } = exchange;
  const marker = query.get("marker") ?? "";
  const page = pageOf(exchange, marker);
  const { delimiter, encode, isTruncated, last } = page;
  const namesNext = isTruncated && (delimiter !== "" || !settings.listObjectsV2);
  return listAnswer(exchange, page, {
    Marker: encode(marker),
    ...(namesNext && last ? { NextMarker: encode(nameOf(last)) } : {}),
  });
}

export function listObjectsV2(exchange: Exchange): Answer {
  const { query, settings } = exchange;
  if (!settings.listObjectsV2) {
    return listObjects(exchange);
  }
  if (query.get("list-type") !== "2") {
    throw new S3Refusal("InvalidArgument", "The list type provided is incorrect");
  }
  const token = query.get("continuation-token") ?? undefined;
  const after = token === undefined ? (query.get("start-after") ?? "") : decodeToken(token);
  const page = pageOf(exchange, after);
  const { encode, entries, isTruncated, last } = page;
  return listAnswer(exchange, page, {
    ...(query.has("start-after") ? { StartAfter: encode(query.get("start-after") ?? "") } : {}),
    ...(token === undefined ? {} : { ContinuationToken: token }),
    KeyCount: entries.length,
    ...(isTruncated && last ? { NextContinuationToken: encodeToken(last) } : {}),
  });
}

/** One page of a list of objects. */
interface Page {
  readonly prefix: string;
  readonly delimiter: string;
  readonly limit: number;
  readonly entries: readonly Entry<StoredVersion>[];
  readonly last: Entry<StoredVersion> | undefined;
  readonly isTruncated: boolean;
  readonly encode: (text: string) => string;
}

/** The entries after a key, as many as fit. */
function pageOf(exchange: Exchange, after: string): Page {
  const { bucket, query } = exchange;
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const limit = pageLimit(exchange, "max-keys");
  // One more than the page tells whether it is the last one. Of grouped keys any number may stand behind one entry.
  const wanted = delimiter === "" ? limit + 1 : Number.POSITIVE_INFINITY;
  const matching = bucket.currentAfter(prefix, after, wanted);
  const all = grouped(matching, prefix, delimiter, after);
  const entries = all.slice(0, limit);
  const isTruncated = limit > 0 && all.length > entries.length;
  return {
    ...{ prefix, delimiter, limit, entries, isTruncated },
    last: entries.at(-1),
    encode: encoderOf(exchange),
  };
}

/** What both versions answer, and what only one of them does. */
function listAnswer(
  exchange: Exchange,
  { prefix, delimiter, limit, entries, isTruncated, encode }: Page,
  more: Readonly<Record<string, XmlContent>>,
): Answer {
  return xmlAnswer({
    ListBucketResult: {
      Name: exchange.bucketSettings.name,
      Prefix: encode(prefix),
      ...(delimiter === "" ? {} : { Delimiter: encode(delimiter) }),
      ...more,
      MaxKeys: limit,
      ...encodingType(exchange),
      IsTruncated: isTruncated,
      Contents: items(entries).map((version) => listedObject(version, encode)),
      CommonPrefixes: prefixes(entries).map((one) => ({ Prefix: encode(one) })),
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
export function listObjectVersions(exchange: Exchange): Answer {
  const { bucket, bucketSettings, query } = exchange;
  if (query.has("delimiter") || query.has("key-marker")) {
    throw new S3Refusal("NotImplemented", "This stand-in lists versions on one page, without a delimiter.");
  }
  const prefix = query.get("prefix") ?? "";
  const encode = encoderOf(exchange);
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
      ...encodingType(exchange),
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
  const encode = encoderOf(exchange);
  return xmlAnswer({
    ListMultipartUploadsResult: {
      Bucket: bucketSettings.name,
      KeyMarker: encode(keyMarker),
      UploadIdMarker: idMarker,
      ...(isTruncated && last ? { NextKeyMarker: encode(last.key), NextUploadIdMarker: last.uploadId } : {}),
      Prefix: encode(prefix),
      ...encodingType(exchange),
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
      Key: encoderOf(exchange)(upload.key),
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

function nameOf(entry: Entry<StoredVersion>): string {
  return "item" in entry ? entry.item.key : entry.commonPrefix;
}

/** Opaque to clients: where the page ended. */
function encodeToken(last: Entry<StoredVersion>): string {
  return Buffer.from(nameOf(last), "utf8").toString("base64url");
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

function encoderOf(exchange: Exchange): (text: string) => string {
  return isEncoded(exchange) ? (text) => text.split("/").map(encodeStrictly).join("/") : (text) => text;
}

function encodingType(exchange: Exchange): { EncodingType?: string } {
  return isEncoded(exchange) ? { EncodingType: "url" } : {};
}

function isEncoded({ query, settings }: Exchange): boolean {
  return settings.listEncoding && query.get("encoding-type") === "url";
}
