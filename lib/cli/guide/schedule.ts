/** Where the program, its settings and its log are on this machine; absolute paths. */
export interface Installed {
  readonly user: string;
  /** The program's file, which its first line hands to the Node on the path. */
  readonly program: string;
  /** The folder of that Node. */
  readonly nodeFolder: string;
  readonly settingsFile: string;
  readonly logFile: string;
  /** False where the store lets one runner work at a time. */
  readonly mayOverlap: boolean;
}

const USUAL_PATH = ["/usr/local/bin", "/usr/bin", "/bin"];

/** What to put into cron's tables, so that the archiver runs every half hour and reports each morning. */
export function cronLines(installed: Installed): readonly string[] {
  const { user, settingsFile, logFile, mayOverlap } = installed;
  const alone = mayOverlap ? "" : `flock -n ${inShell(`${logFile}.lock`)} `;
  const line = (times: string, words: string) =>
    inCron(
      `${times}  ${user}  ${words.startsWith("run") ? alone : ""}${inShell(installed.program)} ${words} --config ${inShell(settingsFile)} >>${inShell(logFile)} 2>&1`,
    );
  return [
    `PATH=${pathOf(installed)}`,
    line("*/30 * * * *", "run --max-minutes 29"),
    line("20 7 * * *", "inventory"),
    line("50 7 * * *", "report"),
  ];
}

/** The same half hour for systemd: a service and its timer, with the names of their files. */
export function systemdUnits(
  installed: Installed,
): readonly (readonly [name: string, lines: readonly string[]])[] {
  const { user, program, settingsFile, logFile } = installed;
  return [
    [
      "iotda-archiver.service",
      [
        "[Unit]",
        "Description=Archive finished IoTDA exports",
        "Wants=network-online.target",
        "After=network-online.target",
        "",
        "[Service]",
        "Type=oneshot",
        `User=${user}`,
        "UMask=0027",
        `Environment=${inUnit(`PATH=${pathOf(installed)}`)}`,
        `ExecStart=${inUnit(program)} run --max-minutes 29 --config ${inUnit(settingsFile)}`,
        `StandardOutput=append:${logFile.replaceAll("%", "%%")}`,
        "StandardError=inherit",
        "TimeoutStopSec=2min",
      ],
    ],
    [
      "iotda-archiver.timer",
      [
        "[Unit]",
        "Description=Archive finished IoTDA exports every half hour",
        "",
        "[Timer]",
        "OnCalendar=*:00/30",
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
      ],
    ],
  ];
}

function pathOf({ nodeFolder }: Installed): string {
  return [...new Set([nodeFolder, ...USUAL_PATH])].join(":");
}

/** A word for a shell. */
export function inShell(word: string): string {
  return /^[\w/.@+,:=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Cron ends a command at %. */
function inCron(line: string): string {
  return line.replaceAll("%", "\\%");
}

/** A word for systemd, which takes % for the beginning of a name of its own. */
function inUnit(word: string): string {
  const text = word.replaceAll("%", "%%");
  return /^[\w/.@+,:=%-]+$/.test(text) ? text : `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
