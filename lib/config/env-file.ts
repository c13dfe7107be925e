import { readFile, stat } from "node:fs/promises";
import { parseEnv } from "node:util";
import { ConfigurationError } from "./errors.ts";
import type { Environment } from "./read-settings.ts";

/** Larger than any file of settings; a log or a disk image given by mistake is refused. */
const MAX_ENV_FILE_BYTES = 256 * 1024;

/**
 * The environment with the settings of an `--env-file`, in the format of Node's own `--env-file`.
 * As there, a variable of the real environment wins over the file, even an empty one, which switches the
 * file's line off.
 *
 * @throws {ConfigurationError} when the file cannot be read.
 */
export async function withEnvFile(env: Environment, file: string): Promise<Environment> {
  return { ...(await readEnvFile(file)), ...env };
}

async function readEnvFile(file: string): Promise<Environment> {
  const text = await readWithinLimit(file);
  // Editors on Windows begin a file with a byte order mark; it would become part of the first name.
  return parseEnv(text.replace(/^\uFEFF/, ""));
}

async function readWithinLimit(file: string): Promise<string> {
  let about: { isFile(): boolean; readonly size: number };
  try {
    about = await stat(file);
    if (about.isFile() && about.size <= MAX_ENV_FILE_BYTES) {
      return await readFile(file, "utf8");
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw unusable(file, `cannot be read (${code})`, error);
  }
  throw unusable(file, about.isFile() ? `is larger than ${MAX_ENV_FILE_BYTES} bytes` : "is no file");
}

function unusable(file: string, problem: string, cause?: unknown): ConfigurationError {
  const fix = "Give --env-file the path of a readable file with NAME=value lines.";
  return new ConfigurationError([{ name: `--env-file ${JSON.stringify(file)}`, problem, fix }], cause);
}
