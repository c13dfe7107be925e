import { sweep } from "../../archive/sweep.ts";
import { Records } from "../../records/records.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import { withArchive } from "../retention-session.ts";
import type { CommonOptions } from "../session.ts";
import { sweepLines } from "../summaries.ts";

export interface SweepCommandOptions extends CommonOptions {
  readonly removeOrphans?: boolean;
}

/** `sweep`: aborts old uploads, lists copies that lost a race, and removes those when asked to. */
export async function sweepCommand(options: SweepCommandOptions, output: Output): Promise<ExitCode> {
  const removeOrphans = options.removeOrphans === true;
  const report = await withArchive(options, async ({ store, scope, signal }) => {
    const records = new Records(store, scope, await store.preflight({ signal }));
    return await sweep(store, records, scope, { signal, removeOrphans });
  });
  output.show(report, sweepLines(report));
  return EXIT.done;
}
