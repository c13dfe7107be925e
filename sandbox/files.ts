import { createCipheriv, createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as xlsx from "@e965/xlsx";
import { ZipFile } from "yazl";
import { encryptedZip } from "./encrypted-zip.ts";
import type { MadeFile, SandboxState } from "./state.ts";
import type { Container } from "./task.ts";

/** What a result file is made from; the same parts give the same bytes (within one time zone: ZIP times are local). */
export interface FileParts {
  readonly exportTaskId: string;
  readonly generation: number;
  readonly exportCount: number;
  readonly fillerBytes: number;
  readonly container: Container;
}

const MEMBER_TIME = new Date("2026-01-01T00:00:00Z");
const FILLER_CHUNK_BYTES = 256 * 1024;
/** A BIFF8 sheet ends at 65,536 rows; a stand-in needs only a few. */
const MAX_SHEET_ROWS = 1000;

/** The result files of the platform, on disk below one folder. */
export class ResultFiles {
  readonly #folder: string;

  constructor(stateFolder: string) {
    this.#folder = join(stateFolder, "files");
  }

  /** Makes the folder, and removes what no task names: files of a process that was killed while making them. */
  async open(state: SandboxState): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const kept = new Set([...state.tasks.values()].map((task) => fileName(task)));
    for (const name of await readdir(this.#folder)) {
      if (!kept.has(name)) {
        await rm(join(this.#folder, name));
      }
    }
  }

  pathOf(file: Pick<MadeFile, "exportTaskId" | "generation">): string {
    return join(this.#folder, fileName(file));
  }

  /** Writes the file and measures it. Streams: the filler may be larger than memory. */
  async make(parts: FileParts): Promise<MadeFile> {
    const path = this.pathOf(parts);
    const unfinished = `${path}.unfinished`;
    await writeContent(unfinished, parts);
    const hash = createHash("sha256");
    await pipeline(createReadStream(unfinished), hash);
    const { size } = await stat(unfinished);
    await rename(unfinished, path);
    const { exportTaskId, generation } = parts;
    return { exportTaskId, generation, sizeBytes: size, sha256: hash.digest("hex") };
  }

  /** A download that has the file open goes on reading it. */
  async remove(file: Pick<MadeFile, "exportTaskId" | "generation">): Promise<void> {
    await rm(this.pathOf(file), { force: true });
  }
}

function fileName(file: Pick<MadeFile, "exportTaskId" | "generation">): string {
  return `${file.exportTaskId}.${file.generation}.zip`;
}

async function writeContent(path: string, parts: FileParts): Promise<void> {
  switch (parts.container) {
    case "nothing":
      return await writeFile(path, "");
    case "plain-xls":
      return await writeFile(path, spreadsheet(parts));
    case "encrypted-zip":
      return await writeFile(path, encryptedZip(memberName(parts), spreadsheet(parts)));
    case "empty-zip":
      return await writeZip(path, new ZipFile());
    case "zip":
    case "zip-with-comment":
    case "zip64":
      return await writeZip(path, filledZip(parts), parts.container);
  }
}

function filledZip(parts: FileParts): ZipFile {
  const forceZip64Format = parts.container === "zip64";
  const zip = new ZipFile();
  zip.addBuffer(spreadsheet(parts), memberName(parts), { mtime: MEMBER_TIME, forceZip64Format });
  if (parts.fillerBytes > 0) {
    const filler = Readable.from(fillerChunks(parts));
    zip.addReadStream(filler, "filler.bin", { mtime: MEMBER_TIME, compress: false, forceZip64Format });
  }
  return zip;
}

async function writeZip(path: string, zip: ZipFile, container: Container = "zip"): Promise<void> {
  const comment = container === "zip-with-comment" ? "made by the sandbox" : "";
  zip.end({ forceZip64Format: container === "zip64", comment });
  await pipeline(zip.outputStream, createWriteStream(path));
}

function memberName(parts: FileParts): string {
  return `BatchTask_${parts.exportTaskId}.xls`;
}

/** A BIFF8 workbook, as the platform's `xls` format names it. */
function spreadsheet(parts: FileParts): Buffer {
  const rows = Array.from({ length: Math.min(parts.exportCount, MAX_SHEET_ROWS) }, (_, row) => [
    `device-${row + 1}`,
    parts.exportTaskId,
    parts.generation,
    "Success",
  ]);
  const book = xlsx.utils.book_new();
  const sheet = xlsx.utils.aoa_to_sheet([["device_id", "export_task_id", "generation", "status"], ...rows]);
  xlsx.utils.book_append_sheet(book, sheet, "BatchTask");
  return xlsx.write(book, { type: "buffer", bookType: "biff8" }) as Buffer;
}

/** Bytes that no compressor shrinks and everybody can make again: AES-CTR keyed by id and generation. */
function* fillerChunks(parts: FileParts): Generator<Buffer> {
  const seed = createHash("sha256").update(`${parts.exportTaskId}\n${parts.generation}`).digest();
  const cipher = createCipheriv("aes-128-ctr", seed.subarray(0, 16), seed.subarray(16));
  const zeros = Buffer.alloc(FILLER_CHUNK_BYTES);
  for (let left = parts.fillerBytes; left > 0; left -= FILLER_CHUNK_BYTES) {
    yield cipher.update(zeros.subarray(0, Math.min(left, FILLER_CHUNK_BYTES)));
  }
}
