import { verify } from "../../retention/verify.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import { verifyLines } from "../retention-lines.ts";
import { withArchive } from "../retention-session.ts";
import type { CommonOptions } from "../session.ts";

export interface VerifyCommandOptions extends CommonOptions {
  /** From 0 to 1. */
  readonly sample: number;
  readonly all?: boolean;
}

/** `verify`: reads recorded copies back and compares SHA-256. Changes nothing. */
export async function verifyCommand(options: VerifyCommandOptions, output: Output): Promise<ExitCode> {
  const fraction = options.all === true ? 1 : options.sample;
  const report = await withArchive(options, ({ ports, scope, signal }) =>
    verify(ports, { scope }, { signal, fraction }),
  );
  output.show(report, verifyLines(report));
  if (report.counts.damaged > 0) {
    return EXIT.damaged;
  }
  return report.failure !== undefined || report.counts.failed > 0 ? EXIT.failed : EXIT.done;
}
