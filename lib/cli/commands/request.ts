import { freshList } from "../../archive/run.ts";
import { makeRequest } from "../../requests/make-request.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import { type CommonOptions, withSession } from "../session.ts";

/**
 * `request`: asks by hand for an export of a batch task as it is now; the next discover run creates it.
 *
 * "Now" is the platform's: an export that was made before the request must not pass for one made after it because
 * this machine's clock is behind. Its own clock counts only where the platform tells no time.
 */
export async function requestCommand(
  batchTaskId: string,
  options: CommonOptions,
  output: Output,
): Promise<ExitCode> {
  const requested = await withSession(options, "use", async ({ archiver: { ports, settings }, signal }) => {
    const { platformDateMs } = await freshList(ports, settings, signal);
    const statusAtMs = platformDateMs ?? ports.clock.wallMs();
    const wanted = { batchTaskId, statusAtMs, source: "cli" as const };
    return await makeRequest(ports, settings.scope, wanted, { signal });
  });
  output.show({ batchTaskId, requested }, [
    requested === "new"
      ? `Requested an export of ${batchTaskId}; the next discover creates it.`
      : `An export of ${batchTaskId} was requested in this very second already.`,
  ]);
  return EXIT.done;
}
