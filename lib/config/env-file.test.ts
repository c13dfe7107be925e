import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withSettingsFile } from "./env-file.ts";
import type { Environment } from "./section.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "archiver-env-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function fileWith(text: string): Promise<string> {
  const file = path.join(folder, "archiver.env");
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

function read(file: string, env: Environment = {}) {
  return withSettingsFile(env, { option: "--config", path: file });
}

test("adds the file's settings; the real environment wins, even with an empty value", async () => {
  const file = await fileWith('\uFEFFA=1\n# comment\nB="two words"\nexport C=3\nD=4\n');
  expect(await read(file, { C: "real", D: "" })).toEqual({
    environment: { A: "1", B: "two words", C: "real", D: "" },
    problems: [],
  });
});

test("takes quoted values as Node does, over several lines too", async () => {
  const file = await fileWith(
    'A=\'{\n  "b": 1\n}\' # the policy\r\n\r\n  # ARCHIVER_DELETE: never\nB = "x"\nC=\nD=say "hi"\n',
  );
  expect(await read(file)).toEqual({
    environment: { A: '{\n  "b": 1\n}', B: "x", C: "", D: 'say "hi"' },
    problems: [],
  });
});

test("a value that is empty takes nothing from the line below, whatever spaces stand around", async () => {
  const file = await fileWith(
    "A= \nexport\tARCHIVER_DELETE\t=\tnever\t\nNO_PROXY=\t\nB= # nothing\nC=1 # one\n",
  );
  expect(await read(file)).toEqual({
    environment: { A: "", ARCHIVER_DELETE: "never", NO_PROXY: "", B: "", C: "1" },
    problems: [],
  });
});

test("refuses a # that may begin a comment or belong to the value", async () => {
  const file = await fileWith("A=1\nHUAWEICLOUD_SDK_SK=abc#def\nB='x#y'\n");
  expect(await read(file)).toMatchObject({
    environment: { A: "1", B: "x#y" },
    problems: [
      {
        name: expect.stringMatching(/, line 2$/),
        problem: "has # within its value, which may be meant as a comment",
      },
    ],
  });
});

test("refuses a setting that a forgotten quote takes into the value above it", async () => {
  const file = await fileWith("A='x\nARCHIVER_DELETE=never\nB='\n");
  expect((await read(file)).problems).toMatchObject([
    { name: expect.stringMatching(/, line 2$/), problem: "is within the quoted value that begins on line 1" },
  ]);
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
  expect(await read(file)).toEqual({
    environment: { A: "1", B: "2" },
    problems: [
      {
        name: `--config ${JSON.stringify(file)}, line 3`,
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
  expect(await read(file)).toMatchObject({
    environment: { A: "1", B: "2" },
    problems: [{ name: expect.stringMatching(/, line 2$/), problem: expect.stringContaining("quoted") }],
  });
});

test.each([
  ["ARCHIVER_DELETE=never\n# the second night\nexport ARCHIVER_DELETE=after-verify", "ARCHIVER_DELETE", 3],
  ["AWS_REGION='x\ny'\nAWS_REGION=x", "AWS_REGION", 3],
  // May be the beginning of a secret.
  ["c2VjcmV0=\nc2VjcmV0==", "a name", 2],
])("names both lines of a setting that stands there twice: %j", async (lines, name, second) => {
  const file = await fileWith(`A=1\n${lines}\n`);
  expect((await read(file)).problems).toEqual([
    {
      name: `--config ${JSON.stringify(file)}, line ${1 + second}`,
      problem: `sets ${name} again that line 2 sets already`,
      fix: "Keep one of the two lines.",
    },
  ]);
});

test("counts the rest of a file that is not a file of settings", async () => {
  const file = await fileWith("words and words\n".repeat(40));
  expect(await read(file)).toMatchObject({
    problems: { length: 11, 10: { problem: "has 30 more such lines" } },
  });
});

test.each([
  ["ARCHIVE_DELETE", "Did you mean ARCHIVER_DELETE?"],
  ["archiver_delete", "Did you mean ARCHIVER_DELETE?"],
  ["ARCHIVER-DELETE", "Did you mean ARCHIVER_DELETE?"],
  ["Archiver.Delete", "Did you mean ARCHIVER_DELETE?"],
  ["ARCHIVE_KEEP_EVERYTHING", "Remove it."],
])("refuses the name %s, which no setting has", async (name, fix) => {
  const file = await fileWith(`A=1\n${name}=never\n`);
  expect(await read(file)).toMatchObject({
    problems: [{ name, problem: "is not a setting of this program", fix }],
  });
});

test("names a file that is not there, is a folder or is too large", async () => {
  const missing = path.join(folder, "none.env");
  await expect(read(missing)).rejects.toMatchObject({
    code: "configuration",
    problems: [{ name: `--config ${JSON.stringify(missing)}`, problem: "cannot be read (ENOENT)" }],
  });
  await expect(read(folder)).rejects.toMatchObject({ problems: [{ problem: "is a directory" }] });
  const large = await fileWith("#".repeat(300_000));
  await expect(read(large)).rejects.toMatchObject({
    problems: [{ problem: "is larger than 256 KiB" }],
  });
});

test.skipIf(process.platform === "win32").each([
  [0o600, undefined],
  [0o640, undefined],
  [0o400, undefined],
  [0o644, "has mode 0644: everybody can read it. "],
  [0o604, "has mode 0604: everybody can read it. "],
  [0o660, "has mode 0660: others than its owner can change it. "],
  [0o602, "has mode 0602: others than its owner can change it. "],
  [0o666, "has mode 0666: everybody can read it, and others than its owner can change it. "],
])("says of a file of mode %o who may read or change it", async (mode, said) => {
  const file = await fileWith("A=1\n");
  await chmod(file, mode);
  const { warning } = await read(file);
  expect(warning).toBe(
    said &&
      `Warning: --config ${JSON.stringify(file)} ${said}Set it with chmod 600, or chmod 640 where its group may read it.`,
  );
});
