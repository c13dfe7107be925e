import { constants } from "node:fs";
import { type FileHandle, link, lstat, open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errnoOf } from "../files/errno.ts";
import { FILE_MODE } from "../files/own-files.ts";
import {
  type BodyProof,
  type OpenUploadOptions,
  type StoredObject,
  StoreError,
  type Upload,
} from "../ports/object-store.ts";
import { toStoreError } from "./file-errors.ts";
import { objectPath, uploadName } from "./file-keys.ts";
import { etagOf, statObject } from "./file-objects.ts";
import { type FileRoot, removeIfPresent } from "./file-root.ts";
import { KEY_TAKEN, proofMismatch, UPLOAD_GONE } from "./store-errors.ts";

/** What is asked for when the source does not say how much it will send. */
const UNKNOWN_SIZE_BYTES = 16 * 1024 * 1024;

/**
 * A body on its way to a file: written under a hidden name in the object's own folder, then linked into
 * place. Linking is exclusive, so that no object is ever replaced, and a crash leaves either no object or
 * a whole one.
 */
export class FileUpload implements Upload {
  readonly #root: FileRoot;
  readonly #key: string;
  readonly #objectPath: string;
  readonly #uploadPath: string;
  readonly #signal: AbortSignal;
  readonly #handle: FileHandle;
  #sizeBytes = 0;
  /** Known once the bytes are durable and the file is closed. */
  #inode: bigint | undefined;
  #isClosed = false;
  #isAborted = false;
  #brokenBy: unknown;

  private constructor(
    root: FileRoot,
    key: string,
    uploadPath: string,
    handle: FileHandle,
    signal: AbortSignal,
  ) {
    this.#root = root;
    this.#key = key;
    this.#objectPath = objectPath(root.folder, key);
    this.#uploadPath = uploadPath;
    this.#handle = handle;
    this.#signal = signal;
  }

  /**
   * @param signal governs the whole upload but `abort`.
   * @throws StoreError; `store-full` before a byte is written when the body would not fit.
   */
  static async open(
    root: FileRoot,
    key: string,
    { expectedSizeBytes, signal }: OpenUploadOptions,
  ): Promise<FileUpload> {
    const finalPath = objectPath(root.folder, key);
    try {
      signal.throwIfAborted();
      await root.makeFolder(dirname(finalPath));
      await root.assertSpaceFor(BigInt(expectedSizeBytes ?? UNKNOWN_SIZE_BYTES));
      signal.throwIfAborted();
      const uploadPath = join(dirname(finalPath), uploadName(basename(finalPath), root.random.hex(6)));
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
      return new FileUpload(root, key, uploadPath, await open(uploadPath, flags, FILE_MODE), signal);
    } catch (thrown) {
      throw toStoreError(thrown, root.folder, key);
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#attempt(async () => {
      for (let offset = 0; offset < chunk.length; ) {
        this.#signal.throwIfAborted();
        const { bytesWritten } = await this.#handle.write(
          chunk,
          offset,
          chunk.length - offset,
          this.#sizeBytes,
        );
        offset += bytesWritten;
        this.#sizeBytes += bytesWritten;
      }
    });
  }

  /**
   * Compares the count of bytes only: the caller hashed them on their way here, and this store is verified
   * by reading back. May be called again after it failed.
   */
  async complete(proof: BodyProof): Promise<StoredObject> {
    if (proof.sizeBytes !== this.#sizeBytes) {
      throw new StoreError(proofMismatch(proof.sizeBytes, this.#sizeBytes), this.#key);
    }
    return await this.#attempt(async () => {
      const inode = await this.#closeDurably();
      this.#signal.throwIfAborted();
      await this.#linkIntoPlace(inode);
      await removeIfPresent(this.#uploadPath);
      await this.#root.syncDownTo(dirname(this.#objectPath));
      const stat = await lstat(this.#objectPath, { bigint: true });
      return { key: this.#key, sizeBytes: Number(stat.size), etag: etagOf(stat) };
    });
  }

  /** Local file operations cannot be cut short, so there is no deadline here; a completed object stays. */
  async abort(): Promise<void> {
    this.#isAborted = true;
    try {
      await this.#close();
      await removeIfPresent(this.#uploadPath);
    } catch (thrown) {
      throw toStoreError(thrown, this.#root.folder, this.#key);
    }
  }

  async #attempt<Result>(step: () => Promise<Result>): Promise<Result> {
    if (this.#isAborted) {
      throw new StoreError(UPLOAD_GONE, this.#key);
    }
    try {
      if (this.#brokenBy !== undefined) {
        throw this.#brokenBy;
      }
      return await step();
    } catch (thrown) {
      throw toStoreError(thrown, this.#root.folder, this.#key);
    }
  }

  async #closeDurably(): Promise<bigint> {
    if (this.#inode === undefined) {
      this.#signal.throwIfAborted();
      try {
        await this.#handle.sync();
      } catch (thrown) {
        // After a failed fsync Linux calls the lost pages clean: a second one would succeed and lie.
        this.#brokenBy = thrown;
        throw thrown;
      }
      const { ino } = await this.#handle.stat({ bigint: true });
      await this.#close();
      this.#inode = ino;
    }
    return this.#inode;
  }

  async #close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      await this.#handle.close();
    }
  }

  async #linkIntoPlace(inode: bigint): Promise<void> {
    try {
      await link(this.#uploadPath, this.#objectPath);
    } catch (thrown) {
      const errno = errnoOf(thrown);
      if (errno !== "EEXIST" && errno !== "ENOENT") {
        throw thrown;
      }
      // An earlier call may have linked it and failed after that: then the object is this very file.
      const standing = await statObject(this.#root, this.#key);
      if (standing?.ino === inode) {
        return;
      }
      throw new StoreError(errno === "EEXIST" ? KEY_TAKEN : UPLOAD_GONE, this.#key, { cause: thrown });
    }
  }
}
