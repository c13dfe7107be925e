import type { RetentionAbilities } from "../ports/retention-store.ts";
import { type RevisionLedger, standingRecord } from "../records/retention-records.ts";
import type { FreshList } from "../run/platform-list.ts";
import { expiryVerdict, isLocked, type StayReason } from "./expiry-verdict.ts";
import { earliestClockMs, PlatformProof, removalSightIn } from "./platform-proof.ts";
import { policyDigest, ruleFor } from "./policy.ts";
import { factsOf, isRecorded, retainStep } from "./retain-step.ts";
import {
  type ExpiryPorts,
  RetentionRun,
  type RetentionRunOptions,
  type RetentionSettings,
  type RunFrame,
} from "./run.ts";
import { isoTime, isoTimeOrForever, termsOf } from "./terms.ts";

/** What the next sweep would do with an export. */
export type PlannedSweep = "retain" | "nothing" | "refuse" | "report-missing" | "report-unreadable";

/** One archived export, its terms, and what the next runs would do. */
export interface PlanEntry {
  readonly exportTaskId: string;
  readonly revision: string;
  readonly sizeBytes?: number;
  readonly archivedAt?: string;
  readonly rule?: string;
  /** What the rule asks for. */
  readonly lock?: string;
  /** What there will be on this store after the next sweep, as the `retained` record has it. */
  readonly applied?: { readonly lock: "locked" | "none" | "unsupported" };
  /** `forever`, or from when on it may go. */
  readonly keepUntil?: string;
  /** As the store has it now. */
  readonly lockedUntil?: string;
  readonly sweep: PlannedSweep;
  readonly problem?: string;
  /** `remove`, or why it stays; `null` where only the platform could tell, and did not answer. */
  readonly expire: "remove" | StayReason | null;
}

/** What `retention plan` shows. The failure is the platform's: all else is planned without it. */
export interface RetentionPlan extends RunFrame {
  readonly policy: string;
  readonly store: RetentionAbilities;
  readonly entries: readonly PlanEntry[];
}

/**
 * What the next sweep and the next expire run would do with every archived export that has not expired.
 * Changes nothing.
 *
 * @throws what the store throws, and the signal's reason.
 */
export async function planRetention(
  ports: ExpiryPorts,
  settings: RetentionSettings,
  options: RetentionRunOptions,
): Promise<RetentionPlan> {
  const run = RetentionRun.reading(ports, settings, options);
  const store = await ports.store.retentionAbilities(options);
  const proof = new PlatformProof(ports, settings, options.signal);
  const listBefore = await lookOrNote(run, proof);
  const nowMs = await earliestClockMs(ports, listBefore?.platformDateMs, options.signal);
  const revisions = await run.records.revisions(options);
  // Begun after the records were found: what it does not show was archived before it.
  const list = listBefore && (await lookOrNote(run, proof));
  const entries: PlanEntry[] = [];
  for (const [done, revision] of revisions.entries()) {
    ports.observe({ kind: "progress", done, total: revisions.length });
    if (revision.numbers.archived > 0 && revision.numbers.expired === 0) {
      const ledger = await run.records.read(revision, options);
      entries.push(await planOne(run, ledger, { store, list, nowMs }));
    }
  }
  return { ...run.frame("done"), policy: policyDigest(settings.policy), store, entries };
}

/** A list, or the run's failure. */
async function lookOrNote(run: RetentionRun, proof: PlatformProof): Promise<FreshList | undefined> {
  try {
    return await proof.look();
  } catch (error) {
    run.noteEnd(error);
    return undefined;
  }
}

interface Circumstances {
  readonly store: RetentionAbilities;
  readonly list: FreshList | undefined;
  readonly nowMs: number;
}

async function planOne(
  run: RetentionRun,
  ledger: RevisionLedger,
  { store, list, nowMs }: Circumstances,
): Promise<PlanEntry> {
  const { exportTaskId, revision } = ledger;
  const id = { exportTaskId, revision };
  const record = standingRecord(ledger);
  if (record === undefined) {
    return { ...id, sweep: "report-unreadable", expire: "unreadable" };
  }
  const terms = termsOf(ruleFor(run.settings.policy, record), record);
  const protection = await run.ports.store.readProtection(record.object, run);
  const about = {
    ...id,
    sizeBytes: record.object.sizeBytes,
    archivedAt: record.archivedAt,
    rule: terms.rule.name,
    lock: terms.rule.lock,
    keepUntil: isoTimeOrForever(terms.keepUntilMs),
    ...(protection?.lock === undefined ? {} : { lockedUntil: isoTime(protection.lock.untilMs) }),
  };
  if (protection === undefined) {
    return { ...about, sweep: "report-missing", expire: "missing" };
  }
  const step = retainStep(terms, protection, store, nowMs);
  const applied =
    step.kind === "apply" && step.lock !== undefined
      ? "locked"
      : factsOf(record, terms, protection, store).applied.lock;
  const planned = { ...about, applied: { lock: applied } };
  const isNothingToDo =
    step.kind === "apply" &&
    step.lock === undefined &&
    step.tags === undefined &&
    isRecorded(ledger, factsOf(record, terms, protection, store));
  const verdict = expiryVerdict(run.settings.policy, ledger, nowMs);
  const expire =
    verdict.kind === "stays"
      ? verdict.reason
      : await objection(run, exportTaskId, list, isLocked(protection, nowMs));
  return step.kind === "refused"
    ? { ...planned, sweep: "refuse", problem: step.problem, expire }
    : { ...planned, sweep: isNothingToDo ? "nothing" : "retain", expire };
}

async function objection(
  run: RetentionRun,
  exportTaskId: string,
  list: FreshList | undefined,
  isKeptByStore: boolean,
): Promise<PlanEntry["expire"]> {
  const sight = list && removalSightIn(list, exportTaskId);
  if (sight !== undefined && sight !== "absent") {
    return sight;
  }
  if (isKeptByStore) {
    return "locked";
  }
  if ((await run.holds.read(run)).isHeld(exportTaskId)) {
    return "held";
  }
  return sight === undefined ? null : "remove";
}
