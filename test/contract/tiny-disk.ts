import { spawnSync } from "node:child_process";
import { mkdtemp, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "vitest";

/** A real file system of its own size, for tests of full and read-only disks. */
export interface TinyDisk {
  readonly folder: string;
  makeReadOnly(): void;
  /** Takes the disk away, as a pulled plug does; its mount point stays as an empty folder. */
  unmount(): void;
}

/** Mounts a memory disk of a size as `mount` takes it (`4m`, `64m,nr_inodes=20`), and unmounts it when the test is over. Skips the test, saying why, where it may not. */
export async function mountTinyDisk(context: TestContext, size: string): Promise<TinyDisk> {
  const folder = await mkdtemp(join(tmpdir(), "iotda-archiver-disk-"));
  const mounted = mount("-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder);
  if (!mounted) {
    await rmdir(folder);
    context.skip("mounting a small memory disk needs root on Linux");
  }
  // Lazy: an open file of a failed test must not keep the disk.
  const unmount = () => {
    spawnSync("umount", ["--lazy", folder]);
  };
  context.onTestFinished(async () => {
    unmount();
    await rm(folder, { recursive: true });
  });
  return {
    folder,
    unmount,
    makeReadOnly: () => {
      if (!mount("-o", "remount,ro", folder)) {
        throw new Error("the memory disk could not be made read-only; is a file still open for writing?");
      }
    },
  };
}

function mount(...args: readonly string[]): boolean {
  return spawnSync("mount", args, { timeout: 240_000 }).status === 0;
}
