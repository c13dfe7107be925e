import { isAbsolute, resolve } from "node:path";
import type { Clock, Random } from "../ports/clock.ts";
import {
  type ListedObject,
  type ObjectInfo,
  type ObjectStore,
  type OpenUploadOptions,
  type ReadOptions,
  type StoreAbilities,
  type StoredDocument,
  type StoredObject,
  StoreError,
  type Upload,
  type WriteCondition,
} from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import type {
  ObjectVersion,
  RetentionAbilities,
  RetentionStore,
  VersionProtection,
} from "../ports/retention-store.ts";
import type { OpenUpload, StoreSweeper } from "../ports/store-sweeper.ts";
import { FileDocuments } from "./file-documents.ts";
import { ofWholeStore, toStoreError } from "./file-errors.ts";
import { FileLock } from "./file-lock.ts";
import { headObject, readObject } from "./file-objects.ts";
import { FOLDER_ABILITIES, probeFileStore } from "./file-preflight.ts";
import { FILE_RETENTION_ABILITIES, readFileProtection, removeFile, removeObject } from "./file-retention.ts";
import { FileRoot } from "./file-root.ts";
import { FileUpload } from "./file-upload.ts";
import { listObjects, listUploads, removeUpload } from "./file-walk.ts";
import { MISCONFIGURED, misuse, NO_DIGEST } from "./store-errors.ts";

export interface FileStoreOptions {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * An object store in a folder of one machine, for any number of processes on it. A key is a path below the
 * root. User metadata of objects is not kept: a file has none, and the `archived` record says the same.
 * Every method throws {@link StoreError}, or the signal's reason.
 */
export class FileStore implements ObjectStore, StoreSweeper, RetentionStore {
  readonly #root: FileRoot;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #lock: FileLock;
  readonly #documents: FileDocuments;

  /**
   * Touches nothing yet; {@link preflight} makes the folder when it is missing, and nothing else does.
   *
   * @throws StoreError `store-misconfigured` when the path is not absolute.
   */
  constructor(rootFolder: string, { clock, random }: FileStoreOptions) {
    if (!isAbsolute(rootFolder)) {
      const problem = "the folder of the store is not an absolute path";
      const hint = "Write ARCHIVER_STORE as file:///absolute/folder.";
      throw new StoreError({ ...MISCONFIGURED, problem, hint });
    }
    this.#root = new FileRoot(resolve(rootFolder), clock);
    this.#clock = clock;
    this.#random = random;
    this.#lock = new FileLock(this.#root, clock, random);
    this.#documents = new FileDocuments(this.#root, this.#lock);
  }

  async preflight({ signal }: CallOptions): Promise<StoreAbilities> {
    const parts = { store: this, root: this.#root, lock: this.#lock, random: this.#random };
    try {
      return await this.#attempt("state/", signal, () => probeFileStore(parts, signal));
    } catch (thrown) {
      throw ofWholeStore(thrown, this.#root.folder);
    }
  }

  /** Every folder that passed a preflight can do the same. */
  assume(): StoreAbilities {
    return FOLDER_ABILITIES;
  }

  /** The store's clock is this machine's. */
  async readClockMs({ signal }: CallOptions): Promise<number> {
    signal.throwIfAborted();
    return this.#clock.wallMs();
  }

  async openUpload(key: string, { expectedSizeBytes, signal }: OpenUploadOptions): Promise<Upload> {
    const nonceHex12 = this.#random.hex(6);
    return await FileUpload.open({ root: this.#root, key, nonceHex12, expectedSizeBytes, signal });
  }

  async head(key: string, { signal }: CallOptions): Promise<ObjectInfo | undefined> {
    return await this.#attempt(key, signal, () => headObject(this.#root, key));
  }

  /** A folder keeps no digest: `verification` is `read-back`, and this always throws. */
  async confirmStored(object: StoredObject, { signal }: CallOptions): Promise<void> {
    signal.throwIfAborted();
    throw new StoreError(NO_DIGEST, object.key);
  }

  async *read(key: string, options: ReadOptions): AsyncGenerator<Uint8Array> {
    try {
      yield* readObject(this.#root, key, options);
    } catch (thrown) {
      throw toStoreError(thrown, this.#root.folder, key);
    }
  }

  async *list(prefix: string, { signal }: CallOptions): AsyncGenerator<ListedObject> {
    try {
      yield* listObjects(this.#root, prefix, signal);
    } catch (thrown) {
      throw toStoreError(thrown, this.#root.folder, prefix);
    }
  }

  async abortUploadsUnder(prefix: string, { signal }: CallOptions): Promise<number> {
    return await this.#attempt(prefix, signal, async () => {
      let removed = 0;
      for await (const { key, uploadId } of listUploads(this.#root, prefix, signal)) {
        removed += (await removeUpload(this.#root, key, uploadId)) ? 1 : 0;
      }
      return removed;
    });
  }

  async *listUploads(prefix: string, { signal }: CallOptions): AsyncGenerator<OpenUpload> {
    try {
      yield* listUploads(this.#root, prefix, signal);
    } catch (thrown) {
      throw toStoreError(thrown, this.#root.folder, prefix);
    }
  }

  async abortUpload(key: string, uploadId: string, { signal }: CallOptions): Promise<boolean> {
    return await this.#attempt(key, signal, () => removeUpload(this.#root, key, uploadId));
  }

  async removeObject(key: string, { signal }: CallOptions): Promise<void> {
    await this.#attempt(key, signal, () => removeObject(this.#root, key));
  }

  async getDocument(key: string, { signal }: CallOptions): Promise<StoredDocument | undefined> {
    return await this.#attempt(key, signal, () => this.#documents.get(key));
  }

  async putDocument(
    key: string,
    text: string,
    condition: WriteCondition,
    { signal }: CallOptions,
  ): Promise<{ readonly etag: string } | "conflict"> {
    return await this.#attempt(key, signal, () => this.#documents.put(key, text, condition, signal));
  }

  /** A folder can neither lock nor tag. */
  async retentionAbilities({ signal }: CallOptions): Promise<RetentionAbilities> {
    signal.throwIfAborted();
    return FILE_RETENTION_ABILITIES;
  }

  async readProtection(
    version: ObjectVersion,
    { signal }: CallOptions,
  ): Promise<VersionProtection | undefined> {
    return await this.#attempt(version.key, signal, () => readFileProtection(this.#root, version));
  }

  /** Always throws: see {@link retentionAbilities}. */
  async lockVersion(): Promise<void> {
    throw new StoreError(misuse("this store cannot lock objects"));
  }

  /** Always throws: see {@link retentionAbilities}. */
  async tagVersion(): Promise<void> {
    throw new StoreError(misuse("this store cannot tag objects"));
  }

  async *readVersion({ key }: ObjectVersion, options: CallOptions): AsyncGenerator<Uint8Array> {
    yield* this.read(key, options);
  }

  async removeVersion(version: ObjectVersion, { signal }: CallOptions): Promise<void> {
    await this.#attempt(version.key, signal, () => removeFile(this.#root, version));
  }

  async #attempt<Result>(subject: string, signal: AbortSignal, call: () => Promise<Result>): Promise<Result> {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (thrown) {
      throw toStoreError(thrown, this.#root.folder, subject);
    }
  }
}
