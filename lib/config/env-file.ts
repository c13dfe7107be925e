import { readFile, stat } from "node:fs/promises";
import { formatBytes } from "../domain/format-bytes.ts";
import { readLines } from "./env-lines.ts";
import { ConfigurationError, type ConfigurationProblem } from "./errors.ts";
import { problemsOfNearNames } from "./names.ts";
import { problemsOfNodeNames, withoutNodeNames } from "./node-names.ts";
import type { Environment } from "./section.ts";

/** Larger than any file of settings; a log or a disk image given by mistake is refused. */
const MAX_ENV_FILE_BYTES = 256 * 1024;

/** A file of settings, and the option that named it. */
export interface SettingsFile {
  readonly option: "--config" | "--env-file";
  readonly path: string;
}

/** The environment together with a file, and what is wrong with the file's lines. */
export interface SettingsOfFile {
  readonly environment: Environment;
  readonly problems: readonly ConfigurationProblem[];
  /** That others may read or change the file, and what to do. */
  readonly warning?: string;
}

/** What others than the owner may do with a file, of the bits of its mode. */
const WRITABLE_BY_OTHERS = 0o022;
const READABLE_BY_EVERYBODY = 0o004;

/**
 * The environment with the settings of a file, in the format of Node's own `--env-file`.
 * As there, a variable of the real environment wins over the file, even an empty one, which switches the
 * file's line off. A line that cannot be read as a setting is a problem and adds nothing: a setting that is
 * silently passed over has its default, which may delete.
 *
 * @throws {ConfigurationError} when the file cannot be read.
 */
export async function withSettingsFile(env: Environment, file: SettingsFile): Promise<SettingsOfFile> {
  // Editors on Windows begin a file with a byte order mark; it would become part of the first name.
  const { text, mode } = await readWithinLimit(file);
  const { settings, problems } = readLines(nameOf(file), text.replace(/^\uFEFF/, ""));
  const warning = warningOfMode(file, mode);
  return {
    environment: { ...withoutNodeNames(settings), ...env },
    problems: [
      ...problems,
      ...problemsOfNodeNames(nameOf(file), settings, env),
      ...problemsOfNearNames(settings),
    ],
    ...(warning === undefined ? {} : { warning }),
  };
}

/** Who may write the file may switch deletion on; who may read it has the keys. */
function warningOfMode(file: SettingsFile, mode: number): string | undefined {
  // Windows has no such modes: what Node shows there says nothing.
  const mayBe = process.platform === "win32" ? 0 : mode;
  const mays = [
    ...((mayBe & READABLE_BY_EVERYBODY) === 0 ? [] : ["everybody can read it"]),
    ...((mayBe & WRITABLE_BY_OTHERS) === 0 ? [] : ["others than its owner can change it"]),
  ];
  const shown = (mode & 0o777).toString(8).padStart(4, "0");
  return mays.length === 0
    ? undefined
    : `Warning: ${nameOf(file)} has mode ${shown}: ${mays.join(", and ")}. Set it with chmod 600, or chmod 640 where its group may read it.`;
}

async function readWithinLimit(
  file: SettingsFile,
): Promise<{ readonly text: string; readonly mode: number }> {
  let about: { isFile(): boolean; isDirectory(): boolean; readonly size: number; readonly mode: number };
  try {
    about = await stat(file.path);
    if (about.isFile() && about.size <= MAX_ENV_FILE_BYTES) {
      return { text: await readFile(file.path, "utf8"), mode: about.mode };
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw unusable(file, `cannot be read (${code})`, error);
  }
  throw unusable(
    file,
    about.isFile()
      ? `is larger than ${formatBytes(MAX_ENV_FILE_BYTES)}`
      : about.isDirectory()
        ? "is a directory"
        : "is not a file",
  );
}

function unusable(file: SettingsFile, problem: string, cause?: unknown): ConfigurationError {
  const fix = `Give ${file.option} the path of a readable file with NAME=value lines.`;
  return new ConfigurationError([{ name: nameOf(file), problem, fix }], cause);
}

function nameOf({ option, path }: SettingsFile): string {
  return `${option} ${JSON.stringify(path)}`;
}
