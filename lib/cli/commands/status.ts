import { systemClock } from "../../config/system.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import { type CommonOptions, withSession } from "../session.ts";
import { lookAtStatus, statusLines } from "../status-report.ts";

/** `status`: export slots used on the platform, what is queued, and when the next download may start. */
export async function statusCommand(options: CommonOptions, output: Output): Promise<ExitCode> {
  const status = await withSession(options, "use", ({ archiver, signal }) =>
    lookAtStatus({ ...archiver, signal }),
  );
  output.show(status, statusLines(status, systemClock.wallMs()));
  return status.failure === undefined ? EXIT.done : EXIT.failed;
}
