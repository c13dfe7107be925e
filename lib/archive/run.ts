import type { LeftAloneTally } from "../domain/left-alone.ts";
import type { Pacer } from "../pacing/pacer.ts";
import type { StoreAbilities } from "../ports/object-store.ts";
import type { Records } from "../records/records.ts";
import type { RunCounts } from "../records/run-report.ts";
import type { ArchivedExports } from "../run/archived-exports.ts";
import { type FreshList, freshList, oddItemsOf, placesHeld } from "../run/platform-list.ts";
import type { ArchivePorts } from "./ports.ts";
import type { ArchiveSettings } from "./settings.ts";

/** What all attempts of one run share, once its preflight has passed. */
export interface Run {
  readonly runId: string;
  readonly ports: ArchivePorts;
  readonly settings: ArchiveSettings;
  readonly abilities: StoreAbilities;
  readonly records: Records;
  readonly archivedExports: ArchivedExports;
  readonly pacer: Pacer;
  /** When the run must be over, on the monotonic clock; `Infinity` without limit. */
  readonly limitAtMs: number;
  readonly counts: RunCounts;
  /** Bytes of the exports archived so far. */
  archivedBytes: number;
  /** The newest complete list. */
  lastSeen: FreshList;
  readonly leftAlone: LeftAloneTally;
  /** This task was archived or deleted, so another one that fails is ill on its own. */
  noteSuccess(exportTaskId: string): void;
}

/** {@link freshList} for a run that is under way: remembers what it saw. */
export async function listForRun(run: Run, signal: AbortSignal): Promise<FreshList> {
  const list = await freshList(run.ports, run.settings, signal);
  run.lastSeen = list;
  run.leftAlone.note(oddItemsOf(list));
  run.ports.observe({ kind: "listed", held: placesHeld(list) });
  return list;
}
