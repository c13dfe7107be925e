import type { DiscoverRunReport } from "../config/discover-and-request.ts";
import type { RunReport } from "../records/run-report.ts";
import { EXIT_MISUSE } from "./node-version.ts";

/** What the program's exit code says (README, "Commands"). */
export const EXIT = {
  done: 0,
  /** Failed, or a system failure stopped the run. */
  failed: 1,
  /** Wrong usage or configuration: nothing was done. */
  misuse: EXIT_MISUSE,
  /** The run ended well, but some task was dead-lettered in it. */
  deadLettered: 3,
  /** `verify` found copies that are not what their records say. */
  damaged: 3,
  /** `verify` found no recorded copy in an archive that is older than two days. */
  nothingToRead: 3,
  /** Ctrl-C or SIGTERM. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/**
 * The exit code of an archive run, and of the discover run before it where there was one; where several apply,
 * 130 before 1 before 3.
 */
export function exitCodeOf(
  report: Pick<RunReport, "stopReason" | "counts"> & { readonly discovered?: DiscoverRunReport | undefined },
): ExitCode {
  if (report.stopReason === "aborted") {
    return EXIT.interrupted;
  }
  if (report.stopReason === "system-failure" || report.discovered?.requests?.failure !== undefined) {
    return EXIT.failed;
  }
  return report.counts.deadLettered > 0 ? EXIT.deadLettered : EXIT.done;
}
