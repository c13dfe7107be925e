import { drain } from "../../archive/drain.ts";
import { type ExitCode, exitCodeOf } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import { type CommonOptions, withSession } from "../session.ts";
import { runLines } from "../summaries.ts";

export interface ArchiveOptions extends CommonOptions {
  /** The run ends by itself before this many minutes are over. */
  readonly maxMinutes?: number;
  /** Do nothing unless so many places are held that eviction threatens. */
  readonly underPressure?: boolean;
}

const MINUTE_MS = 60_000;

/** `archive`: one archive run; a queue that is empty now ends it. */
export async function archiveCommand(options: ArchiveOptions, output: Output): Promise<ExitCode> {
  const report = await withSession(options, ({ archiver, signal }) =>
    drain(archiver.ports, archiver.settings, {
      signal,
      ...limitOf(options),
      when: options.underPressure ? "pressure" : "always",
    }),
  );
  output.show(report, runLines(report));
  return exitCodeOf(report);
}

/** The run limit that `--max-minutes` asks for. */
export function limitOf(options: Pick<ArchiveOptions, "maxMinutes">): { limitMs?: number } {
  return options.maxMinutes === undefined ? {} : { limitMs: options.maxMinutes * MINUTE_MS };
}
