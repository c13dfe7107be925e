import { parseExportObjectKey } from "../domain/key-layout.ts";
import type { RetentionAbilities } from "../ports/retention-store.ts";
import { type RevisionLedger, UNREADABLE } from "../records/retention-records.ts";
import type { RetainedRecord } from "../records/schemas.ts";
import { policyDigest, ruleFor } from "./policy.ts";
import { factsOf, isRecorded, type RetainedFacts, retainStep } from "./retain-step.ts";
import {
  MAX_ENTRIES,
  type RetentionPorts,
  RetentionRun,
  type RetentionRunOptions,
  type RetentionSettings,
  type RetentionStop,
  type RunFrame,
  rotatedByDay,
} from "./run.ts";
import { isoTime, isoTimeOrForever, termsOf } from "./terms.ts";

/** What came of one object. */
export type RetainOutcome =
  /** Lock, tags and record are as the policy has them, and something had to be done for it. */
  | "retained"
  | "up-to-date"
  /** The policy asks for less than a lock holds. */
  | "refused"
  /** No `archived` record names it: never touched. */
  | "unrecorded"
  | "unreadable"
  /** Recorded, not expired, and not there. */
  | "missing"
  | "expired"
  | "failed";

export interface RetainEntry {
  readonly exportTaskId: string;
  readonly revision: string;
  readonly outcome: RetainOutcome;
  readonly key?: string;
  readonly rule?: string;
  /** `forever`, or when the object may go. */
  readonly keepUntil?: string;
  readonly lockedUntil?: string;
  readonly problem?: string;
}

/** What a retain run returns. */
export interface RetainReport extends RunFrame {
  readonly policy: string;
  readonly store: RetentionAbilities;
  readonly counts: Readonly<Partial<Record<RetainOutcome, number>>>;
  /** Everything but what was up to date or expired; the first {@link MAX_ENTRIES}. */
  readonly entries: readonly RetainEntry[];
}

/** How long an object's event waits for the `archived` record, which comes right after the object. */
const RECORD_WAIT_MS = 60_000;
const RECORD_POLL_MS = 2_000;
const QUIET: ReadonlySet<RetainOutcome> = new Set(["up-to-date", "expired"]);

/** Collects entries while a run goes on. */
class RetainTally {
  readonly counts: Partial<Record<RetainOutcome, number>> = {};
  readonly entries: RetainEntry[] = [];

  add(entry: RetainEntry): void {
    this.counts[entry.outcome] = (this.counts[entry.outcome] ?? 0) + 1;
    if (!QUIET.has(entry.outcome) && this.entries.length < MAX_ENTRIES) {
      this.entries.push(entry);
    }
  }
}

/**
 * An object appeared at this key: once its `archived` record names it, the recorded version gets its lock,
 * its tags and its `retained` record. An object that no record comes to name is reported and left alone.
 *
 * @throws what the store throws. Nobody repeats the event then (on Lambda the call ends well, with the failure in its
 * report, log and metric); the next sweep makes up for it.
 */
export async function retainObject(
  ports: RetentionPorts,
  settings: RetentionSettings,
  key: string,
  options: RetentionRunOptions,
): Promise<RetainReport> {
  const run = await RetentionRun.begin(ports, settings, options);
  const abilities = await ports.store.retentionAbilities(options);
  const tally = new RetainTally();
  const named = parseExportObjectKey(key, settings.scope);
  if (named !== undefined) {
    const ledger = await awaitRecord(run, named, key);
    tally.add(
      ledger === undefined
        ? { ...named, key, outcome: "unrecorded", problem: "no archived record names this object" }
        : await retainRevision(run, ledger, abilities),
    );
  }
  return reportOf(run, abilities, tally, "done");
}

/** The records of an object once one of them names it; `undefined` when none does in time. */
async function awaitRecord(
  run: RetentionRun,
  named: { readonly exportTaskId: string; readonly revision: string },
  key: string,
): Promise<RevisionLedger | undefined> {
  const { clock } = run.ports;
  const untilMs = clock.monotonicMs() + RECORD_WAIT_MS;
  for (;;) {
    const ledger = await run.records.readAnew(named, run);
    if (ledger?.archived === UNREADABLE) {
      return ledger;
    }
    if (ledger?.archived?.some(({ object }) => object.key === key) === true) {
      return ledger;
    }
    if (clock.monotonicMs() + RECORD_POLL_MS > untilMs || !run.hasTime()) {
      return undefined;
    }
    await clock.sleep(RECORD_POLL_MS, run.signal);
  }
}

/**
 * Goes through every recorded export: what an event missed is retained, and a policy that changed is applied
 * where that lengthens; a lock is never shortened.
 *
 * @throws what the store throws before the first export is looked at.
 */
export async function retainSweep(
  ports: RetentionPorts,
  settings: RetentionSettings,
  options: RetentionRunOptions,
): Promise<RetainReport> {
  const run = await RetentionRun.begin(ports, settings, options);
  const abilities = await ports.store.retentionAbilities(options);
  const revisions = rotatedByDay(await run.records.revisions(options), ports.clock.wallMs());
  const tally = new RetainTally();
  for (const [done, revision] of revisions.entries()) {
    if (run.failure !== undefined || !run.hasTime()) {
      return reportOf(run, abilities, tally, "time-budget");
    }
    ports.observe({ kind: "progress", done, total: revisions.length });
    if (revision.numbers.expired > 0) {
      tally.add({ ...revision, outcome: "expired" });
      continue;
    }
    if (revision.numbers.archived === 0) {
      continue; // a dead letter: nothing was archived
    }
    try {
      tally.add(await retainRevision(run, await run.records.read(revision, options), abilities));
      run.noteSuccess();
    } catch (error) {
      const { message } = run.noteFailure(error);
      const { exportTaskId } = revision;
      tally.add({ exportTaskId, revision: revision.revision, outcome: "failed", problem: message });
    }
  }
  return reportOf(run, abilities, tally, "done");
}

function reportOf(
  run: RetentionRun,
  store: RetentionAbilities,
  { counts, entries }: RetainTally,
  stopReason: RetentionStop,
): RetainReport {
  return { ...run.frame(stopReason), policy: policyDigest(run.settings.policy), store, counts, entries };
}

async function retainRevision(
  run: RetentionRun,
  ledger: RevisionLedger,
  abilities: RetentionAbilities,
): Promise<RetainEntry> {
  const { exportTaskId, revision, archived } = ledger;
  const id = { exportTaskId, revision };
  if (ledger.numbers.expired > 0) {
    return { ...id, outcome: "expired" };
  }
  if (archived === UNREADABLE) {
    return { ...id, outcome: "unreadable", problem: "an archived record of this revision cannot be read" };
  }
  const record = archived?.at(-1);
  if (record === undefined) {
    return { ...id, outcome: "unrecorded", problem: "no archived record" };
  }
  const terms = termsOf(ruleFor(run.settings.policy, record), record);
  const about = {
    ...id,
    key: record.object.key,
    rule: terms.rule.name,
    keepUntil: isoTimeOrForever(terms.keepUntilMs),
  };
  const before = await run.ports.store.readProtection(record.object, run);
  if (before === undefined) {
    return { ...about, outcome: "missing", problem: "the recorded object is not in the store" };
  }
  const step = retainStep(terms, before, abilities, run.ports.clock.wallMs());
  if (step.kind === "refused") {
    return { ...about, outcome: "refused", problem: step.problem };
  }
  const { lock, tags } = step;
  if (lock !== undefined) {
    await run.ports.store.lockVersion(record.object, lock, run);
  }
  if (tags !== undefined) {
    await run.ports.store.tagVersion(record.object, tags, run);
  }
  // A store may take a lock and forget it: what it shows is what is recorded.
  const after = lock === undefined ? before : await run.ports.store.readProtection(record.object, run);
  const wrote = await recordRetained(run, ledger, factsOf(record, terms, after, abilities));
  const acted = wrote || lock !== undefined || tags !== undefined;
  return {
    ...about,
    ...(after?.lock === undefined ? {} : { lockedUntil: isoTime(after.lock.untilMs) }),
    outcome: acted ? "retained" : "up-to-date",
  };
}

/** Writes the next `retained` record unless the newest says the same; returns whether it did. */
async function recordRetained(
  run: RetentionRun,
  ledger: RevisionLedger,
  facts: RetainedFacts,
): Promise<boolean> {
  if (isRecorded(ledger, facts)) {
    return false;
  }
  const { runId, ports } = run;
  const record: Omit<RetainedRecord, "schemaVersion" | "idempotencyKey"> = {
    ...facts,
    retainedAt: isoTime(ports.clock.wallMs()),
    runId,
  };
  return await run.records.writeRetained(ledger, record, run);
}
