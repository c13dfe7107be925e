import { isUtf8 } from "node:buffer";
import {
  type BodyProof,
  type ListedObject,
  MAX_DOCUMENT_BYTES,
  MAX_WRITTEN_BYTES,
  type ObjectInfo,
  type ObjectStore,
  type OpenUploadOptions,
  type ReadOptions,
  type StoreAbilities,
  type StoredDocument,
  type StoredObject,
  type Upload,
  type WriteCondition,
} from "../../lib/ports/object-store.ts";
import type { CallOptions } from "../../lib/ports/platform.ts";
import type { StoreSweeper, OpenUpload as SweptUpload } from "../../lib/ports/store-sweeper.ts";
import { copyOf } from "./export-file.ts";
import type { Site } from "./faults.ts";
import type { WorldObserver } from "./observer.ts";
import { storeError } from "./port-errors.ts";
import type { RunnerProcess } from "./runner-process.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { checksumOf, type OpenUpload, type StoredEntry, type StoreState } from "./store-state.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export interface WorldStoreParts {
  /** The store that the runner reaches now: another one may be put in its place. */
  readonly state: () => StoreState;
  readonly runner: RunnerProcess;
  readonly random: SeededRandom;
  readonly clock: VirtualClock;
  /** Told who removes objects. */
  readonly observer?: WorldObserver;
}

/** What {@link StoreState.plantObject} puts where a spoiled document is to stand. */
const NO_TEXT = Uint8Array.of(0xff);

/** The object store as one runner reaches it; what lists uploads and ends one is never faulty. */
export class WorldStore implements ObjectStore, StoreSweeper {
  readonly #parts: WorldStoreParts;

  constructor(parts: WorldStoreParts) {
    this.#parts = parts;
  }

  preflight({ signal }: CallOptions): Promise<StoreAbilities> {
    return this.#call("store.preflight", "", signal, ({ settings }) => abilitiesOf(settings));
  }

  assume(): StoreAbilities {
    return abilitiesOf(this.#parts.state().settings);
  }

  readClockMs({ signal }: CallOptions): Promise<number> {
    const { clock, random, runner, state } = this.#parts;
    const { clockErrorMs, clockSkewMs } = state().settings;
    // "At the moment of return": nothing may pass between the reading and the caller.
    return runner.outside({
      site: "store.readClockMs",
      subject: "",
      signal,
      latency: 0,
      effect: () => clock.wallMs() + clockSkewMs + random.integer(-clockErrorMs, clockErrorMs),
    });
  }

  async openUpload(key: string, options: OpenUploadOptions): Promise<Upload> {
    const { runner } = this.#parts;
    const opened: { readonly upload: OpenUpload; readonly state: StoreState }[] = [];
    try {
      const begun = await this.#call("store.openUpload", key, options.signal, (state) => {
        const upload = state.openUpload(key, runner.name, options.metadata);
        opened.push({ upload, state });
        return { upload, state };
      });
      return new WorldUpload(begun.upload, begun.state, runner, options.signal);
    } catch (error) {
      // As the adapters do when they are interrupted; an answer that a fault loses leaves an upload behind.
      for (const { upload, state } of options.signal.aborted ? opened : []) {
        state.abortUpload(upload);
      }
      throw error;
    }
  }

  head(key: string, { signal }: CallOptions): Promise<ObjectInfo | undefined> {
    return this.#call("store.head", key, signal, (state) => {
      const entry = state.entries.get(key);
      return entry === undefined ? undefined : infoOf(entry);
    });
  }

  confirmStored(object: StoredObject, { signal }: CallOptions): Promise<void> {
    return this.#call("store.confirmStored", object.key, signal, (state) => {
      if (state.settings.verification !== "stored") {
        throw storeError("store-misconfigured", "this store keeps no digest to compare with");
      }
      const entry = state.entries.get(object.key);
      if (entry === undefined || object.checksum !== checksumOf(entry.sha256)) {
        throw storeError("store-copy-differs");
      }
    });
  }

  async *read(key: string, { range, signal }: ReadOptions): AsyncGenerator<Uint8Array> {
    const { random, runner } = this.#parts;
    const { chunkBytes, chunkLatency } = this.#parts.state().settings;
    const bytes = await this.#call("store.read", key, signal, (state) => {
      const entry = state.entries.get(key);
      if (entry === undefined) {
        throw storeError("store-copy-differs", `there is no object ${key} to read`);
      }
      if (range === undefined) {
        state.noteRead(key);
      }
      return range === undefined
        ? entry.bytes
        : entry.bytes.subarray(range.startByte, range.endByteExclusive);
    });
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      await runner.pass(random.latencyMs(chunkLatency), signal);
      yield copyOf(bytes, at, at + chunkBytes);
    }
  }

  async *list(prefix: string, { signal }: CallOptions): AsyncGenerator<ListedObject> {
    const { keys, entries } = await this.#call("store.list", prefix, signal, (state) => ({
      keys: state.keysUnder(prefix),
      entries: state.entries,
    }));
    // The port promises no order but that of folders, so no caller may come to rely on another.
    for (const key of byFolder(this.#parts.random.shuffled(keys))) {
      const entry = entries.get(key);
      if (entry !== undefined) {
        yield { key, sizeBytes: entry.sizeBytes, modifiedAtMs: entry.modifiedAtMs };
      }
    }
  }

  abortUploadsUnder(prefix: string, { signal }: CallOptions): Promise<number> {
    return this.#call("store.abortUploadsUnder", prefix, signal, (state) => state.abortUploadsUnder(prefix));
  }

  /** For `sweep`, and a queue in the store. No port of an archive run has it: one that reached for it would be seen. */
  removeObject(key: string, { signal }: CallOptions): Promise<void> {
    const { observer, runner } = this.#parts;
    return this.#call("store.removeObject", key, signal, (state) => {
      observer?.objectRemoved(key, runner.name);
      state.removeObject(key);
    });
  }

  getDocument(key: string, { signal }: CallOptions): Promise<StoredDocument | undefined> {
    const { runner, state } = this.#parts;
    return runner.outside<StoredDocument | undefined>({
      site: "store.getDocument",
      subject: key,
      signal,
      latency: state().settings.callLatency,
      spoil: () => state().plantObject(key, NO_TEXT),
      effect: () => {
        const entry = state().entries.get(key);
        return entry && { text: textOf(entry), etag: entry.etag };
      },
    });
  }

  putDocument(
    key: string,
    text: string,
    condition: WriteCondition,
    { signal }: CallOptions,
  ): Promise<{ readonly etag: string } | "conflict"> {
    const { runner, state } = this.#parts;
    return runner.outside<{ readonly etag: string } | "conflict">({
      site: "store.putDocument",
      subject: key,
      signal,
      latency: state().settings.callLatency,
      conflict: "conflict",
      effect: () => {
        if (Buffer.byteLength(text) > MAX_WRITTEN_BYTES) {
          throw storeError("store-too-large", `a document of ${text.length} characters is too large`);
        }
        return this.#holds(key, condition) ? { etag: state().putDocument(key, text).etag } : "conflict";
      },
    });
  }

  async *listUploads(prefix: string): AsyncGenerator<SweptUpload> {
    for (const { id, initiatedAtMs, key } of this.#parts.state().openUploads) {
      if (key.startsWith(prefix)) {
        yield { key, uploadId: String(id), initiatedAtMs };
      }
    }
  }

  async abortUpload(key: string, uploadId: string): Promise<boolean> {
    const state = this.#parts.state();
    const upload = state.openUploads.find((open) => open.key === key && String(open.id) === uploadId);
    if (upload === undefined) {
      return false;
    }
    state.abortUpload(upload);
    return true;
  }

  #holds(key: string, condition: WriteCondition): boolean {
    const { entries, settings } = this.#parts.state();
    switch (condition.kind) {
      case "always":
        return true;
      case "if-absent":
        if (!settings.createOnce) {
          throw storeError(
            "store-misconfigured",
            "this store cannot create once: the caller should have known",
          );
        }
        return !entries.has(key);
      case "if-match":
        if (!settings.compareAndSwap) {
          throw storeError(
            "store-misconfigured",
            "this store cannot compare and swap: the caller should have known",
          );
        }
        return entries.get(key)?.etag === condition.etag;
    }
  }

  #call<T>(site: Site, subject: string, signal: AbortSignal, effect: (state: StoreState) => T): Promise<T> {
    const { runner, state } = this.#parts;
    const latency = state().settings.callLatency;
    return runner.outside({ site, subject, signal, latency, effect: () => effect(state()) });
  }
}

/** Goes on in the store where it was begun, whatever is put in that store's place. */
class WorldUpload implements Upload {
  readonly #upload: OpenUpload;
  readonly #state: StoreState;
  readonly #runner: RunnerProcess;
  readonly #signal: AbortSignal;

  constructor(upload: OpenUpload, state: StoreState, runner: RunnerProcess, signal: AbortSignal) {
    this.#upload = upload;
    this.#state = state;
    this.#runner = runner;
    this.#signal = signal;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#runner.outside({
      site: "store.write",
      subject: this.#upload.key,
      signal: this.#signal,
      latency: this.#state.settings.chunkLatency,
      effect: () => {
        this.#state.requireOpen(this.#upload);
        // Copied as late as the port allows: a caller that reuses its buffer too soon corrupts the upload.
        this.#upload.chunks.push(copyOf(chunk));
      },
    });
  }

  complete(proof: BodyProof): Promise<StoredObject> {
    return this.#runner.outside({
      site: "store.complete",
      subject: this.#upload.key,
      signal: this.#signal,
      latency: this.#state.settings.callLatency,
      effect: () => ({ key: this.#upload.key, ...infoOf(this.#state.completeUpload(this.#upload, proof)) }),
    });
  }

  /** Does not listen to the caller's signal; gives up with `store-unavailable` after `abortTimeoutMs`. */
  async abort(): Promise<void> {
    const deadline = new AbortController();
    const cancelTimeout = this.#runner.schedule(this.#state.settings.abortTimeoutMs, () =>
      deadline.abort(storeError("store-unavailable", "aborting the upload took too long")),
    );
    try {
      await this.#runner.outside({
        site: "store.abort",
        subject: this.#upload.key,
        signal: deadline.signal,
        latency: this.#state.settings.callLatency,
        effect: () => this.#state.abortUpload(this.#upload),
      });
    } finally {
      cancelTimeout();
    }
  }
}

function infoOf({ sizeBytes, etag, versionId, checksum }: StoredEntry): ObjectInfo {
  return {
    sizeBytes,
    etag,
    versionId,
    ...(checksum === undefined ? {} : { checksum }),
  };
}

/** The keys with those of one folder side by side, in the order in which the folders occur first. */
function byFolder(keys: readonly string[]): readonly string[] {
  const folders = Map.groupBy(keys, (key) => key.slice(0, key.lastIndexOf("/") + 1));
  return [...folders.values()].flat();
}

function textOf(entry: StoredEntry): string | undefined {
  return entry.sizeBytes <= MAX_DOCUMENT_BYTES && isUtf8(entry.bytes) ? entry.text : undefined;
}

function abilitiesOf({ createOnce, compareAndSwap, verification }: StoreAbilities): StoreAbilities {
  return { createOnce, compareAndSwap, verification };
}
