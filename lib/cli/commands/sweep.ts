import { type SweepReport, sweep } from "../../archive/sweep.ts";
import { AccessKeys } from "../../config/access-keys.ts";
import { wireStore } from "../../config/wiring.ts";
import { Records } from "../../records/records.ts";
import { loadConfiguration } from "../environment.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { interruptible } from "../interrupt.ts";
import type { Output } from "../output.ts";
import type { CommonOptions } from "../session.ts";
import { sweepLines } from "../summaries.ts";

export interface SweepCommandOptions extends CommonOptions {
  readonly removeOrphans?: boolean;
}

/** `sweep`: aborts old uploads, lists copies that lost a race, and removes those when asked to. */
export async function sweepCommand(options: SweepCommandOptions, output: Output): Promise<ExitCode> {
  const configuration = await loadConfiguration(options.envFile, ["platform", "store"]);
  const { platform, store: place, archive, proxy } = configuration;
  const keys = new AccessKeys(platform.credentials, undefined, proxy);
  const { store, close } = wireStore(place, archive, proxy, keys);
  try {
    const scope = { projectId: platform.projectId, instanceId: platform.instanceId };
    const report: SweepReport = await interruptible(
      (line) => process.stderr.write(`${line}\n`),
      async (signal) => {
        const abilities = await store.preflight({ signal });
        const records = new Records(store, scope, abilities);
        return await sweep(store, records, scope, { signal, removeOrphans: options.removeOrphans === true });
      },
    );
    output.show(report, sweepLines(report));
    return EXIT.done;
  } finally {
    close();
    keys.close();
  }
}
