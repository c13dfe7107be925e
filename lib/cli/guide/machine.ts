import { constants, existsSync } from "node:fs";
import { access, mkdir, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { FOLDER_MODE } from "../../files/own-files.ts";
import { userName } from "../operator.ts";
import type { Surroundings } from "./guide.ts";
import type { Installed } from "./schedule.ts";

/** The folders that README makes for a user of the archiver's own; elsewhere it works in the home folder. */
const OF_SYSTEM = {
  archive: "/srv/iotda-archive",
  state: "/var/lib/iotda-archiver",
  log: "/var/log/iotda-archiver",
} as const;

/** What is proposed to this user on this machine. */
export async function proposals(): Promise<Surroundings["proposals"]> {
  const home = homedir();
  return {
    home,
    folder: await firstWritable(OF_SYSTEM.archive, join(home, "iotda-archive")),
    queueFile: join(await stateFolder(), "queue.db"),
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    settingsFile: resolve("archiver.env"),
  };
}

/** What starts this program on this machine. The folder of its log is made. */
export async function installed(settingsFile: string): Promise<Omit<Installed, "mayOverlap">> {
  const logFile = join(await firstWritable(OF_SYSTEM.log, await stateFolder()), "run.log");
  await mkdir(dirname(logFile), { recursive: true, mode: FOLDER_MODE });
  const [, started = "iotda-archiver"] = process.argv;
  // A link may lie in a folder that is emptied some day, as that of npx is.
  const program = await realpath(started);
  return { user: userName(), program, nodeFolder: dirname(process.execPath), settingsFile, logFile };
}

/** Whether this machine has systemd and no cron. */
export function hasSystemdAlone(): boolean {
  return existsSync("/run/systemd/system") && !existsSync("/etc/cron.d");
}

async function stateFolder(): Promise<string> {
  return await firstWritable(OF_SYSTEM.state, join(homedir(), ".local", "state", "iotda-archiver"));
}

async function firstWritable(folder: string, otherwise: string): Promise<string> {
  try {
    await access(folder, constants.W_OK);
    return folder;
  } catch {
    // Missing, or another user's: either way this user works elsewhere.
    return otherwise;
  }
}
