import { dirname, isAbsolute, resolve } from "node:path";
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
import { getDocument, putDocument } from "./file-documents.ts";
import { ofWholeStore, toStoreError } from "./file-errors.ts";
import { objectPath } from "./file-keys.ts";
import { headObject, readObject, statObject } from "./file-objects.ts";
import { FOLDER_ABILITIES, probeFileStore } from "./file-preflight.ts";
import { FileRoot, removeIfPresent } from "./file-root.ts";
import { FileUpload } from "./file-upload.ts";
import { listObjects, listUploads, removeUpload } from "./file-walk.ts";
import { MISCONFIGURED, misuse, NO_DIGEST, requireExport } from "./store-errors.ts";

/**
 * An object store in a folder of one machine, for any number of processes on it. A key is a path below the
 * root. User metadata of objects is not kept: a file has none, and the `archived` record says the same.
 * Every method throws {@link StoreError}, or the signal's reason.
 */
export class FileStore implements ObjectStore, StoreSweeper, RetentionStore {
  readonly #root: FileRoot;

  /**
   * Touches nothing yet; {@link preflight} makes the folder when it is missing, and nothing else does.
   *
   * @throws StoreError `store-misconfigured` when the path is not absolute.
   */
  constructor(rootFolder: string, parts: { readonly clock: Clock; readonly random: Random }) {
    if (!isAbsolute(rootFolder)) {
      const problem = "the store's folder must be an absolute path";
      const hint = "Write ARCHIVER_STORE as file:///absolute/folder.";
      throw new StoreError({ ...MISCONFIGURED, problem, hint });
    }
    this.#root = new FileRoot(resolve(rootFolder), parts);
  }

  async preflight({ signal }: CallOptions): Promise<StoreAbilities> {
    try {
      return await this.#attempt("state/", signal, () => probeFileStore(this, this.#root, signal));
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
    return this.#root.clock.wallMs();
  }

  async openUpload(key: string, options: OpenUploadOptions): Promise<Upload> {
    return await FileUpload.open(this.#root, key, options);
  }

  async head(key: string, { signal }: CallOptions): Promise<ObjectInfo | undefined> {
    return await this.#attempt(key, signal, () => headObject(this.#root, key));
  }

  /** A folder keeps no digest: `verification` is `read-back`, and this always throws. */
  async confirmStored(object: StoredObject, { signal }: CallOptions): Promise<void> {
    signal.throwIfAborted();
    throw new StoreError(NO_DIGEST, object.key);
  }

  read(key: string, options: ReadOptions): AsyncGenerator<Uint8Array> {
    return this.#each(key, readObject(this.#root, key, options));
  }

  list(prefix: string, { signal }: CallOptions): AsyncGenerator<ListedObject> {
    return this.#each(prefix, listObjects(this.#root, prefix, signal));
  }

  listUploads(prefix: string, { signal }: CallOptions): AsyncGenerator<OpenUpload> {
    return this.#each(prefix, listUploads(this.#root, prefix, signal));
  }

  async abortUploadsUnder(prefix: string, options: CallOptions): Promise<number> {
    let abortedCount = 0;
    for await (const { key, uploadId } of this.listUploads(prefix, options)) {
      abortedCount += (await this.abortUpload(key, uploadId, options)) ? 1 : 0;
    }
    return abortedCount;
  }

  async abortUpload(key: string, uploadId: string, { signal }: CallOptions): Promise<boolean> {
    return await this.#attempt(key, signal, () => removeUpload(this.#root, key, uploadId));
  }

  async removeObject(key: string, { signal }: CallOptions): Promise<void> {
    await this.#attempt(key, signal, async () => {
      const path = objectPath(this.#root.folder, key);
      await this.#root.assertWithin(dirname(path));
      await removeIfPresent(path);
    });
  }

  async getDocument(key: string, { signal }: CallOptions): Promise<StoredDocument | undefined> {
    return await this.#attempt(key, signal, () => getDocument(this.#root, key));
  }

  async putDocument(
    key: string,
    text: string,
    condition: WriteCondition,
    { signal }: CallOptions,
  ): Promise<{ readonly etag: string } | "conflict"> {
    return await this.#attempt(key, signal, () => putDocument(this.#root, key, text, condition, signal));
  }

  /** A folder has neither locks nor tags: the `retained` records alone say how long a file is kept. */
  async retentionAbilities({ signal }: CallOptions): Promise<RetentionAbilities> {
    signal.throwIfAborted();
    return { canLock: false, canTag: false };
  }

  /** A file is its only version, and nothing protects it. */
  async readProtection(
    { key }: ObjectVersion,
    { signal }: CallOptions,
  ): Promise<VersionProtection | undefined> {
    const stat = await this.#attempt(key, signal, () => statObject(this.#root, key));
    return stat === undefined ? undefined : { lock: undefined, legalHold: false, tags: {} };
  }

  /** Always throws: see {@link retentionAbilities}. */
  async lockVersion(): Promise<void> {
    throw new StoreError(misuse("this store cannot lock objects"));
  }

  /** Always throws: see {@link retentionAbilities}. */
  async tagVersion(): Promise<void> {
    throw new StoreError(misuse("this store cannot tag objects"));
  }

  readVersion({ key }: ObjectVersion, options: CallOptions): AsyncGenerator<Uint8Array> {
    return this.read(key, options);
  }

  /** Removes the file of an export. The folders stay: another run may be about to write there. */
  async removeVersion({ key }: ObjectVersion, options: CallOptions): Promise<void> {
    requireExport(key);
    await this.#attempt(key, options.signal, () => this.#root.assertPresent());
    await this.removeObject(key, options);
  }

  async #attempt<Result>(subject: string, signal: AbortSignal, call: () => Promise<Result>): Promise<Result> {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (thrown) {
      throw toStoreError(thrown, this.#root.folder, subject);
    }
  }

  async *#each<Item>(subject: string, items: AsyncIterable<Item>): AsyncGenerator<Item> {
    try {
      yield* items;
    } catch (thrown) {
      throw toStoreError(thrown, this.#root.folder, subject);
    }
  }
}
