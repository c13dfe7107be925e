import { ArchiverError } from "../domain/errors.ts";
import { type RecordedRevision, standingRecord } from "../records/retention-records.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import { type ReadCopy, readCopy } from "./read-copy.ts";
import {
  MAX_ENTRIES,
  type RetentionPorts,
  RetentionRun,
  type RetentionRunOptions,
  type RetentionSettings,
  type RunFrame,
} from "./run.ts";

type VerifyRun = RetentionRun<Pick<RetentionSettings, "scope">>;

/** What is wrong with a recorded copy. */
export type Damage = "missing" | "damaged" | "unreadable-record";

export interface DamageEntry {
  readonly exportTaskId: string;
  readonly revision: string;
  readonly damage: Damage;
  readonly key?: string;
  readonly recorded?: { readonly sizeBytes: number; readonly sha256: string };
  readonly found?: { readonly sizeBytes: number; readonly sha256: string };
}

/** What `verify` returns. */
export interface VerifyReport extends RunFrame {
  readonly counts: {
    /** Recorded copies that have not expired. */
    readonly recorded: number;
    readonly checked: number;
    readonly intact: number;
    readonly damaged: number;
    /** In a storage class that has to be restored before it can be read; neither intact nor damaged. */
    readonly cold: number;
    /** Could not be read this time; neither intact nor damaged. */
    readonly failed: number;
  };
  readonly checkedBytes: number;
  /** At most {@link MAX_ENTRIES}; the counts go on. */
  readonly damage: readonly DamageEntry[];
}

export interface VerifyOptions extends RetentionRunOptions {
  /** The part of all copies that is read, up to 1 (all); however small, one copy is. */
  readonly fraction: number;
}

/**
 * Reads recorded copies back and compares them with their records. Changes nothing.
 *
 * @throws what the store throws before the first copy is read, and the signal's reason.
 */
export async function verify(
  ports: RetentionPorts,
  settings: Pick<RetentionSettings, "scope">,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const run = RetentionRun.reading(ports, settings, options);
  const recorded = (await run.records.revisions(options)).filter(
    ({ numbers }) => numbers.archived > 0 && numbers.expired === 0,
  );
  const sample = sampleOf(recorded, options.fraction, () => ports.random.fraction());
  const damage: DamageEntry[] = [];
  let [checked, intact, cold, failed, checkedBytes] = [0, 0, 0, 0, 0];
  for (const [done, revision] of sample.entries()) {
    if (run.failure !== undefined || !run.hasTime()) {
      break;
    }
    ports.observe({ kind: "progress", done, total: sample.length });
    try {
      const found = await check(run, revision);
      if (found === "cold") {
        cold += 1;
        continue;
      }
      checkedBytes += found.sizeBytes;
      checked += 1;
      intact += found.entry === undefined ? 1 : 0;
      if (found.entry !== undefined) {
        damage.push(found.entry);
      }
      run.noteSuccess();
    } catch (error) {
      run.noteFailure(error);
      failed += 1;
    }
  }
  const isWhole = checked + cold + failed === sample.length;
  return {
    ...run.frame(isWhole ? "done" : "time-budget"),
    counts: { recorded: recorded.length, checked, intact, damaged: damage.length, cold, failed },
    checkedBytes,
    damage: damage.slice(0, MAX_ENTRIES),
  };
}

/** A random part of the items, in their order; each is as likely as any other. */
function sampleOf<T>(items: readonly T[], fraction: number, random: () => number): readonly T[] {
  let wanted = Math.min(items.length, Math.max(1, Math.ceil(items.length * fraction)));
  return items.filter((_, index) => {
    const isTaken = random() * (items.length - index) < wanted;
    wanted -= isTaken ? 1 : 0;
    return isTaken;
  });
}

/** What became of a copy that could be looked at; `entry` when something is wrong with it. */
interface Finding {
  readonly entry: DamageEntry | undefined;
  readonly sizeBytes: number;
}

async function check(run: VerifyRun, revision: RecordedRevision): Promise<Finding | "cold"> {
  const id = { exportTaskId: revision.exportTaskId, revision: revision.revision };
  const record = standingRecord(await run.records.read(revision, run));
  if (record === undefined) {
    return { entry: { ...id, damage: "unreadable-record" }, sizeBytes: 0 };
  }
  const found = await readIfPossible(run, record);
  const { key, sizeBytes, sha256 } = record.object;
  if (found === "cold") {
    return found;
  }
  if (found === "missing") {
    return { entry: { ...id, key, damage: "missing" }, sizeBytes: 0 };
  }
  const { isIntact, ...bytes } = found;
  const entry: DamageEntry = { ...id, key, damage: "damaged", recorded: { sizeBytes, sha256 }, found: bytes };
  return { entry: isIntact ? undefined : entry, sizeBytes: found.sizeBytes };
}

async function readIfPossible(
  run: VerifyRun,
  record: ArchivedRecord,
): Promise<ReadCopy | "missing" | "cold"> {
  try {
    return await readCopy(run.ports.store, record, run);
  } catch (error) {
    const code = error instanceof ArchiverError ? error.code : undefined;
    if (code === "store-copy-differs") {
      return "missing";
    }
    if (code === "store-object-cold") {
      return "cold";
    }
    throw error;
  }
}
