import { type BigIntStats, constants } from "node:fs";
import { mkdir, open, realpath, stat, statfs, unlink } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { RESERVE_BYTES } from "../domain/disk-reserve.ts";
import { formatBytes } from "../domain/format-bytes.ts";
import { unless } from "../domain/promises.ts";
import { errnoOf, hasErrno, isMissing } from "../files/errno.ts";
import { FOLDER_MODE } from "../files/own-files.ts";
import type { Clock, Random } from "../ports/clock.ts";
import {
  DISK_FULL,
  fileError,
  LINKED_FOLDER,
  ROOT_GONE,
  ROOT_MISSING,
  ROOT_NOT_FOLDER,
} from "./file-errors.ts";

/** Systems write a changed folder out by themselves; ext4 after 5 s, Btrfs and XFS after 30. */
const WRITTEN_OUT_AFTER_MS = 10 * 60_000;

/** ENOTDIR: something else stands where a folder on the way belongs. */
const isNowhere = hasErrno("ENOENT", "ENOTDIR");

/**
 * The folder everything lies in. It knows which folder it is: when a disk is unmounted while the program runs, its
 * empty mount point must not pass for a store without objects. A program that starts without the disk cannot tell.
 */
export class FileRoot {
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  #identity: string | undefined;
  /** The root itself may be reached over links. */
  #realFolder: string | undefined;

  constructor(folder: string, { clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.folder = folder;
    this.clock = clock;
    this.random = random;
  }

  /** Makes the root folder when it is missing, durably, with its parents. */
  async create(): Promise<void> {
    if (!(await isFolder(this.folder))) {
      await makeMissingFolders(this.folder);
    }
    await this.assertPresent();
  }

  /**
   * @throws StoreError `store-missing` when the folder is not there, `store-misconfigured` when something else stands
   * there, `store-forbidden` when it is not the folder first seen.
   */
  async assertPresent(): Promise<void> {
    const about = await unless(isMissing, stat(this.folder, { bigint: true }), undefined);
    if (about === undefined) {
      throw fileError(this.#identity === undefined ? ROOT_MISSING : ROOT_GONE, this.folder);
    }
    if (!about.isDirectory()) {
      throw fileError(ROOT_NOT_FOLDER, this.folder);
    }
    const identity = `${about.dev}:${about.ino}`;
    this.#identity ??= identity;
    if (this.#identity !== identity) {
      throw fileError(ROOT_GONE, this.folder);
    }
  }

  /** Makes a folder below the root. The root itself must be there. */
  async makeFolder(folder: string): Promise<void> {
    await this.assertPresent();
    for (const path of this.#pathsDownTo(folder)) {
      await makeOneFolder(path);
    }
    await this.assertWithin(folder);
  }

  /**
   * @throws StoreError `store-misconfigured` when a symbolic link leads to this folder: nothing outside the root is
   * read or written. A missing folder passes.
   */
  async assertWithin(folder: string): Promise<void> {
    this.#realFolder ??= await unless(isNowhere, realpath(this.folder), undefined);
    const real = await unless(isNowhere, realpath(folder), undefined);
    const path = relative(this.folder, folder);
    if (this.#realFolder !== undefined && real !== undefined && real !== join(this.#realFolder, path)) {
      throw fileError(LINKED_FOLDER, this.folder, path);
    }
  }

  /**
   * Makes the entries of a folder durable, and its own and its parents' entries up to the root: another
   * process may have made one of them and not have come to sync it.
   */
  async syncDownTo(folder: string): Promise<void> {
    for (const path of [...this.#pathsDownTo(folder).toReversed(), this.folder]) {
      await syncFolder(path);
    }
  }

  /**
   * Makes the entry of a file durable that another process put here: it may have died before it did so itself, and a
   * task may be deleted on the strength of this file. Files that have been here for a while are spared.
   */
  async makeDurable(path: string, { ctimeMs }: BigIntStats): Promise<void> {
    if (Math.abs(this.clock.wallMs() - Number(ctimeMs)) < WRITTEN_OUT_AFTER_MS) {
      await this.syncDownTo(dirname(path));
    }
  }

  /** @throws StoreError `store-full` when the disk has not this much room beside the reserve. */
  async assertSpaceFor(sizeBytes: bigint): Promise<void> {
    const { bavail, bsize, files, ffree } = await statfs(this.folder, { bigint: true });
    const neededBytes = sizeBytes + BigInt(RESERVE_BYTES);
    if (bavail * bsize < neededBytes) {
      throw fileError(
        DISK_FULL,
        this.folder,
        `${formatBytes(Number(neededBytes))} are needed, ${formatBytes(Number(bavail * bsize))} are free`,
      );
    }
    // Btrfs and others count no inodes and say 0 of 0.
    if (files > 0n && ffree === 0n) {
      throw fileError(DISK_FULL, this.folder, "no free inode");
    }
  }

  /** The folders strictly below the root on the way to this one, itself included, topmost first. */
  #pathsDownTo(folder: string): readonly string[] {
    const names = relative(this.folder, folder)
      .split(sep)
      .filter((name) => name !== "");
    return names.map((_, index) => [this.folder, ...names.slice(0, index + 1)].join(sep));
  }
}

/** Not `mkdir(…, {recursive: true})`: Node 24 reports a read-only disk as ENOENT there. */
async function makeMissingFolders(folder: string): Promise<void> {
  try {
    await makeOneFolder(folder);
  } catch (thrown) {
    if (errnoOf(thrown) !== "ENOENT" || dirname(folder) === folder) {
      throw thrown;
    }
    await makeMissingFolders(dirname(folder));
    await makeOneFolder(folder);
  }
  await syncFolder(dirname(folder));
}

async function makeOneFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: FOLDER_MODE });
  } catch (thrown) {
    // EROFS, EACCES: some systems say so before they notice that the folder is there already.
    if (errnoOf(thrown) !== "EEXIST" && !(await isFolder(path))) {
      throw thrown;
    }
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await unless(isMissing, stat(path), undefined))?.isDirectory() === true;
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes a file; that it is gone already is as good. */
export async function removeIfPresent(path: string): Promise<boolean> {
  const removed = unlink(path).then(() => true);
  return await unless(isMissing, removed, false);
}
