import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withEnvFile } from "./env-file.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "archiver-env-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function fileWith(text: string): Promise<string> {
  const file = path.join(folder, "archiver.env");
  await writeFile(file, text);
  return file;
}

test("adds the file's settings; the real environment wins, even with an empty value", async () => {
  const file = await fileWith('\uFEFFA=1\n# comment\nB="two words"\nexport C=3\nD=4\n');
  expect(await withEnvFile({ C: "real", D: "" }, file)).toEqual({ A: "1", B: "two words", C: "real", D: "" });
});

test("names a file that is not there, is a folder or is too large", async () => {
  const missing = path.join(folder, "none.env");
  await expect(withEnvFile({}, missing)).rejects.toMatchObject({
    code: "configuration",
    problems: [{ name: `--env-file ${JSON.stringify(missing)}`, problem: "cannot be read (ENOENT)" }],
  });
  await expect(withEnvFile({}, folder)).rejects.toMatchObject({ problems: [{ problem: "is no file" }] });
  const large = await fileWith("#".repeat(300_000));
  await expect(withEnvFile({}, large)).rejects.toMatchObject({
    problems: [{ problem: "is larger than 262144 bytes" }],
  });
});
