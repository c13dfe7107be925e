import { compact } from "../domain/compact.ts";
import type { RetentionAbilities } from "../ports/retention-store.ts";
import type { RevisionLedger } from "../records/retention-records.ts";
import { type FreshList, freshList } from "../run/platform-list.ts";
import { expiryVerdict, type StayReason } from "./expiry-verdict.ts";
import { policyDigest } from "./policy.ts";
import { findBlocker } from "./remove-export.ts";
import { isRecorded, type RetainVerdict, retainVerdict } from "./retain-verdict.ts";
import {
  type ExpiryPorts,
  earliestClockMs,
  RetentionRun,
  type RetentionRunOptions,
  type RetentionSettings,
  type RunFrame,
} from "./run.ts";

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
  /** `forever`, or from when on it may go. */
  readonly keepUntil?: string;
  /** As the store has it now. */
  readonly lockedUntil?: string;
  /** What there will be on this store after the next sweep, as the `retained` record has it. */
  readonly applied?: { readonly lock: "locked" | "none" | "unsupported" };
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
  const run = new RetentionRun(ports, settings, options);
  const look = () =>
    freshList(ports, settings, options.signal).catch((error: unknown) => {
      run.noteEnd(error);
      return undefined;
    });
  const store = await ports.store.retentionAbilities(options);
  const listBefore = await look();
  const nowMs = await earliestClockMs(ports, listBefore?.platformDateMs, options.signal);
  const revisions = await run.records.revisions(options);
  // Begun after the records were found: what it does not show was archived before it.
  const list = listBefore && (await look());
  const entries: PlanEntry[] = [];
  for (const [done, revision] of revisions.entries()) {
    ports.observe({ kind: "progress", done, total: revisions.length });
    if (revision.numbers.archived > 0 && revision.numbers.expired === 0) {
      const ledger = await run.records.read(revision, options);
      const verdict = await retainVerdict(run, ledger, store, nowMs);
      entries.push({
        ...plannedSweep(ledger, verdict),
        expire: await plannedExpire(run, ledger, verdict, list, nowMs),
      });
    }
  }
  return { ...run.frame("done"), policy: policyDigest(settings.policy), store, entries };
}

function plannedSweep(ledger: RevisionLedger, verdict: RetainVerdict): Omit<PlanEntry, "expire"> {
  const { exportTaskId, revision } = ledger;
  if (!("record" in verdict)) {
    return { exportTaskId, revision, sweep: "report-unreadable" };
  }
  const { record, terms, facts } = verdict;
  const about = {
    exportTaskId,
    revision,
    sizeBytes: record.object.sizeBytes,
    archivedAt: record.archivedAt,
    rule: terms.rule.name,
    lock: terms.rule.lock,
    keepUntil: facts.keepUntil,
    ...compact({ lockedUntil: facts.lockedUntil }),
  };
  if (verdict.kind === "missing") {
    return { ...about, sweep: "report-missing" };
  }
  if (verdict.kind !== "retain") {
    return { ...about, applied: { lock: facts.applied.lock }, sweep: "refuse", problem: verdict.problem };
  }
  const { lock, tags } = verdict;
  const isDone = lock === undefined && tags === undefined && isRecorded(ledger, facts);
  const applied = { lock: lock === undefined ? facts.applied.lock : ("locked" as const) };
  return { ...about, applied, sweep: isDone ? "nothing" : "retain" };
}

async function plannedExpire(
  run: RetentionRun,
  ledger: RevisionLedger,
  { kind }: RetainVerdict,
  list: FreshList | undefined,
  nowMs: number,
): Promise<PlanEntry["expire"]> {
  if (kind === "missing") {
    return "missing";
  }
  const verdict = expiryVerdict(run.settings.policy, ledger, nowMs);
  if (verdict.kind === "stays") {
    return verdict.reason;
  }
  const blocker = await findBlocker(run, list, ledger, verdict.objects, nowMs);
  return blocker ?? (list === undefined ? null : "remove");
}
