import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { inflateRawSync } from "node:zlib";
import * as xlsx from "@e965/xlsx";
import * as v from "valibot";
import { expect, onTestFinished, test } from "vitest";
import { ZIP_PASSWORD } from "./encrypted-zip.ts";
import { type FileParts, ResultFiles } from "./files.ts";
import { settingsSchema } from "./settings.ts";
import { SandboxState } from "./state.ts";

const run = promisify(execFile);
const unzipIsThere = await run("unzip", ["-v"]).then(
  () => true,
  () => false,
);

const PARTS: FileParts = {
  exportTaskId: "task-1",
  generation: 1,
  exportCount: 5,
  fillerBytes: 0,
  container: "zip",
};

async function stateFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "iotda-sandbox-"));
  onTestFinished(async () => await rm(folder, { recursive: true }));
  return folder;
}

async function resultFiles(): Promise<ResultFiles> {
  const folder = await stateFolder();
  await mkdir(join(folder, "files"));
  return new ResultFiles(folder);
}

/** The bytes of the first member, by its own length fields. */
function firstMember(zip: Buffer): Buffer {
  const [method, packedBytes, nameBytes, extraBytes] = [
    zip.readUInt16LE(8),
    zip.readUInt32LE(18),
    zip.readUInt16LE(26),
    zip.readUInt16LE(28),
  ];
  const start = 30 + nameBytes + extraBytes;
  const packed = zip.subarray(start, start + packedBytes);
  return method === 8 ? inflateRawSync(packed) : packed;
}

test("the spreadsheet inside is a real one", async () => {
  const files = await resultFiles();
  const zip = await readFile(files.pathOf(await files.make(PARTS)));
  const spreadsheet = firstMember(zip);
  expect(spreadsheet.subarray(0, 8).toString("hex")).toBe("d0cf11e0a1b11ae1");
  const sheet = xlsx.read(spreadsheet).Sheets.BatchTask;
  const rows = sheet === undefined ? [] : xlsx.utils.sheet_to_json<Record<string, unknown>>(sheet);
  expect(rows).toHaveLength(5);
  expect(rows[4]).toMatchObject({ device_id: "device-5", export_task_id: "task-1", generation: 1 });
});

test("says what it wrote", async () => {
  const files = await resultFiles();
  const made = await files.make({ ...PARTS, fillerBytes: 1_000_000 });
  const bytes = await readFile(files.pathOf(made));
  expect(made.sizeBytes).toBe(bytes.length);
  expect(made.sizeBytes).toBeGreaterThan(1_000_000);
  expect(made.sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
});

test("the same parts give the same bytes, another generation others of the same size", async () => {
  const files = await resultFiles();
  const parts = { ...PARTS, fillerBytes: 600_000 };
  const once = await files.make(parts);
  const before = await readFile(files.pathOf(once));
  expect(await files.make(parts)).toEqual(once);
  const next = await readFile(files.pathOf(await files.make({ ...parts, generation: 2 })));
  expect(next.length).toBe(before.length);
  // Far inside the filler: the spreadsheet alone would differ too.
  expect(next.subarray(300_000, 300_100)).not.toEqual(before.subarray(300_000, 300_100));
});

test.skipIf(!unzipIsThere)("unzip opens every kind that is a ZIP", async () => {
  const files = await resultFiles();
  for (const container of ["zip", "zip64", "zip-with-comment", "encrypted-zip"] as const) {
    const made = await files.make({ ...PARTS, exportTaskId: container, container, fillerBytes: 300_000 });
    const { stdout } = await run("unzip", ["-P", ZIP_PASSWORD, "-t", files.pathOf(made)]);
    expect(stdout).toContain("No errors detected");
  }
});

test("the odd kinds are what they are called", async () => {
  const files = await resultFiles();
  const bytesOf = async (container: FileParts["container"]) =>
    await readFile(files.pathOf(await files.make({ ...PARTS, container })));
  expect(await bytesOf("nothing")).toHaveLength(0);
  expect((await bytesOf("empty-zip")).toString("hex")).toBe(`504b0506${"00".repeat(18)}`);
  expect((await bytesOf("plain-xls")).subarray(0, 4).toString("hex")).toBe("d0cf11e0");
  expect((await bytesOf("zip64")).includes("PK\x06\x06")).toBe(true);
  expect((await bytesOf("encrypted-zip")).readUInt16LE(6) & 1).toBe(1);
});

test("files that no task names are removed on opening", async () => {
  const folder = await stateFolder();
  await mkdir(join(folder, "files"));
  await writeFile(join(folder, "files", "task-1.1.zip.unfinished"), "half");
  const state = new SandboxState(folder, v.parse(settingsSchema, {}));
  await new ResultFiles(folder).open(state);
  state.close();
  expect(await readdir(join(folder, "files"))).toEqual([]);
});
