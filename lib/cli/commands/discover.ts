import { discover } from "../../discovery/discover.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import { type CommonOptions, withSession } from "../session.ts";
import { discoverLines } from "../summaries.ts";

/** `discover`: enqueues every finished export that still needs work. */
export async function discoverCommand(options: CommonOptions, output: Output): Promise<ExitCode> {
  const report = await withSession(options, "work", async ({ archiver, signal }) => {
    // The archive first: nothing is asked of the platform on behalf of a place that is none.
    await archiver.ports.store.preflight({ signal });
    return await discover(archiver.ports, archiver.settings, signal);
  });
  output.show(report, discoverLines(report));
  return report.requests?.failure === undefined ? EXIT.done : EXIT.failed;
}
