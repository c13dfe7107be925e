import { compact } from "../domain/compact.ts";
import { parseExportObjectKey } from "../domain/key-layout.ts";
import type { RetentionAbilities } from "../ports/retention-store.ts";
import { type RevisionLedger, UNREADABLE } from "../records/retention-records.ts";
import { needsRetaining, termsOfLine } from "./line-verdict.ts";
import { policyDigest } from "./policy.ts";
import {
  factsOf,
  isRecorded,
  type RetainedFacts,
  type RetainVerdict,
  retainVerdict,
} from "./retain-verdict.ts";
import {
  MAX_ENTRIES,
  type RetentionPorts,
  RetentionRun,
  type RetentionRunOptions,
  type RetentionSettings,
  type RetentionStop,
  type RunFrame,
} from "./run.ts";
import { readSeen, type SeenExport, type SeenFrom, seeExports } from "./seen-exports.ts";
import { isoTime, isoTimeOrForever } from "./terms.ts";

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
export interface RetainReport extends RunFrame, Partial<SeenFrom> {
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
 * @throws what the store throws. The event is not repeated then (on Lambda the call ends well, with the failure in its
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
    const ledger = await run.records.readAgain(named, run);
    if (ledger?.archived === UNREADABLE) {
      return ledger;
    }
    if (ledger?.archived?.some(({ object }) => object.key === key) === true) {
      return ledger;
    }
    if (clock.monotonicMs() + RECORD_POLL_MS > untilMs || run.msLeft() <= 0) {
      return undefined;
    }
    await clock.sleep(RECORD_POLL_MS, run.signal);
  }
}

/**
 * Looks at every archived export: what an event missed is retained, and a policy that changed is applied where that
 * lengthens; a lock is never shortened. Only those are asked about whose line of the catalogue says something else than
 * the policy, and those that the inventory found damaged. Without a catalogue all are.
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
  const seen = await seeExports(run);
  const tally = new RetainTally();
  let stopReason: RetentionStop = "done";
  let done = 0;
  try {
    for await (const one of seen.each()) {
      if (!run.canGoOn()) {
        stopReason = "time-budget";
        break;
      }
      ports.observe({ kind: "progress", done, total: Math.max(seen.total, done + 1) });
      done += 1;
      tally.add(await retainSeen(run, one, abilities));
    }
  } catch (error) {
    run.noteEnd(error);
  }
  return { ...reportOf(run, abilities, tally, stopReason), ...seen.from };
}

async function retainSeen(
  run: RetentionRun,
  seen: SeenExport,
  abilities: RetentionAbilities,
): Promise<RetainEntry> {
  const { exportTaskId, revision, line, isExpired, isDoubtful } = seen;
  const named = { exportTaskId, revision };
  if (isExpired) {
    return { ...named, outcome: "expired" };
  }
  const nowMs = run.ports.clock.wallMs();
  if (line !== undefined && !isDoubtful) {
    const terms = termsOfLine(run.settings.policy, line);
    if (!needsRetaining(line, terms, abilities, nowMs)) {
      return { ...named, outcome: "up-to-date" };
    }
  }
  let entry: RetainEntry = { ...named, outcome: "unrecorded", problem: "no archived record" };
  const failure = await run.attempt(async () => {
    const ledger = await readSeen(run, seen);
    if (ledger !== undefined) {
      entry = await retainRevision(run, ledger, abilities);
    }
  });
  return failure === undefined ? entry : { ...named, outcome: "failed", problem: failure.message };
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
  const { exportTaskId, revision } = ledger;
  const id = { exportTaskId, revision };
  if (ledger.numbers.expired > 0) {
    return { ...id, outcome: "expired" };
  }
  const verdict = await retainVerdict(run, ledger, abilities, run.ports.clock.wallMs());
  if (!("record" in verdict)) {
    return { ...id, outcome: verdict.kind, problem: verdict.problem };
  }
  const { record, terms } = verdict;
  const about = {
    ...id,
    key: record.object.key,
    rule: terms.rule.name,
    keepUntil: isoTimeOrForever(terms.keepUntilMs),
  };
  if (verdict.kind !== "retain") {
    return { ...about, outcome: verdict.kind, problem: verdict.problem };
  }
  const facts = await applyTerms(run, verdict, abilities);
  const wrote = !isRecorded(ledger, facts) && (await writeFacts(run, ledger, facts));
  const acted = wrote || verdict.lock !== undefined || verdict.tags !== undefined;
  return {
    ...about,
    ...compact({ lockedUntil: facts.lockedUntil }),
    outcome: acted ? "retained" : "up-to-date",
  };
}

/** Sets lock and tags. @returns what there is to record: a store may take a lock and forget it, so what it shows counts. */
async function applyTerms(
  run: RetentionRun,
  { record, terms, lock, tags, facts }: Extract<RetainVerdict, { kind: "retain" }>,
  abilities: RetentionAbilities,
): Promise<RetainedFacts> {
  const { store } = run.ports;
  if (lock !== undefined) {
    await store.lockVersion(record.object, lock, run);
  }
  if (tags !== undefined) {
    await store.tagVersion(record.object, tags, run);
  }
  return lock === undefined
    ? facts
    : factsOf(record, terms, await store.readProtection(record.object, run), abilities);
}

/** Writes the next `retained` record; `false` when another runner did. */
async function writeFacts(run: RetentionRun, ledger: RevisionLedger, facts: RetainedFacts): Promise<boolean> {
  const record = { ...facts, retainedAt: isoTime(run.ports.clock.wallMs()), runId: run.runId };
  return await run.records.writeRetained(ledger, record, run);
}
