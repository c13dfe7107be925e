import { wireInit } from "../../config/store-wiring.ts";
import { initArchive } from "../../identity/init-archive.ts";
import { loadConfiguration } from "../environment.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { initLines } from "../init-lines.ts";
import { interruptible } from "../operator.ts";
import { type Output, operatorLines, shownSecrets } from "../output.ts";
import type { CommonOptions } from "../session.ts";

export interface InitOptions extends CommonOptions {
  readonly adopt?: boolean;
}

/** `init`: makes an archive at the place that ARCHIVER_STORE names, or says which one is there. Safe twice. */
export async function initCommand(
  { adopt = false, ...options }: InitOptions,
  output: Output,
): Promise<ExitCode> {
  const configuration = await loadConfiguration(options, ["store"]);
  const say = await operatorLines();
  const { ports, settings, close } = await wireInit(configuration, shownSecrets);
  try {
    const report = await interruptible(say, (signal) =>
      initArchive({ ...ports, say: (_code, message) => say(message) }, settings, { adopt, signal }),
    );
    output.show(report, initLines(report));
    return EXIT.done;
  } finally {
    close();
  }
}
