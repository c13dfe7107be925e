import { ArchiverError } from "../domain/errors.ts";
import { checkCopy } from "../records/copy-check.ts";
import { RetentionRecords, standingRecord } from "../records/retention-records.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import { type LedgerEntry, VerificationLedger } from "../records/verification-ledger.ts";
import type { Damage } from "./damage.ts";
import type { InventoryRun } from "./ports.ts";
import { type CopyToRead, type ReadingPlan, wasDamaged } from "./reading-plan.ts";

/** A run that dies loses at most this many entries of the ledger: their copies are read once more. */
const ENTRIES_OF_A_BATCH = 50;
/** When this many copies in a row cannot be read, it is not the copies. */
const MAX_FAILURES_IN_A_ROW = 5;

/** What became of the copies that were read. */
export interface ReadCopies {
  readonly checked: number;
  readonly checkedBytes: number;
  readonly intact: number;
  readonly cold: number;
  /** Could not be read this time; they come first the next time. */
  readonly failed: number;
  readonly damage: readonly Damage[];
  /** The keys of those copies that were damaged before and that could not be read this time. */
  readonly stillInDoubt: ReadonlySet<string>;
  /** Whether the day's goal was reached; the time may have ended before it. */
  readonly isGoalReached: boolean;
}

/**
 * Reads the copies of a plan back and compares them with their records, until the day's goal is reached or the time is
 * over. A copy that is not as recorded is read once more before that is said: a fault of memory or network passes.
 * Throws what the store throws about the ledger or the system.
 */
export async function readCopies(run: InventoryRun, plan: ReadingPlan): Promise<ReadCopies> {
  const counts = { checked: 0, checkedBytes: 0, intact: 0, cold: 0, failed: 0 };
  const damage: Damage[] = [];
  const stillInDoubt = new Set(plan.copies.filter(wasDamaged).map(({ key }) => key));
  const batch = new LedgerBatch(run);
  let isGoalReached = true;
  let failuresInARow = 0;
  for (const [done, line] of plan.copies.entries()) {
    if (counts.checkedBytes >= plan.goalBytes) {
      break;
    }
    if (run.msLeft() <= 0) {
      isGoalReached = false;
      break;
    }
    run.ports.observe({ kind: "progress", step: "copies", done });
    const entry = await checkLine(run, line).catch((error: unknown) => {
      run.signal.throwIfAborted();
      if (error instanceof ArchiverError && error.scope === "task") {
        return "failed" as const;
      }
      throw error;
    });
    if (entry === "failed") {
      counts.failed += 1;
      failuresInARow += 1;
      if (failuresInARow >= MAX_FAILURES_IN_A_ROW) {
        isGoalReached = false;
        break;
      }
      continue;
    }
    failuresInARow = 0;
    stillInDoubt.delete(line.key);
    if (entry === "not-this-copy") {
      continue;
    }
    await batch.add(entry);
    if (entry.result === "cold") {
      counts.cold += 1;
      continue;
    }
    counts.checked += 1;
    counts.checkedBytes += entry.sizeBytes;
    if (entry.result === "intact") {
      counts.intact += 1;
    } else {
      const { exportTaskId, revision, key, result } = entry;
      damage.push({ exportTaskId, revision, key, kind: result, recordedBytes: line.sizeBytes });
    }
  }
  await batch.end();
  return { ...counts, damage, stillInDoubt, isGoalReached };
}

/** Collects entries of the ledger and writes some at a time. */
class LedgerBatch {
  readonly #run: InventoryRun;
  #entries: LedgerEntry[] = [];
  #nextWriteAt = ENTRIES_OF_A_BATCH;

  constructor(run: InventoryRun) {
    this.#run = run;
  }

  async add(entry: LedgerEntry): Promise<void> {
    this.#entries.push(entry);
    if (this.#entries.length >= this.#nextWriteAt && !(await this.#write())) {
      this.#nextWriteAt = this.#entries.length + ENTRIES_OF_A_BATCH;
    }
  }

  /** Writes what is left, and says so where that cannot be done. */
  async end(): Promise<void> {
    if (this.#entries.length > 0 && !(await this.#write())) {
      warnOfUnnoted(this.#run, this.#entries.length);
    }
  }

  /** @returns whether the entries are in the ledger; otherwise they are kept for the next time. */
  async #write(): Promise<boolean> {
    const { store, clock, random } = this.#run.ports;
    const ledger = new VerificationLedger(store, this.#run.abilities);
    const written = await ledger.add(this.#entries, { clock, random }, { signal: this.#run.signal });
    if (written === "conflict") {
      return false;
    }
    this.#entries = [];
    this.#nextWriteAt = ENTRIES_OF_A_BATCH;
    return true;
  }
}

/** Says that copies were read and the ledger does not say so. */
export function warnOfUnnoted({ ports }: InventoryRun, copies: number): void {
  const message = `another program keeps changing the verification ledger, so it does not name ${copies} copies that were read; they are read again`;
  ports.observe({ kind: "warning", code: "ledger-busy", message });
}

/** Reads one copy. `not-this-copy` when the records name another one by now, or none. */
async function checkLine(run: InventoryRun, line: CopyToRead): Promise<LedgerEntry | "not-this-copy"> {
  const { clock } = run.ports;
  const startedAtMs = clock.monotonicMs();
  const record = await recordOfLine(run, line);
  if (record === undefined) {
    return "not-this-copy";
  }
  const read = () => checkCopy(run.ports.store, record.object, { signal: run.signal });
  let { result } = await read();
  if (result === "changed" || result === "missing") {
    ({ result } = await read());
  }
  const { exportTaskId, revision, key, sizeBytes } = line;
  return {
    at: new Date(clock.wallMs()).toISOString(),
    exportTaskId,
    revision,
    key,
    result,
    sizeBytes,
    durationMs: Math.round(clock.monotonicMs() - startedAtMs),
  };
}

/** The record that the copy of a line stands on; `undefined` when the records name another copy by now, or none. */
export async function recordOfLine(
  run: InventoryRun,
  line: Omit<CopyToRead, "lastReadMs">,
): Promise<ArchivedRecord | undefined> {
  const records = new RetentionRecords(run.ports.store, run.scope, run.abilities);
  const ledger = await records.readAgain(line, { signal: run.signal });
  const record = ledger === undefined || ledger.expired !== undefined ? undefined : standingRecord(ledger);
  return record?.object.key === line.key ? record : undefined;
}
