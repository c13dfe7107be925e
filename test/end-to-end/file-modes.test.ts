import { chmod, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { finishedExports, openLab } from "./lab.ts";

const OTHERS_AND_GROUP_WRITE = 0o027;

test("nothing that a night leaves can be read by everybody, or changed by a group", async (context) => {
  const lab = await openLab(context);
  await lab.control.addTasks(finishedExports(2));
  expect((await lab.archiver("run")).exitCode).toBe(0);
  const inStore = await readdir(lab.store.path, { recursive: true });
  const paths = [...inStore.map((name) => join(lab.store.path, name)), lab.store.path, lab.queue.path];
  expect(inStore).toContain("state/lock.db");
  for (const path of paths) {
    expect((await stat(path)).mode & OTHERS_AND_GROUP_WRITE, path).toBe(0);
  }
});

test("a file of settings that everybody can read is said once by each command, on stderr", async (context) => {
  const lab = await openLab(context);
  await chmod(lab.envFile, 0o664);
  for (const args of [["status", "--json"], ["hold"], ["dead-letters"], ["verify"]]) {
    const { stdout, stderr } = await lab.archiver(...args);
    expect(stderr.split("has mode 0664"), args.join(" ")).toHaveLength(2);
    expect(stderr).toContain(lab.envFile);
    expect(stderr).toContain("chmod 600");
    expect(stdout).not.toContain("chmod");
  }
});
