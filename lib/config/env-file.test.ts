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

test("takes quoted values as Node does, over several lines too", async () => {
  const file = await fileWith(
    'A=\'{\n  "b": 1\n}\' # the policy\r\n\r\n  # ARCHIVER_DELETE: never\nB = "x"\nC=\nD=say "hi"\n',
  );
  expect(await withEnvFile({}, file)).toEqual({ A: '{\n  "b": 1\n}', B: "x", C: "", D: 'say "hi"' });
});

const PLAIN_FIX = "Write one setting on each line, such as ARCHIVER_DELETE=never; a comment begins with #.";
const NAMED_FIX = "Write ARCHIVER_DELETE=value, with = between the name and its value.";

test.each([
  ["ARCHIVER_DELETE: never", NAMED_FIX],
  ["ARCHIVER_DELETE never", NAMED_FIX],
  ["export ARCHIVER_DELETE", NAMED_FIX],
  ["just a line", PLAIN_FIX],
  ["s3cr3t-of-the-operator", PLAIN_FIX],
  ["=never", PLAIN_FIX],
])("refuses the line %j with its number, and quotes nothing of it", async (line, fix) => {
  const file = await fileWith(`A=1\n\n${line}\nB=2\n`);
  await expect(withEnvFile({}, file)).rejects.toMatchObject({
    code: "configuration",
    problems: [
      {
        name: `--env-file ${JSON.stringify(file)}, line 3`,
        problem: "is neither NAME=value nor a comment",
        fix,
      },
    ],
  });
});

test.each([
  'ARCHIVER_STORE="file:///srv',
  "ARCHIVER_STORE='x' y",
  'ARCHIVER_STORE="x\nARCHIVER_DELETE="never"',
])("refuses %j: Node takes the lines after it into the value, or drops what follows it", async (lines) => {
  const file = await fileWith(`A=1\n${lines}\nB=2\n`);
  await expect(withEnvFile({}, file)).rejects.toMatchObject({
    problems: [{ name: expect.stringMatching(/, line 2$/), problem: expect.stringContaining("quoted") }],
  });
});

test("counts the rest of a file that is no file of settings", async () => {
  const file = await fileWith("words and words\n".repeat(40));
  const refused = expect(withEnvFile({}, file)).rejects;
  await refused.toMatchObject({ problems: { length: 11, 10: { problem: "has 30 more such lines" } } });
});

test.each([
  ["ARCHIVE_DELETE", "Did you mean ARCHIVER_DELETE?"],
  ["archiver_delete", "Did you mean ARCHIVER_DELETE?"],
  ["ARCHIVER-DELETE", "Did you mean ARCHIVER_DELETE?"],
  ["Archiver.Delete", "Did you mean ARCHIVER_DELETE?"],
  ["ARCHIVE_KEEP_EVERYTHING", "Remove it."],
])("refuses the name %s, which no setting has", async (name, fix) => {
  const file = await fileWith(`A=1\n${name}=never\n`);
  await expect(withEnvFile({}, file)).rejects.toMatchObject({
    problems: [{ name, problem: "is no setting of this program", fix }],
  });
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
