import { constants } from "node:fs";
import { access, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ScheduleFile } from "../doctor/ports.ts";

/** Larger is none that a person wrote. */
const MAX_BYTES = 256 * 1024;
const MAX_FILES = 500;

const CRON_FILES = ["etc/crontab"];
const CRON_FOLDERS = ["etc/cron.d", "var/spool/cron", "var/spool/cron/crontabs"];
const UNIT_FOLDERS = ["etc/systemd/system", "usr/local/lib/systemd/system"];
/** Below a home folder. */
const OWN_UNITS = ".config/systemd/user";

/**
 * Reads what this user can see of cron's tables and systemd's units. What cannot be read is left out: most users see
 * their own tables alone.
 *
 * @param root of the system; `/` but in tests.
 */
export async function readScheduleFiles(
  root: string,
  home: string | undefined,
): Promise<readonly ScheduleFile[]> {
  const inCron = await Promise.all(CRON_FOLDERS.map((folder) => pathsIn(join(root, folder))));
  const unitFolders = [
    ...UNIT_FOLDERS.map((folder) => join(root, folder)),
    ...(home === undefined ? [] : [join(home, OWN_UNITS)]),
  ];
  const units = (await Promise.all(unitFolders.map(pathsIn))).flat();
  const found = [
    ...[...CRON_FILES.map((file) => join(root, file)), ...inCron.flat()].map((path) => ({
      kind: "cron" as const,
      path,
    })),
    ...units
      .filter((path) => path.endsWith(".service"))
      .map((path) => ({ kind: "systemd-service" as const, path })),
    ...units
      .filter((path) => path.endsWith(".timer"))
      .map((path) => ({ kind: "systemd-timer" as const, path })),
  ];
  const read = await Promise.all(
    found.slice(0, MAX_FILES).map(async ({ kind, path }) => {
      const text = await textOf(path);
      return text === undefined ? [] : [{ kind, path, text }];
    }),
  );
  return read.flat();
}

/** Whether a file with this path may be executed by this user. */
export async function isProgram(path: string): Promise<boolean> {
  return (await isFile(path)) && (await isAllowed(access(path, constants.X_OK)));
}

/** Whether a file has this path. One that this user may not look for counts as there. */
export async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "EACCES";
  }
}

async function isAllowed(call: Promise<void>): Promise<boolean> {
  return await call.then(
    () => true,
    () => false,
  );
}

async function pathsIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort().map((name) => join(folder, name));
  } catch {
    // Not there, or not this user's to see.
    return [];
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    const about = await stat(path);
    return about.isFile() && about.size <= MAX_BYTES ? await readFile(path, "utf8") : undefined;
  } catch {
    // As above.
    return undefined;
  }
}
