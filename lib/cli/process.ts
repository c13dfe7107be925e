// How the process starts and ends. The entry imports this file before any other, so even an old Node must load it.
import type { DiscoverRunReport } from "../config/discover-and-request.ts";
import type { RunReport } from "../records/run-report.ts";

/** What the program's exit code says (README, "Commands"). */
export const EXIT = {
  done: 0,
  /** Failed, or a system failure stopped the run. */
  failed: 1,
  /** Wrong usage or configuration: nothing was done. */
  misuse: 2,
  /** The run ended well, but some task was dead-lettered in it. */
  deadLettered: 3,
  /** `verify` found copies that are not what their records say. */
  damaged: 3,
  /** `report` shows a night that somebody has to look at. */
  needsSomebody: 3,
  /** `verify` found no recorded copy in an archive that is older than two days. */
  nothingToRead: 3,
  /** `doctor` found what works and will hurt. */
  willHurt: 3,
  /** `probe` asked a question and got no answer to it. */
  partlyAnswered: 3,
  /** Ctrl-C or SIGTERM. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/**
 * The exit code of an archive run, and of the discover run before it where there was one. Where several apply, 130
 * comes before 1, and 1 before 3.
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

/** The oldest Node this program runs on (architecture §6.5); a test holds it equal to `engines` in package.json. */
export const OLDEST_NODE = { major: 24, minor: 17 } as const;

/**
 * Why this program cannot run on the given Node, as one sentence; `undefined` when it can.
 *
 * @param version as `process.versions.node` has it, such as `24.17.0`.
 */
export function nodeVersionProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const { major: oldestMajor, minor: oldestMinor } = OLDEST_NODE;
  const runs = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  return runs
    ? undefined
    : `iotda-archiver needs Node ${oldestMajor}.${oldestMinor} or newer, but this is Node ${version}. Install a newer Node and start the program again.`;
}

/**
 * Decides what happens when the streams of this process cannot be written. Where stdout is on a full disk, stderr says
 * so, and exit 0 or 3 becomes 1 once the work is done. A failure of stderr stops no work: no stream is left to tell it.
 */
export function watchOutput(): void {
  let isTold = false;
  process.stderr.on("error", () => undefined);
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // `iotda-archiver … | head` has read enough: the exit code stands.
    if (error.code === "EPIPE" || isTold) {
      return;
    }
    isTold = true;
    process.stderr.write(`error: the program could not write its output (${error.code ?? error.name})\n`);
    process.on("exit", (exitCode) => {
      if (exitCode === EXIT.done || exitCode === EXIT.deadLettered) {
        process.exitCode = EXIT.failed;
      }
    });
  });
}
