import type { Digest } from "../integrity/digest.ts";
import { checkCopy } from "../records/copy-check.ts";
import { type RecordedRevision, standingRecord } from "../records/retention-records.ts";
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
  readonly recorded?: Digest;
  readonly found?: Digest;
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
  const run = new RetentionRun(ports, settings, options);
  const recorded = (await run.records.revisions(options)).filter(
    ({ numbers }) => numbers.archived > 0 && numbers.expired === 0,
  );
  const sample = sampleOf(recorded, options.fraction, () => ports.random.fraction());
  const damage: DamageEntry[] = [];
  const counts = { recorded: recorded.length, checked: 0, intact: 0, damaged: 0, cold: 0, failed: 0 };
  let checkedBytes = 0;
  for (const [done, revision] of sample.entries()) {
    if (!run.canGoOn()) {
      break;
    }
    ports.observe({ kind: "progress", done, total: sample.length });
    const failure = await run.attempt(async () => {
      const found = await check(run, revision);
      if (found === "cold") {
        counts.cold += 1;
        return;
      }
      checkedBytes += found.sizeBytes;
      counts.checked += 1;
      counts[found.wrong === undefined ? "intact" : "damaged"] += 1;
      damage.push(...(found.wrong === undefined ? [] : [found.wrong]));
    });
    counts.failed += failure === undefined ? 0 : 1;
  }
  const isWhole = counts.checked + counts.cold + counts.failed === sample.length;
  return {
    ...run.frame(isWhole ? "done" : "time-budget"),
    counts,
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

/** Reads one copy whole. @returns how much was read, and what is wrong with it. */
async function check(
  run: VerifyRun,
  recorded: RecordedRevision,
): Promise<{ readonly sizeBytes: number; readonly wrong?: DamageEntry } | "cold"> {
  const { exportTaskId, revision } = recorded;
  const id = { exportTaskId, revision };
  const record = standingRecord(await run.records.read(recorded, run));
  if (record === undefined) {
    return { sizeBytes: 0, wrong: { ...id, damage: "unreadable-record" } };
  }
  const { key, sizeBytes, sha256 } = record.object;
  const checked = await checkCopy(run.ports.store, record.object, run);
  switch (checked.result) {
    case "intact":
      return { sizeBytes };
    case "changed": {
      const { found } = checked;
      const wrong = { ...id, key, damage: "damaged", recorded: { sizeBytes, sha256 }, found } as const;
      return { sizeBytes: found.sizeBytes, wrong };
    }
    case "missing":
      return { sizeBytes: 0, wrong: { ...id, key, damage: "missing" } };
    case "cold":
      return "cold";
  }
}
