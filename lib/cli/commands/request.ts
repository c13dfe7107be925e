import { systemClock } from "../../config/system.ts";
import { makeRequest } from "../../requests/make-request.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import { type CommonOptions, withSession } from "../session.ts";

/** `request`: asks by hand for an export of a batch task as it is now; the next discover run creates it. */
export async function requestCommand(
  batchTaskId: string,
  options: CommonOptions,
  output: Output,
): Promise<ExitCode> {
  const requested = await withSession(options, async ({ archiver: { ports, settings }, signal }) => {
    const wanted = { batchTaskId, statusAtMs: systemClock.wallMs(), source: "cli" as const };
    return await makeRequest(ports, settings.scope, wanted, { signal });
  });
  output.show({ batchTaskId, requested }, [
    requested === "new"
      ? `Requested an export of ${batchTaskId}; the next discover creates it.`
      : `An export of ${batchTaskId} was requested in this very second already.`,
  ]);
  return EXIT.done;
}
