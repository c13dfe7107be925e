import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../test/contract/temp-folder.ts";
import type { Environment } from "../../config/section.ts";
import { InterruptedByOperator } from "../operator.ts";
import { settingsByTalk } from "./guide.ts";
import { ScriptedTalk } from "./testing/scripted-talk.ts";

const AK = "PLANTEDAK0000000000A";
const SK = "plantedSecretKey0123456789abcdefghijklmn";
const PROJECT = "0123456789abcdef0123456789abcdef";
const HOST = "iotda.cn-north-4.myhuaweicloud.com";
/** All answers after the name of the file, the last one to whether it may be written. */
const ANSWERS = [HOST, PROJECT, AK, SK, "", "", "", "", "", "yes"];
const FILE = `# Settings of iotda-archiver. Keep this file to yourself: it holds keys.
ARCHIVER_IOTDA_ENDPOINT=https://${HOST}
ARCHIVER_IOTDA_PROJECT_ID=${PROJECT}
HUAWEICLOUD_SDK_AK=${AK}
HUAWEICLOUD_SDK_SK=${SK}
ARCHIVER_STORE=file:///srv/x
ARCHIVER_QUEUE=sqlite:///srv/queue.db
# For the first nights: archive and verify, but delete nothing. Remove the line when the archive looks right.
ARCHIVER_DELETE=never
ARCHIVER_TIME_ZONE=UTC
`;

async function openTalk(answers: readonly string[], environment: Environment = {}) {
  const folder = await temporaryFolder();
  const path = join(folder, "archiver.env");
  const talk = new ScriptedTalk(answers);
  const proposals = {
    folder: "/srv/x",
    queueFile: "/srv/queue.db",
    home: "/home/ann",
    timeZone: "UTC",
    settingsFile: path,
  };
  const file = { option: "--config", path } as const;
  return {
    folder,
    path,
    talk,
    asked: () => settingsByTalk(talk, { environment, file: undefined, proposals }),
    withFile: () => settingsByTalk(talk, { environment, file, proposals }),
  };
}

test("what is answered is written into the file that is named, keys unseen", async () => {
  const { path, talk, asked } = await openTalk(["", ...ANSWERS]);
  expect(await asked()).toBe(path);
  expect(await readFile(path, "utf8")).toBe(FILE);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(talk.said).toContain("  HUAWEICLOUD_SDK_SK=(not shown)");
  for (const secret of [AK, SK]) {
    expect(talk.said.join("\n")).not.toContain(secret);
  }
});

test.each([...["", ...ANSWERS].keys()])("Ctrl-C at question %i leaves nothing behind", async (count) => {
  const { folder, asked } = await openTalk(["", ...ANSWERS].slice(0, count));
  await expect(asked()).rejects.toThrow(InterruptedByOperator);
  expect(await readdir(folder)).toEqual([]);
});

test("so does no at the last question", async () => {
  const { folder, withFile } = await openTalk([...ANSWERS.slice(0, -1), "no"]);
  await expect(withFile()).rejects.toThrow(InterruptedByOperator);
  expect(await readdir(folder)).toEqual([]);
});

test("settings that are complete are asked for no more, in a file and in the environment", async () => {
  const { path, talk, withFile } = await openTalk([]);
  await writeFile(path, FILE, { mode: 0o600 });
  expect(await withFile()).toBe(path);
  expect(talk.asked).toEqual([]);
  expect(await readFile(path, "utf8")).toBe(FILE);
  const entries = FILE.split("\n").flatMap((line) => (/^[A-Z]/.test(line) ? [line.split("=")] : []));
  const other = await openTalk([], Object.fromEntries(entries));
  expect(await other.asked()).toBeUndefined();
  expect(await readdir(other.folder)).toEqual([]);
});

const INCOMPLETE = `ARCHIVER_STORE=file:///srv/x\nARCHIVER_LANGUAGE=zh\n`;

test("a file that is there is replaced after a yes alone, and keeps what was not asked about", async () => {
  const kept = await openTalk([...ANSWERS.slice(0, -1), ""]);
  await writeFile(kept.path, INCOMPLETE);
  await expect(kept.withFile()).rejects.toThrow(InterruptedByOperator);
  expect(await readFile(kept.path, "utf8")).toBe(INCOMPLETE);
  const { path, withFile } = await openTalk(ANSWERS);
  await writeFile(path, INCOMPLETE);
  await withFile();
  expect((await readFile(path, "utf8")).split("\n")).toEqual(
    expect.arrayContaining(["ARCHIVER_LANGUAGE=zh", "ARCHIVER_QUEUE=sqlite:///srv/queue.db"]),
  );
});

test("nothing is written that a variable of this shell would make useless", async () => {
  const { folder, withFile } = await openTalk(ANSWERS, { ARCHIVER_STORE_SSE: "AES256" });
  await expect(withFile()).rejects.toThrow("ARCHIVER_STORE_SSE: has no effect with a file:// store");
  expect(await readdir(folder)).toEqual([]);
});

test("a file with a line that cannot be read is refused before the first question", async () => {
  const { path, talk, withFile } = await openTalk(ANSWERS);
  await writeFile(path, "what is this\n");
  await expect(withFile()).rejects.toThrow("is neither NAME=value nor a comment");
  expect(talk.asked).toEqual([]);
});

test("so is one whose folder is missing", async () => {
  const { talk, folder } = await openTalk(ANSWERS);
  const file = { option: "--config", path: join(folder, "missing", "archiver.env") } as const;
  const proposals = { folder: "/srv/x", queueFile: "/q.db", home: "/", timeZone: "UTC", settingsFile: "x" };
  await expect(settingsByTalk(talk, { environment: {}, file, proposals })).rejects.toThrow("cannot be made");
  expect(talk.asked).toEqual([]);
});
