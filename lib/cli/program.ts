import { CommanderError } from "commander";
import { ConfigurationError } from "../config/errors.ts";
import { knownSecrets } from "../config/names.ts";
import { describeFailure, type Failure } from "../domain/errors.ts";
import { ExpectedExportsError } from "../report/errors.ts";
import { RetentionPolicyError } from "../retention/errors.ts";
import { createCommandLine } from "./command-line.ts";
import { InterruptedByOperator } from "./operator.ts";
import {
  createOutput,
  failureLines,
  type Line,
  lineWriter,
  messageLines,
  type Result,
  shownSecrets,
} from "./output.ts";
import { EXIT, type ExitCode } from "./process.ts";
import { WRONG_USAGE } from "./usage.ts";

const INTERRUPTED: Failure = {
  code: "interrupted",
  message: "interrupted by the operator",
  hint: "Run the command again. What it had completed stays; it left the rest unchanged.",
};

/**
 * Runs the command line.
 * @param args the words after the program's name.
 * @returns the exit code; nothing is thrown.
 */
export async function run(args: string[]): Promise<ExitCode> {
  // Words of the command line are shown before any settings are read.
  shownSecrets.learn(knownSecrets(process.env));
  const asJson = args.includes("--json");
  const output = await createOutput(process.stdout, asJson);
  const complain = await lineWriter(process.stderr);
  const shown = async (result: Result | undefined): Promise<ExitCode> => {
    if (result === undefined) {
      return EXIT.done;
    }
    await output.show(result);
    return result.exitCode;
  };
  let ended: Result | undefined;
  const commandLine = createCommandLine(complain, (result) => {
    ended = result;
  });
  try {
    await commandLine.parseAsync(args, { from: "user" });
    return await shown(ended);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) {
      // The help or the version was shown.
      return EXIT.done;
    }
    const failed = failedBy(error);
    if (asJson) {
      await output.show({ document: { failure: failed.failure }, lines: [] });
    }
    complain(failed.complaint);
    return failed.exitCode;
  }
}

interface Failed {
  /** For the document that a program reads on stdout. */
  readonly failure: Failure;
  /** What a person has not read on stderr yet. */
  readonly complaint: readonly Line[];
  readonly exitCode: ExitCode;
}

function failedBy(error: unknown): Failed {
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, "");
    const hint =
      "Run iotda-archiver --help to see the commands, and iotda-archiver <command> --help to see the options of one.";
    // Commander has written its own complaints.
    const complaint = error.code === WRONG_USAGE ? [error.message] : [];
    return { failure: { code: "usage", message, hint }, complaint, exitCode: EXIT.misuse };
  }
  if (error instanceof InterruptedByOperator) {
    return { failure: INTERRUPTED, complaint: [], exitCode: EXIT.interrupted };
  }
  const failure = describeFailure(error);
  if (error instanceof ConfigurationError) {
    return { failure, complaint: messageLines(failure), exitCode: EXIT.misuse };
  }
  const showsStack = failure.code === "internal-error" && process.env.ARCHIVER_LOG_LEVEL === "DEBUG";
  const stack = showsStack && error instanceof Error ? (error.stack?.split("\n") ?? []) : [];
  return {
    failure,
    complaint: [...failureLines(failure), ...stack],
    exitCode:
      error instanceof RetentionPolicyError || error instanceof ExpectedExportsError
        ? EXIT.misuse
        : EXIT.failed,
  };
}
