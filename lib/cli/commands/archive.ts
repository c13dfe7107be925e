import { drain } from "../../archive/archive-run.ts";
import type { ArchiveSettings } from "../../archive/settings.ts";
import { ConfigurationError } from "../../config/errors.ts";
import { type ExitCode, exitCodeOf } from "../exit-codes.ts";
import { formatDuration } from "../format.ts";
import type { Output } from "../output.ts";
import { type CommonOptions, withSession } from "../session.ts";
import { runLines } from "../summaries.ts";

export interface ArchiveOptions extends CommonOptions {
  /** The run ends by itself before this many minutes are over. */
  readonly maxMinutes?: number;
  /** Do nothing unless so many export slots are used that eviction threatens. */
  readonly underPressure?: boolean;
}

const MINUTE_MS = 60_000;

/** `archive`: one archive run; a queue that is empty now ends it. */
export async function archiveCommand(options: ArchiveOptions, output: Output): Promise<ExitCode> {
  const report = await withSession(options, "work", ({ archiver, signal }) =>
    drain(archiver.ports, archiver.settings, {
      signal,
      ...limitOf(options, archiver.settings),
      when: options.underPressure ? "pressure" : "always",
    }),
  );
  output.show(report, runLines(report));
  return exitCodeOf(report);
}

/**
 * The run limit that `--max-minutes` asks for.
 *
 * @throws ConfigurationError when no task could start within it: the run would end at once, and well.
 */
export function limitOf(
  { maxMinutes }: Pick<ArchiveOptions, "maxMinutes">,
  { minTaskMs, downloadIntervalMs }: Pick<ArchiveSettings, "minTaskMs" | "downloadIntervalMs">,
): { limitMs?: number } {
  if (maxMinutes === undefined) {
    return {};
  }
  const leastMinutes = Math.ceil((minTaskMs + downloadIntervalMs) / MINUTE_MS);
  if (maxMinutes < leastMinutes) {
    throw new ConfigurationError([
      {
        name: `--max-minutes ${maxMinutes}`,
        problem: `leaves no time to start a task: it waits up to ${formatDuration(downloadIntervalMs)} for its slot, and ${formatDuration(minTaskMs)} must remain then (ARCHIVER_MIN_TASK_MS)`,
        fix: `Give it ${leastMinutes} or more.`,
      },
    ]);
  }
  return { limitMs: maxMinutes * MINUTE_MS };
}
