import { compact } from "../domain/compact.ts";
import type { Failure } from "../domain/errors.ts";
import type { LeftAloneReport } from "../domain/left-alone.ts";
import { allEnded } from "../domain/promises.ts";
import { RetentionRecords, UNREADABLE } from "../records/retention-records.ts";
import { inventory } from "./inventory.ts";
import type { OpenUploads } from "./open-uploads.ts";
import type { Orphan } from "./orphans.ts";
import type { InventoryPorts, InventorySettings } from "./ports.ts";

/** An orphan that an inventory found, and what became of it. */
export interface SweptOrphan extends Orphan {
  /** No object that a record of its revision names is there: this is all that is left, and is never removed. */
  readonly onlyCopy: boolean;
  readonly removed: boolean;
}

/** What a sweep found and did. */
export interface SweepReport extends OpenUploads {
  /** At most 1,000. */
  readonly orphans: readonly SweptOrphan[];
  readonly checkedObjects: number;
  /** How many exports are damaged; the report in `state/inventory/` names them. */
  readonly damaged: number;
  /** What could not be understood and was left as it is. */
  readonly leftAlone?: LeftAloneReport;
  readonly failure?: Failure;
}

export interface SweepOptions {
  readonly signal: AbortSignal;
  /** Without it orphans are only listed. */
  readonly removeOrphans: boolean;
}

/**
 * An inventory that reads no copy back. It ends old uploads and lists the orphans that it found, or removes those of
 * which a recorded object is there. An object whose revision has no readable record is never removed: an archive run
 * may still adopt it.
 * @throws the signal's reason, and what the store throws about an orphan.
 */
export async function sweep(
  ports: InventoryPorts,
  { scope }: Pick<InventorySettings, "scope">,
  { signal, removeOrphans }: SweepOptions,
): Promise<SweepReport> {
  const settings = { scope, verifyWithinDays: 0, verifyBytesPerDay: 0 };
  const found = await inventory(ports, settings, { signal, keepsChanged: true });
  const { abortedUploads, youngUploads, counts, leftAlone, failure } = found;
  const records = new RetentionRecords(ports.store, scope, { createOnce: false });
  const orphans: SweptOrphan[] = [];
  for (const orphan of found.orphans) {
    const standing = await standingOf(orphan, records, ports, signal);
    if (standing === "named") {
      continue;
    }
    const onlyCopy = standing === "only-copy";
    const removed = removeOrphans && !onlyCopy;
    if (removed) {
      await ports.store.removeObject(orphan.key, { signal });
    }
    orphans.push({ ...orphan, onlyCopy, removed });
  }
  const checkedObjects = counts.objects;
  return {
    abortedUploads,
    youngUploads,
    orphans,
    checkedObjects,
    damaged: counts.damaged,
    ...compact({ leftAlone, failure }),
  };
}

/** Asks about an orphan again: a record may name it by now, and it may be all that is left. */
async function standingOf(
  orphan: Orphan,
  records: RetentionRecords,
  { store }: InventoryPorts,
  signal: AbortSignal,
): Promise<"named" | "only-copy" | "second-copy"> {
  const ledger = await records.readAgain(orphan, { signal });
  const archived = ledger?.archived ?? [];
  if (archived === UNREADABLE || archived.some(({ object }) => object.key === orphan.key)) {
    return "named";
  }
  const heads = await allEnded(archived.map(({ object }) => store.head(object.key, { signal })));
  return heads.some((head) => head !== undefined) ? "second-copy" : "only-copy";
}
