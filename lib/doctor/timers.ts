import type { ScheduleFile } from "./ports.ts";

/** How cron or systemd starts an archive run. */
export interface TimerEntry {
  readonly path: string;
  readonly by: "cron" | "systemd";
  /** The words of the command; the first is the program. */
  readonly words: readonly string[];
  /** Where programs are looked for. */
  readonly folders: readonly string[];
}

/** What cron and systemd search where a file does not say. */
const PATH_OF = {
  cron: "/usr/bin:/bin",
  systemd: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
} as const;

const PROGRAM = /(?:^|\/)(?:iotda-archiver|cli\.mjs)$/;
const RUNS: ReadonlySet<string> = new Set(["run", "archive"]);

/** The entries that start archive runs. Of systemd's services those that a timer starts. */
export function timerEntries(files: readonly ScheduleFile[]): readonly TimerEntry[] {
  const started = new Set(files.filter(({ kind }) => kind === "systemd-timer").map(unitOfTimer));
  return files.flatMap((file) => entriesOf(file, started));
}

function entriesOf(file: ScheduleFile, started: ReadonlySet<string>): readonly TimerEntry[] {
  switch (file.kind) {
    case "cron":
      return cronEntries(file);
    case "systemd-service":
      return started.has(nameOf(file.path)) ? serviceEntries(file) : [];
    case "systemd-timer":
      return [];
  }
}

function cronEntries({ path, text }: ScheduleFile): readonly TimerEntry[] {
  let folders: readonly string[] = PATH_OF.cron.split(":");
  return linesOf(text).flatMap((line) => {
    const given = /^PATH\s*=\s*(.*)$/.exec(line)?.[1];
    if (given !== undefined) {
      folders = foldersOf(given);
    }
    return given === undefined ? entryOf(line, { path, by: "cron", folders }) : [];
  });
}

function serviceEntries({ path, text }: ScheduleFile): readonly TimerEntry[] {
  const lines = linesOf(text);
  const given = lines.map((line) => /^Environment=["']?PATH=([^"'\s]*)/.exec(line)?.[1]).find(isGiven);
  const folders = foldersOf(given ?? PATH_OF.systemd);
  return lines
    .filter((line) => line.startsWith("ExecStart="))
    .flatMap((line) => entryOf(line.slice("ExecStart=".length), { path, by: "systemd", folders }));
}

/** The command in a line, if it starts an archive run: words before the program are cron's fields or other programs. */
function entryOf(line: string, about: Omit<TimerEntry, "words">): readonly TimerEntry[] {
  const words = line
    .split(/\s+/)
    .map((word) => word.replaceAll(/["']/g, ""))
    .filter((word) => word !== "");
  const at = words.findIndex((word) => PROGRAM.test(word));
  if (at === -1 || !words.slice(at + 1).some((word) => RUNS.has(word))) {
    return [];
  }
  // `node …/cli.mjs`: the program is Node then.
  const from = /(?:^|\/)node$/.test(words[at - 1] ?? "") ? at - 1 : at;
  return [{ ...about, words: words.slice(from) }];
}

/** The file of settings that a command names. */
export function settingsFileOf({ words }: TimerEntry): string | undefined {
  for (const [index, word] of words.entries()) {
    const [, joined] = /^--(?:config|env-file)(?:=(.+))?$/.exec(word) ?? [];
    if (/^--(?:config|env-file)(?:=|$)/.test(word)) {
      return joined ?? words[index + 1];
    }
  }
  return undefined;
}

/** Paths at which Node is looked for when the entry starts; the command line's own first line asks for `node`. */
export function nodePathsOf({ words, folders }: TimerEntry): readonly string[] {
  const [program = ""] = words;
  return /\/node$/.test(program) ? [program] : folders.map((folder) => `${folder}/node`);
}

function unitOfTimer({ path, text }: ScheduleFile): string {
  const named = linesOf(text)
    .map((line) => /^Unit=(\S+)$/.exec(line)?.[1])
    .find(isGiven);
  return named ?? nameOf(path).replace(/\.timer$/, ".service");
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function linesOf(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^[#;]/.test(line));
}

function foldersOf(path: string): readonly string[] {
  return path
    .replaceAll(/["']/g, "")
    .split(":")
    .filter((folder) => folder.startsWith("/"));
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined;
}
