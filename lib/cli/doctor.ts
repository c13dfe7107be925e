import { wireDoctor } from "../config/doctor-wiring.ts";
import { SETTINGS } from "../config/names.ts";
import { lookAtSettings, type SettingsLook } from "../config/settings-look.ts";
import { systemClock } from "../config/system.ts";
import { GROUPS, type Group, type Verdict } from "../doctor/check.ts";
import { type Examination, examine } from "../doctor/examine.ts";
import { doctorDocument, doctorLines } from "./doctor-lines.ts";
import { loadSettings } from "./environment.ts";
import { interruptible } from "./operator.ts";
import { operatorLines, type Result, shownSecrets } from "./output.ts";
import { EXIT, type ExitCode } from "./process.ts";
import type { CommonOptions } from "./session.ts";

export interface DoctorOptions extends CommonOptions {
  /** All groups without it. */
  readonly only?: readonly Group[];
}

const EXIT_OF: Readonly<Record<Verdict, ExitCode>> = {
  well: EXIT.done,
  broken: EXIT.failed,
  hurts: EXIT.willHurt,
};

/**
 * `doctor`: whether everything is set up right, and what will hurt.
 *
 * @throws ConfigurationError where a file of settings cannot be read, or nothing is set at all.
 */
export async function doctorCommand(options: DoctorOptions): Promise<Result> {
  const settings = await loadSettings(options);
  const isAnySet = SETTINGS.some(
    ({ name }) => name.startsWith("ARCHIVER_") && (settings.environment[name] ?? "") !== "",
  );
  if (settings.file === undefined && !isAnySet) {
    // There is nothing to examine: the first call ever is told what to set, and where.
    await settings.configuration(["platform", "store", "queue"]);
  }
  const look = await lookAtSettings(settings);
  const examination = await interruptible(await operatorLines(), (signal) =>
    examineAll(look, new Set(options.only ?? GROUPS), signal),
  );
  return {
    document: doctorDocument(examination),
    lines: doctorLines(examination),
    exitCode: EXIT_OF[examination.verdict],
  };
}

async function examineAll(
  { read, configuration }: SettingsLook,
  groups: ReadonlySet<Group>,
  signal: AbortSignal,
): Promise<Examination> {
  const options = { signal, clock: systemClock };
  if (configuration === undefined) {
    return await examine(read, undefined, groups, options);
  }
  const { ports, close } = await wireDoctor(configuration, { redactor: shownSecrets });
  try {
    return await examine(read, ports, groups, options);
  } finally {
    await close();
  }
}
