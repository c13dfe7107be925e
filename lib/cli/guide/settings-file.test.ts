import { chmod, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../../../test/contract/temp-folder.ts";
import { lookAtFile, writeSettings } from "./settings-file.ts";

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

test.each([0o000, 0o022, 0o777])("a new file is for its owner alone under the umask %o", async (mask) => {
  const folder = await temporaryFolder();
  const before = process.umask(mask);
  onTestFinished(() => void process.umask(before));
  const { path, there } = await lookAtFile(join(folder, "archiver.env"));
  expect(there).toBeUndefined();
  await writeSettings(path, there, "A=1\n");
  expect(await readFile(path, "utf8")).toBe("A=1\n");
  expect(await modeOf(path)).toBe("600");
  expect(await readdir(folder)).toEqual(["archiver.env"]);
});

test("a file that somebody made meanwhile is not replaced, and nothing else is left", async () => {
  const folder = await temporaryFolder();
  const { path, there } = await lookAtFile(join(folder, "archiver.env"));
  await writeFile(path, "theirs");
  await expect(writeSettings(path, there, "A=1\n")).rejects.toMatchObject({ code: "EEXIST" });
  expect(await readFile(path, "utf8")).toBe("theirs");
  expect(await readdir(folder)).toEqual(["archiver.env"]);
});

test("a file that is to be replaced is, behind its link too, and everybody's look at it ends", async () => {
  const folder = await temporaryFolder();
  const real = join(folder, "real.env");
  await writeFile(real, "old and longer than the new one\n");
  await chmod(real, 0o644);
  await symlink(real, join(folder, "link.env"));
  const { path, there } = await lookAtFile(join(folder, "link.env"));
  await writeSettings(path, there, "A=1\n");
  expect(await readFile(join(folder, "link.env"), "utf8")).toBe("A=1\n");
  expect(await modeOf(real)).toBe("600");
  expect((await readdir(folder)).sort()).toEqual(["link.env", "real.env"]);
});
