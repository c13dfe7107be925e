import { FaultError } from "../domain/errors.ts";
import type { CallOptions } from "./platform.ts";

/** How a stored copy is proved (architecture §7): by the store's own digest, or by reading it back. */
export type VerificationLevel = "stored" | "read-back";

/** What this store can do, as probed by {@link ObjectStore.preflight}. */
export interface StoreAbilities {
  /** A document can be created only if its key is free. */
  readonly createOnce: boolean;
  /** A document can be replaced only if it is still the one that was read. */
  readonly compareAndSwap: boolean;
  readonly verification: VerificationLevel;
  /** The same as `createOnce` for the completion of an upload; only stores that tell the two apart say it. */
  readonly createOnceAtCompletion?: boolean;
  /** Which archive lies there; said only by a store that is opened as one. */
  readonly archiveId?: string;
}

/** The part of {@link StoreAbilities} that has to be tried out. */
export type FoundAbilities = Pick<StoreAbilities, "createOnce" | "compareAndSwap" | "createOnceAtCompletion">;

/** An object as HEAD shows it. */
export interface ObjectInfo {
  readonly sizeBytes: number;
  /** Changes when the content may have changed. Opaque. */
  readonly etag: string;
  readonly versionId?: string;
  /** The store's own digest over the whole object, as `ALGORITHM:base64`; only where it keeps one. */
  readonly checksum?: string;
}

/** An object as an upload completed it: the `object` of the `archived` record without its SHA-256. */
export interface StoredObject extends ObjectInfo {
  readonly key: string;
}

export interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  /** Why it is not an object although it stands at a key, such as "is a symbolic link": nothing can be read from it. */
  readonly oddity?: string;
}

/** What must be known of a body before an upload may be completed. */
export interface BodyProof {
  readonly sizeBytes: number;
  /** Lowercase hex over every byte written. */
  readonly sha256: string;
}

export interface OpenUploadOptions extends CallOptions {
  /** User metadata; lowercase names. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What the source said the body will measure, to refuse early what cannot fit. */
  readonly expectedSizeBytes: number | undefined;
}

/**
 * A body on its way to one key. Nothing is visible at the key before {@link complete}.
 * Every upload is ended by exactly one `complete` that resolved, or by `abort`.
 */
export interface Upload {
  /** Takes the chunk over; resolves when the next may come. The chunk may be reused after that. */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Makes the object visible, durably. Refuses when more or fewer bytes were written than `proof` says; which
   * bytes they are is proved once they stand, by the store's own digest or by reading them back.
   * A completion whose answer was lost is looked for before it is called failed.
   */
  complete(proof: BodyProof): Promise<StoredObject>;
  /** Throws the body away, with a deadline and signal of its own. Safe after a failed `complete`, and twice. */
  abort(): Promise<void>;
}

/** A small JSON document and what {@link ObjectStore.putDocument} can be made conditional on. */
export interface StoredDocument {
  /** `undefined` for what no program of ours wrote: more than {@link MAX_DOCUMENT_BYTES}, or no UTF-8. */
  readonly text: string | undefined;
  readonly etag: string;
}

/** When a document may be written. `always` is for stores without conditional writes. */
export type WriteCondition =
  | { readonly kind: "always" }
  | { readonly kind: "if-absent" }
  | { readonly kind: "if-match"; readonly etag: string };

/** An object store below one prefix. Keys never begin with `/`. */
export interface ObjectStore {
  /** Proves that the prefix can be written, read and listed, and finds out what the store can do. */
  preflight(options: CallOptions): Promise<StoreAbilities>;
  /**
   * Takes for granted what an earlier {@link preflight} of the same store and settings found by trying. Asks nothing.
   * @returns the abilities in force: what the store's profile says goes before what was remembered.
   */
  assume(found: FoundAbilities): StoreAbilities;
  /** The store's clock at the moment of return, epoch milliseconds, good to some tens of milliseconds. May take a second. */
  readClockMs(options: CallOptions): Promise<number>;

  /** Begins an upload. Where it is interrupted, nothing stays open. */
  openUpload(key: string, options: OpenUploadOptions): Promise<Upload>;
  /** `undefined` when there is no such object. An error is never "no such object". */
  head(key: string, options: CallOptions): Promise<ObjectInfo | undefined>;
  /** Compares the store's own digest with the one computed while sending. Only for `verification: "stored"`. */
  confirmStored(object: StoredObject, options: CallOptions): Promise<void>;
  /** The bytes of an object, or of `[startByte, endByteExclusive)` of it. Throws `store-object-cold` where they lie in an archive. */
  read(key: string, options: ReadOptions): AsyncIterable<Uint8Array>;
  /**
   * Every object whose key begins with the prefix, in no promised order. Uploads under way do not show. What stands
   * there and is not an object shows with its `oddity`, also where its name is that of no object. What stands where a folder
   * of the prefix belongs shows under its own key. The objects of one folder come one after the other.
   */
  list(prefix: string, options: CallOptions): AsyncIterable<ListedObject>;
  /** Aborts every upload still open for keys below the prefix, whoever began it; returns how many. */
  abortUploadsUnder(prefix: string, options: CallOptions): Promise<number>;

  /** `undefined` when there is none; whatever stands at the key is a document, readable or not. */
  getDocument(key: string, options: CallOptions): Promise<StoredDocument | undefined>;
  /** At most {@link MAX_WRITTEN_BYTES}. Durable when it resolves. `conflict`: the condition did not hold, or might not have. */
  putDocument(
    key: string,
    text: string,
    condition: WriteCondition,
    options: CallOptions,
  ): Promise<{ readonly etag: string } | "conflict">;
}

export interface ReadOptions extends CallOptions {
  readonly range?: { readonly startByte: number; readonly endByteExclusive: number };
}

/** A larger one is not read as a document; {@link ObjectStore.read} reads it like an object. */
export const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
/** Of one document: a month of the catalogue with 100,000 exports. */
export const MAX_WRITTEN_BYTES = 64 * 1024 * 1024;

export type StoreErrorCode =
  /** There is no such bucket or folder. */
  | "store-missing"
  /** Read-only, access denied; the folder was replaced while the program ran. */
  | "store-forbidden"
  /** The access key is missing, unknown, wrong or out of date: nothing was asked of the store yet. */
  | "store-unauthenticated"
  /** No space left, quota. */
  | "store-full"
  /** Configured in a way that cannot work (no hard links, wrong region …). */
  | "store-misconfigured"
  /** Reset, time-out, 5xx, I/O error. */
  | "store-unavailable"
  /** Our open upload or temporary file was taken away: somebody else settled this task. */
  | "store-upload-gone"
  /** The key is taken, which a random nonce should make impossible. */
  | "store-key-taken"
  /** More or fewer bytes were written than proved, or the proof is none: nothing was completed. */
  | "store-proof-mismatch"
  /** The stored copy is not what was sent. */
  | "store-copy-differs"
  /** In a storage class that cannot be read before it is restored; HEAD and list show it like any other. */
  | "store-object-cold"
  /** More parts than the store takes, or a document larger than any may be. */
  | "store-too-large"
  /** An answer that no store gives, such as a proxy's login page: it says nothing about what stands there. */
  | "store-foreign-answer";

export class StoreError extends FaultError<StoreErrorCode> {}
