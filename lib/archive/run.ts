import { LeftAloneTally } from "../domain/left-alone.ts";
import { Pacer } from "../pacing/pacer.ts";
import type { StoreAbilities } from "../ports/object-store.ts";
import { Records } from "../records/records.ts";
import type { RunCounts } from "../records/run-report.ts";
import type { ArchivedExports } from "../run/archived-exports.ts";
import { type FreshList, freshList, MAX_CLOCK_SKEW_MS, oddItemsOf, slotsIn } from "../run/platform-list.ts";
import { cannotVerifyStored, clockSkewed } from "./errors.ts";
import type { ArchivePorts } from "./events.ts";
import type { Permission } from "./permission.ts";
import type { ArchiveSettings } from "./settings.ts";

/** What all attempts of one run share, once its preflight has passed. */
export interface Run {
  readonly runId: string;
  readonly ports: ArchivePorts;
  readonly settings: ArchiveSettings;
  readonly abilities: StoreAbilities;
  readonly records: Records;
  readonly archivedExports: ArchivedExports;
  /** When this run last read a copy whole and found it as recorded, on the monotonic clock, by the key of its object. */
  readonly readAtMs: Map<string, number>;
  readonly pacer: Pacer;
  /** When the run must be over, on the monotonic clock; `Infinity` without limit. */
  readonly limitAtMs: number;
  readonly counts: RunCounts;
  /** Bytes of the exports archived so far. */
  archivedBytes: number;
  /** The newest complete list. */
  lastSeen: FreshList;
  readonly leftAlone: LeftAloneTally;
  /** What the run may do at most; without it, all that its rules allow. */
  readonly permission: Permission | undefined;
}

/** {@link freshList} for a run that is under way: remembers what it saw. */
export async function listForRun(run: Run, signal: AbortSignal): Promise<FreshList> {
  const list = await freshList(run.ports, run.settings, signal);
  run.lastSeen = list;
  run.leftAlone.note(oddItemsOf(list));
  run.ports.observe({ kind: "listed", ...slotsIn(list) });
  return list;
}

export interface PreflightResult {
  readonly abilities: StoreAbilities;
  readonly records: Records;
  readonly pacer: Pacer;
  readonly list: FreshList;
  readonly leftAlone: LeftAloneTally;
}

/**
 * What must hold before the first message is received: the store takes writes, the platform lists, the
 * clocks agree within 5 minutes, the pacing state can be written. @throws what is wrong with the system.
 */
export async function preflight(
  ports: ArchivePorts,
  settings: ArchiveSettings,
  runId: string,
  signal: AbortSignal,
): Promise<PreflightResult> {
  const { store, clock, random, observe } = ports;
  const abilities = await store.preflight({ signal });
  if (settings.verify === "stored" && abilities.verification !== "stored") {
    throw cannotVerifyStored();
  }
  const list = await freshList(ports, settings, signal);
  const leftAlone = new LeftAloneTally((item) => observe({ kind: "left-alone", item }));
  leftAlone.note(oddItemsOf(list));
  if (list.platformDateMs !== undefined) {
    requireSmallSkew("the platform's", clock.wallMs() - list.platformDateMs);
  }
  const pacer = await Pacer.open(
    {
      store,
      abilities,
      clock,
      random,
      runId,
      intervalMs: settings.downloadIntervalMs,
      onCorruptState: () =>
        observe({
          kind: "warning",
          code: "pacing-state-corrupt",
          message:
            "state/pacing.json was unreadable or far in the future, so the run set it to one interval from now",
        }),
    },
    { signal },
  );
  requireSmallSkew("the store's", clock.wallMs() - pacer.nowMs());
  if (!abilities.compareAndSwap) {
    observe({
      kind: "warning",
      code: "pacing-unshared",
      message: "this store has no compare-and-swap, so only this runner keeps the download pace",
    });
  }
  return { abilities, records: new Records(store, settings.scope, abilities), pacer, list, leftAlone };
}

function requireSmallSkew(whose: string, skewMs: number): void {
  if (Math.abs(skewMs) > MAX_CLOCK_SKEW_MS) {
    throw clockSkewed(whose, skewMs);
  }
}
