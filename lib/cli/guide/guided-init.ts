import type { InitReport } from "../../identity/init-archive.ts";
import { doctorCommand } from "../doctor.ts";
import { settingsFileOf } from "../environment.ts";
import { InterruptedByOperator } from "../operator.ts";
import { type Line, lines, type Result } from "../output.ts";
import { EXIT } from "../process.ts";
import type { CommonOptions } from "../session.ts";
import { settingsByTalk } from "./guide.ts";
import { hasSystemdAlone, installed, proposals } from "./machine.ts";
import { cronLines, type Installed, inShell, systemdUnits } from "./schedule.ts";
import { openTerminal } from "./terminal.ts";

/**
 * `init` at a terminal: asks for the settings that are missing, makes the archive, has the doctor look at all of it,
 * and says what starts the runs from then on.
 *
 * @param begin makes the archive, as `init` does without a terminal.
 */
export async function guidedInit(
  options: CommonOptions,
  begin: (options: CommonOptions) => Promise<Result & { readonly document: InitReport }>,
): Promise<Result> {
  const file = await settingsOf(options);
  const found = file === undefined ? {} : { config: file };
  const begun = await begin(found);
  const { createOnce, compareAndSwap } = begun.document.abilities;
  const mayOverlap = createOnce && compareAndSwap;
  const examined = await doctorCommand(found);
  return {
    document: begun.document,
    lines: lines(
      "",
      begun.lines,
      "",
      examined.lines,
      file !== undefined && ["", ...nextLines(file, { ...(await installed(file)), mayOverlap })],
    ),
    exitCode: examined.exitCode === EXIT.failed ? EXIT.failed : begun.exitCode,
  };
}

async function settingsOf(options: CommonOptions): Promise<string | undefined> {
  const talk = await openTerminal();
  try {
    const file = settingsFileOf(options);
    return await settingsByTalk(talk, {
      environment: process.env,
      file,
      proposals: await proposals(),
    });
  } catch (error) {
    if (error instanceof InterruptedByOperator) {
      talk.say("Nothing was written.");
    }
    throw error;
  } finally {
    talk.close();
  }
}

function nextLines(file: string, here: Installed): readonly Line[] {
  const tried = [
    "Next: one run by hand, and its page.",
    ...["run", "report --open"].map((words) =>
      whole(`  ${asTyped(here)} ${words} --config ${inShell(file)}`),
    ),
    "",
  ];
  return hasSystemdAlone() ? [...tried, ...systemdLines(here)] : [...tried, ...linesForCron(here)];
}

/** With the Node that `npm ci` brought, where it is that one: the machine's own may be too old. */
function asTyped({ program, nodeFolder }: Installed): string {
  const isBrought = nodeFolder.includes("/node_modules/");
  return [...(isBrought ? [`${nodeFolder}/node`] : []), program].map(inShell).join(" ");
}

function linesForCron(here: Installed): readonly Line[] {
  return [
    `Then let cron do it. Put this into /etc/cron.d/iotda-archiver, or without "${here.user}" into crontab -e:`,
    "",
    ...cronLines(here).map(whole),
  ];
}

function whole(text: string): Line {
  return { text, isWhole: true };
}

function systemdLines(here: Installed): readonly Line[] {
  return [
    "Then let systemd do it. Put these into /etc/systemd/system; examples/ has those of inventory and report.",
    ...systemdUnits(here).flatMap(([name, unit]) => ["", ...[`# ${name}`, ...unit].map(whole)]),
    "",
    "Then: sudo systemctl daemon-reload && sudo systemctl enable --now iotda-archiver.timer",
  ];
}
