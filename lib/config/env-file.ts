import { readFile, stat } from "node:fs/promises";
import { parseEnv } from "node:util";
import { problemsOfLines } from "./env-lines.ts";
import { ConfigurationError } from "./errors.ts";
import { type Environment, problemsOfNearNames } from "./read-settings.ts";

/** Larger than any file of settings; a log or a disk image given by mistake is refused. */
const MAX_ENV_FILE_BYTES = 256 * 1024;

/**
 * The environment with the settings of an `--env-file`, in the format of Node's own `--env-file`.
 * As there, a variable of the real environment wins over the file, even an empty one, which switches the
 * file's line off.
 *
 * @throws {ConfigurationError} when the file cannot be read, or holds a line that is no setting: a setting that
 * is silently passed over has its default, which may delete.
 */
export async function withEnvFile(env: Environment, file: string): Promise<Environment> {
  return { ...(await readEnvFile(file)), ...env };
}

async function readEnvFile(file: string): Promise<Environment> {
  // Editors on Windows begin a file with a byte order mark; it would become part of the first name.
  const text = (await readWithinLimit(file)).replace(/^\uFEFF/, "");
  const settings = parseEnv(text);
  const problems = [...problemsOfLines(nameOf(file), text), ...problemsOfNearNames(settings)];
  if (problems.length > 0) {
    throw new ConfigurationError(problems);
  }
  return settings;
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
  return new ConfigurationError([{ name: nameOf(file), problem, fix }], cause);
}

function nameOf(file: string): string {
  return `--env-file ${JSON.stringify(file)}`;
}
