import { spawnSync } from "node:child_process";
import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, type TestContext } from "vitest";

/** A real file system of its own size, for tests of full and read-only disks. */
export interface TinyDisk {
  readonly folder: string;
  makeReadOnly(): void;
}

/** Mounts a memory disk, and unmounts it when the test is over. Skips the test, saying why, where it may not. */
export async function mountTinyDisk(context: TestContext, size: string): Promise<TinyDisk> {
  const folder = await mkdtemp(join(tmpdir(), "iotda-archiver-disk-"));
  const mounted = mount("-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder);
  if (!mounted) {
    await rmdir(folder);
    context.skip("mounting a small memory disk needs root on Linux");
  }
  onTestFinished(async () => {
    // Lazy: an open file of a failed test must not keep the disk.
    spawnSync("umount", ["--lazy", folder]);
    await rmdir(folder);
  });
  return {
    folder,
    makeReadOnly: () => {
      if (!mount("-o", "remount,ro", folder)) {
        throw new Error("the memory disk could not be made read-only; is a file still open for writing?");
      }
    },
  };
}

function mount(...args: readonly string[]): boolean {
  return spawnSync("mount", args, { timeout: 10_000 }).status === 0;
}
