import { randomBytes } from "node:crypto";
import type { ObjectAttributes, Retention } from "./attributes.ts";
import type { ChecksumAlgorithm, ChecksumType, TypedChecksum } from "./checksums.ts";
import { dropPiece, type Piece } from "./content.ts";
import type { BucketSettings } from "./settings.ts";

/** One version of an object; without versioning its id is `null` and there is one at most. */
export interface StoredVersion {
  readonly kind: "object";
  readonly key: string;
  readonly versionId: string;
  /** Without quotes. */
  readonly etag: string;
  modifiedAtMs: number;
  readonly attributes: ObjectAttributes;
  readonly checksum: TypedChecksum | undefined;
  readonly pieces: readonly Piece[];
  retention: Retention | undefined;
  tags: Readonly<Record<string, string>>;
}

export interface DeleteMarker {
  readonly kind: "delete-marker";
  readonly key: string;
  readonly versionId: string;
  readonly modifiedAtMs: number;
}

export interface StoredPart {
  readonly partNumber: number;
  readonly etag: string;
  /** Raw MD5 of what was sent, also where the ETag is opaque. */
  readonly md5: Buffer;
  /** Of what was sent; a fault may have stored less. */
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  /** Base64, under the upload's algorithm. */
  readonly checksum: string | undefined;
  readonly piece: Piece;
}

export interface OpenUpload {
  readonly uploadId: string;
  readonly key: string;
  initiatedAtMs: number;
  readonly attributes: ObjectAttributes;
  readonly checksum:
    | { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType; readonly declared: boolean }
    | undefined;
  readonly parts: Map<number, StoredPart>;
}

/** What one bucket holds. */
export class Bucket {
  readonly #versions = new Map<string, (StoredVersion | DeleteMarker)[]>();
  /** All keys in their order, from the first list on. */
  #order: string[] | undefined;
  readonly uploads = new Map<string, OpenUpload>();
  /** What uploads that are completed have become. */
  readonly completed = new Map<string, StoredVersion>();

  /**
   * Current objects whose keys begin with the prefix and come after another key, in the order of their UTF-8 bytes.
   * A page of a bucket with a million objects takes no look at all of them.
   */
  currentAfter(prefix: string, after: string, limit: number): StoredVersion[] {
    const found: StoredVersion[] = [];
    this.#order ??= [...this.#versions.keys()].sort(compareKeys);
    const isAfter = compareKeys(after, prefix) >= 0;
    let index = placeOf(this.#order, isAfter ? after : prefix);
    index += isAfter && this.#order[index] === after ? 1 : 0;
    for (; found.length < limit; index += 1) {
      const key = this.#order[index];
      if (key === undefined || !key.startsWith(prefix)) {
        break;
      }
      const version = this.find(key);
      if (version !== undefined) {
        found.push(version);
      }
    }
    return found;
  }

  /** Every version there is, oldest first within a key. */
  all(): (StoredVersion | DeleteMarker)[] {
    return [...this.#versions.values()].flat();
  }

  /** The current object of a key. */
  find(key: string): StoredVersion | undefined {
    const newest = this.#versions.get(key)?.at(-1);
    return newest?.kind === "object" ? newest : undefined;
  }

  findVersion(key: string, versionId: string): StoredVersion | DeleteMarker | undefined {
    return this.#versions.get(key)?.find((version) => version.versionId === versionId);
  }

  /** Adds a version on top; without versioning it takes the place of the `null` one. */
  add(version: StoredVersion | DeleteMarker): void {
    this.remove(version.key, version.versionId);
    if (this.#order !== undefined && !this.#versions.has(version.key)) {
      this.#order.splice(placeOf(this.#order, version.key), 0, version.key);
    }
    this.#versions.set(version.key, [...(this.#versions.get(version.key) ?? []), version]);
  }

  /** Removes one version for good. */
  remove(key: string, versionId: string): void {
    const versions = this.#versions.get(key) ?? [];
    const left = versions.filter((version) => version.versionId !== versionId);
    for (const version of versions) {
      if (version.versionId === versionId && version.kind === "object") {
        version.pieces.forEach(dropPiece);
      }
    }
    if (left.length === 0) {
      if (this.#versions.delete(key) && this.#order !== undefined) {
        this.#order.splice(placeOf(this.#order, key), 1);
      }
    } else {
      this.#versions.set(key, left);
    }
  }

  /** @param kept numbers of parts whose bytes an object has taken over. */
  closeUpload(uploadId: string, kept: ReadonlySet<number> = new Set()): void {
    for (const part of this.uploads.get(uploadId)?.parts.values() ?? []) {
      if (!kept.has(part.partNumber)) {
        dropPiece(part.piece);
      }
    }
    this.uploads.delete(uploadId);
  }
}

export function newVersionId(settings: BucketSettings): string {
  return settings.versioning ? randomBytes(16).toString("hex") : "null";
}

/** Where a key stands in a sorted list, or would stand. */
function placeOf(order: readonly string[], key: string): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareKeys(order[middle] ?? "", key) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

const ASCII = /^[ -~]*$/;

/** The order of every S3 list: by UTF-8 bytes, which differs from the order of JavaScript strings beyond ASCII. */
export function compareKeys(a: string, b: string): number {
  if (ASCII.test(a) && ASCII.test(b)) {
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return Buffer.compare(Buffer.from(a, "utf8"), Buffer.from(b, "utf8"));
}
