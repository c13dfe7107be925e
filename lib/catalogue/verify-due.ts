import { ArchiverError, describeFailure, type Failure } from "../domain/errors.ts";
import { requireOwnArchive } from "../identity/marker.ts";
import { Catalogue, MonthText } from "../records/catalogue.ts";
import { isRecent, readInventoryState } from "../records/inventory-state.ts";
import { type RunTimes, runTimes, startRun } from "../run/run-frame.ts";
import type { Damage } from "./damage.ts";
import { beginRun, type InventoryOptions } from "./inventory.ts";
import type { InventoryPorts, InventorySettings } from "./ports.ts";
import { Verification, type VerificationReport } from "./verification.ts";

/** What reading the copies that are due gave. */
export interface DueReport extends RunTimes {
  readonly stopReason: "done" | "time-budget" | "system-failure";
  readonly failure?: Failure;
  /** When the inventory began that the catalogue is of. Copies archived since then are not due yet. */
  readonly catalogueMadeAt?: string;
  readonly damage: readonly Damage[];
  readonly verification?: VerificationReport;
}

/**
 * Reads the copies that are due now, as an inventory does, and lists nothing: it knows the copies from the catalogue.
 * @returns `undefined` where the catalogue is missing or old; an inventory reads what is due, too.
 * @throws the signal's reason, and what is not a failure of the world.
 */
export async function verifyDue(
  ports: InventoryPorts,
  settings: InventorySettings,
  options: InventoryOptions,
): Promise<DueReport | undefined> {
  const start = startRun(ports, options.limitMs);
  const times = () => runTimes(start, ports.clock);
  try {
    const run = await beginRun(ports, settings, options, start);
    const state = await readInventoryState(ports.store, settings.scope, options);
    if (state === undefined || !isRecent(state, ports.clock.wallMs())) {
      return undefined;
    }
    const verification = await Verification.begin(run, settings, ports.files);
    const catalogue = new Catalogue(ports.store, settings.scope);
    let done = 0;
    for await (const { text } of catalogue.readTexts(await catalogue.months(options), options)) {
      ports.observe({ kind: "progress", step: "months", done });
      done += 1;
      for (const line of new MonthText(text)) {
        verification.see(line);
      }
    }
    const { report, damage } = await verification.read();
    // What was found damaged may lie in another place that stands in the archive's.
    await requireOwnArchive(run, options);
    const stopReason = report.isGoalReached ? "done" : "time-budget";
    return { ...times(), stopReason, catalogueMadeAt: state.startedAt, damage, verification: report };
  } catch (error) {
    options.signal.throwIfAborted();
    if (!(error instanceof ArchiverError)) {
      throw error;
    }
    return { ...times(), stopReason: "system-failure", failure: describeFailure(error), damage: [] };
  }
}
