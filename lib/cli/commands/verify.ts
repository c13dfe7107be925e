import { systemClock } from "../../config/system.ts";
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

/** An archive so young may have nothing to read yet; of an older one, nothing is no good news. */
const MAY_BE_EMPTY_MS = 48 * 3_600_000;

/** `verify`: reads recorded copies back and compares SHA-256. Changes nothing. */
export async function verifyCommand(options: VerifyCommandOptions, output: Output): Promise<ExitCode> {
  const fraction = options.all === true ? 1 : options.sample;
  const { report, createdAt } = await withArchive(options, async ({ store, ports, scope, signal }) => {
    const { marker } = await store.archive({ signal });
    const report = await verify(ports, { scope }, { signal, fraction });
    return { report, createdAt: marker?.createdAt };
  });
  output.show(report, verifyLines(report));
  if (report.counts.damaged > 0) {
    return EXIT.damaged;
  }
  if (report.failure !== undefined || report.counts.failed > 0) {
    return EXIT.failed;
  }
  const mayBeEmpty =
    createdAt !== undefined && systemClock.wallMs() - Date.parse(createdAt) < MAY_BE_EMPTY_MS;
  return report.counts.recorded > 0 || mayBeEmpty ? EXIT.done : EXIT.nothingToRead;
}
