import type { BodyProof, VerificationLevel } from "../../lib/ports/object-store.ts";
import { sha256Hex } from "./export-file.ts";
import type { WorldObserver } from "./observer.ts";
import { storeError } from "./port-errors.ts";
import type { Latency } from "./seeded-random.ts";
import { SortedKeys } from "./sorted-keys.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** What the store can do and how fast; a test may change it while the world runs. */
export interface StoreSettings {
  createOnce: boolean;
  compareAndSwap: boolean;
  verification: VerificationLevel;
  /** How far the store's clock is ahead of true time. */
  clockSkewMs: number;
  /** The last digit of its clock that can be trusted: readings are off by up to this much either way. */
  clockErrorMs: number;
  /** Open, complete, head, list, documents. */
  callLatency: Latency;
  /** One chunk written or read. */
  chunkLatency: Latency;
  chunkBytes: number;
  /** An upload's `abort` gives up after this long. */
  abortTimeoutMs: number;
}

export const DEFAULT_STORE_SETTINGS: Readonly<StoreSettings> = {
  createOnce: true,
  compareAndSwap: true,
  verification: "read-back",
  clockSkewMs: 0,
  clockErrorMs: 20,
  callLatency: { minMs: 5, maxMs: 60 },
  chunkLatency: { minMs: 0, maxMs: 10 },
  chunkBytes: 1024,
  abortTimeoutMs: 5_000,
};

interface EntryParts {
  readonly bytes: Uint8Array;
  readonly version: number;
  readonly checksum: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly modifiedAtMs: number;
}

/** What stands at a key, an export or a document alike. Never changes: what is written again is another entry. */
export class StoredEntry {
  readonly bytes: Uint8Array;
  readonly sizeBytes: number;
  /** The same bytes written again get another ETag: more than a real store promises, never less. */
  readonly etag: string;
  readonly versionId: string;
  readonly checksum: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly modifiedAtMs: number;
  #sha256: string | undefined;
  #text: string | undefined;

  readonly #version: number;

  constructor({ bytes, version, checksum, metadata, modifiedAtMs }: EntryParts, sha256?: string) {
    this.#version = version;
    this.bytes = bytes;
    this.sizeBytes = bytes.length;
    this.etag = `"etag-${version}"`;
    this.versionId = `v${version}`;
    this.checksum = checksum;
    this.metadata = metadata;
    this.modifiedAtMs = modifiedAtMs;
    this.#sha256 = sha256;
  }

  /** What the same entry shows once a disk has flipped a bit of it: nothing but other bytes. */
  rotten(): StoredEntry {
    const bytes = Uint8Array.from(this.bytes);
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    const { checksum, metadata, modifiedAtMs } = this;
    return new StoredEntry({ bytes, version: this.#version, checksum, metadata, modifiedAtMs });
  }

  /** Lowercase hex over `bytes`. Most entries are documents, whose hash is not asked for. */
  get sha256(): string {
    this.#sha256 ??= sha256Hex(this.bytes);
    return this.#sha256;
  }

  /** The bytes as UTF-8, which only a document's are. */
  get text(): string {
    this.#text ??= Buffer.from(this.bytes).toString("utf8");
    return this.#text;
  }
}

/** An upload that was begun; visible here, never in a list. */
export interface OpenUpload {
  readonly id: number;
  readonly key: string;
  readonly runner: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly chunks: Uint8Array[];
  /** By the store's clock. */
  readonly initiatedAtMs: number;
}

/** The durable content of the store. Runners reach it through `WorldStore` only. */
export class StoreState {
  readonly settings: StoreSettings;
  readonly #clock: VirtualClock;
  readonly #observer: WorldObserver;
  readonly #entries = new Map<string, StoredEntry>();
  readonly #keys = new SortedKeys();
  readonly #uploads = new Map<number, OpenUpload>();
  readonly #readAtMs = new Map<string, number>();
  #version = 0;
  #uploadId = 0;

  constructor(settings: StoreSettings, clock: VirtualClock, observer: WorldObserver) {
    this.settings = settings;
    this.#clock = clock;
    this.#observer = observer;
  }

  get entries(): ReadonlyMap<string, StoredEntry> {
    return this.#entries;
  }

  get openUploads(): readonly OpenUpload[] {
    return [...this.#uploads.values()];
  }

  /** The keys below a prefix, sorted. */
  keysUnder(prefix: string): readonly string[] {
    return this.#keys.under(prefix);
  }

  /** The text at a key, for tests and the oracle. */
  textAt(key: string): string | undefined {
    return this.#entries.get(key)?.text;
  }

  /** Puts bytes at a key from outside: a bit rots, a person uploads. No promise is checked. */
  plantObject(key: string, bytes: Uint8Array): void {
    this.#store(key, bytes, {});
  }

  /** Flips a bit of what stands at a key; size, ETag, version and modification time stay. */
  rotObject(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      this.#entries.set(key, entry.rotten());
    }
  }

  /** Somebody reads the whole object at a key. */
  noteRead(key: string): void {
    this.#readAtMs.set(key, this.#clock.monotonicMs());
  }

  /** When the object at a key was last read whole, on the world's clock. */
  lastReadAtMs(key: string): number | undefined {
    return this.#readAtMs.get(key);
  }

  /** Removes a key from outside. */
  removeObject(key: string): void {
    this.#entries.delete(key);
    this.#keys.remove(key);
  }

  openUpload(key: string, runner: string, metadata: Readonly<Record<string, string>>): OpenUpload {
    const initiatedAtMs = this.#clock.wallMs() + this.settings.clockSkewMs;
    const upload: OpenUpload = { id: ++this.#uploadId, key, runner, metadata, chunks: [], initiatedAtMs };
    this.#uploads.set(upload.id, upload);
    return upload;
  }

  /** Throws `store-upload-gone` when the upload was aborted or completed. */
  requireOpen(upload: OpenUpload): void {
    if (!this.#uploads.has(upload.id)) {
      throw storeError("store-upload-gone");
    }
  }

  /**
   * Makes an upload's bytes visible at its key. Compares their count only, as the real stores do.
   *
   * @throws StoreError `store-upload-gone`, `store-proof-mismatch`, or, where it can create once, `store-key-taken`.
   */
  completeUpload(upload: OpenUpload, proof: BodyProof): StoredEntry {
    this.requireOpen(upload);
    const bytes = Buffer.concat(upload.chunks);
    if (bytes.length !== proof.sizeBytes) {
      throw storeError("store-proof-mismatch");
    }
    if (this.settings.createOnce && this.#entries.has(upload.key)) {
      throw storeError("store-key-taken");
    }
    const sha256 = sha256Hex(bytes);
    this.#observer.objectCompleted(upload.key, sha256);
    this.#uploads.delete(upload.id);
    return this.#store(upload.key, bytes, upload.metadata, sha256);
  }

  abortUpload(upload: OpenUpload): void {
    this.#uploads.delete(upload.id);
  }

  /** Aborts every open upload below a prefix; returns how many. */
  abortUploadsUnder(prefix: string): number {
    const found = this.openUploads.filter((upload) => upload.key.startsWith(prefix));
    for (const upload of found) {
      this.abortUpload(upload);
    }
    return found.length;
  }

  putDocument(key: string, text: string): StoredEntry {
    this.#observer.documentWritten(key, text);
    return this.#store(key, Buffer.from(text, "utf8"), {});
  }

  #store(
    key: string,
    bytes: Uint8Array,
    metadata: Readonly<Record<string, string>>,
    knownSha256?: string,
  ): StoredEntry {
    const isDigestKept = this.settings.verification === "stored";
    const checksum = isDigestKept ? checksumOf(knownSha256 ?? sha256Hex(bytes)) : undefined;
    const version = ++this.#version;
    const modifiedAtMs = this.#clock.wallMs() + this.settings.clockSkewMs;
    const entry = new StoredEntry({ bytes, version, checksum, metadata, modifiedAtMs }, knownSha256);
    this.#entries.set(key, entry);
    this.#keys.add(key);
    return entry;
  }
}

/** `SHA256:base64`, as the port wants a store's own digest. */
export function checksumOf(sha256: string): string {
  return `SHA256:${Buffer.from(sha256, "hex").toString("base64")}`;
}
