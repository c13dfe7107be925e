import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { withConditionsDecided } from "./conditions.ts";
import { parseJson, parseTemplate, type Template } from "./template.ts";

const ROOT = path.join(import.meta.dirname, "../..");
const execFileOf = promisify(execFile);
const LIMIT_MS = 240_000;

export interface Packaged {
  /** Everything the program said. */
  readonly output: string;
  /** Its conditions are decided, as CloudFormation does it. */
  readonly template: Template;
  /** Of each function's archive: the paths in it. */
  readonly archives: Readonly<Record<string, readonly string[]>>;
}

/**
 * Packages a stage as CI does: with an empty home, no credentials, and no way to the network. In a copy of what
 * is deployed, since two packagings in one folder clear each other's files away.
 *
 * @param params what `deploy/stages.yml` would say of these parameters.
 */
export async function packageStage(
  stage: string,
  params: Readonly<Record<string, string>> = {},
): Promise<Packaged> {
  const folder = await mkdtemp(path.join(tmpdir(), "archiver-template-"));
  try {
    for (const part of ["serverless.yml", "deploy", "dist/functions"]) {
      await cp(path.join(ROOT, part), path.join(folder, part), { recursive: true });
    }
    const given = Object.entries(params).map(([name, value]) => `--param=${name}=${value}`);
    const output = await runServerless(["package", "--stage", stage, ...given], folder);
    const built = path.join(folder, ".serverless");
    const template = await readFile(path.join(built, "cloudformation-template-update-stack.json"), "utf8");
    const zips = (await readdir(built)).filter((name) => name.endsWith(".zip"));
    const contents = zips.map(
      async (name): Promise<[string, string[]]> => [name, pathsInZip(await readFile(path.join(built, name)))],
    );
    const archives = Object.fromEntries(await Promise.all(contents));
    return { output, template: parseTemplate(withConditionsDecided(parseJson(template))), archives };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the program said, on both its outputs. @throws when it ended with another exit code than 0. */
async function runServerless(args: readonly string[], cwd: string): Promise<string> {
  const program = path.join(ROOT, "node_modules/serverless/bin/serverless.js");
  const closed = "http://127.0.0.1:9";
  const env = {
    PATH: process.env.PATH,
    HOME: path.join(cwd, "empty-home"),
    HTTPS_PROXY: closed,
    HTTP_PROXY: closed,
    // The packagings share what Node and serverless compiled.
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
    SLS_SCHEMA_CACHE_BASE_DIR: process.env.SLS_SCHEMA_CACHE_BASE_DIR,
  };
  const { stdout, stderr } = await execFileOf(process.execPath, [program, ...args], {
    cwd,
    env,
    timeout: LIMIT_MS,
  });
  return `${stdout}${stderr}`;
}

/** By the archive's directory: its end record says where it begins and how many entries it has. */
function pathsInZip(zip: Buffer): string[] {
  const end = zip.lastIndexOf("PK\u0005\u0006", undefined, "latin1");
  let offset = zip.readUInt32LE(end + 16);
  return Array.from({ length: zip.readUInt16LE(end + 10) }, () => {
    const nameEnd = offset + 46 + zip.readUInt16LE(offset + 28);
    const name = zip.toString("utf8", offset + 46, nameEnd);
    offset = nameEnd + zip.readUInt16LE(offset + 30) + zip.readUInt16LE(offset + 32);
    return name;
  });
}
