import { compact } from "../domain/compact.ts";
import { compareTexts } from "../domain/compare-texts.ts";
import { allEnded } from "../domain/promises.ts";
import type { RetentionAbilities } from "../ports/retention-store.ts";
import { type CatalogueLine, monthOf } from "../records/catalogue-line.ts";
import type { RevisionLedger } from "../records/retention-records.ts";
import { type FreshList, freshList } from "../run/platform-list.ts";
import { expiryVerdict, type StayReason } from "./expiry-verdict.ts";
import { expiryByLine, needsRetaining, termsOfLine } from "./line-verdict.ts";
import { policyDigest } from "./policy.ts";
import { findBlocker } from "./remove-export.ts";
import { factsOf, isRecorded, type RetainVerdict, retainVerdict } from "./retain-verdict.ts";
import {
  type ExpiryPorts,
  earliestClockMs,
  RetentionRun,
  type RetentionRunOptions,
  type RetentionSettings,
  type RunFrame,
} from "./run.ts";
import { readSeen, type SeenExport, type SeenFrom, seeExports } from "./seen-exports.ts";

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
  /**
   * `remove`, or why it stays; `null` where only the platform could tell, and did not answer. `due`: so the catalogue says,
   * and nothing was asked, because many others were asked about.
   */
  readonly expire: "remove" | "due" | StayReason | null;
}

/** What `retention plan` shows. The failure is the platform's: all else is planned without it. */
export interface RetentionPlan extends RunFrame, SeenFrom {
  readonly policy: string;
  readonly store: RetentionAbilities;
}

export interface PlanOptions extends RetentionRunOptions {
  /** Takes each entry: of a large archive, all of them together are too large to be held. */
  readonly onEntry: (entry: PlanEntry) => void;
}

/** Of all that a plan by the catalogue shows, it asks about this many at most. */
const MAX_ASKED = 500;
const ASKED_AT_ONCE = 16;

/** What all entries of one plan share. */
interface Planning {
  readonly run: RetentionRun;
  readonly store: RetentionAbilities;
  /** `undefined` where the platform did not answer. */
  readonly list: FreshList | undefined;
  readonly nowMs: number;
}

/**
 * What the next sweep and the next expire run would do with every archived export that has not expired, month by month,
 * the oldest first. It asks about those alone with which something would be done. It changes nothing.
 *
 * @throws what the store throws, and the signal's reason.
 */
export async function planRetention(
  ports: ExpiryPorts,
  settings: RetentionSettings,
  options: PlanOptions,
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
  const seen = await seeExports(run, { isInOrder: true });
  // Begun after the exports were found: what it does not show was archived before it.
  const list = listBefore && (await look());
  const planning: Planning = { run, store, list, nowMs };
  const month = new PlannedMonth(planning, options.onEntry);
  let asked = 0;
  let done = 0;
  for await (const one of seen.each()) {
    ports.observe({ kind: "progress", done, total: Math.max(seen.total, done + 1) });
    done += 1;
    if (one.isExpired) {
      continue;
    }
    await month.turnTo(one.line);
    if (one.line !== undefined) {
      const entry = entryByLine(planning, one.line);
      const isClear = entry.sweep === "nothing" && entry.expire !== "due" && !one.isDoubtful;
      if (isClear || asked >= MAX_ASKED) {
        month.add(entry);
        continue;
      }
      asked += 1;
    }
    await month.ask(one);
  }
  await month.end();
  return { ...run.frame("done"), policy: policyDigest(settings.policy), store, ...seen.from };
}

/** The entries of one month of the catalogue, or of some records where there is none, until they are told in order. */
class PlannedMonth {
  readonly #planning: Planning;
  readonly #onEntry: PlanOptions["onEntry"];
  #month: string | undefined;
  #entries: PlanEntry[] = [];
  #batch: SeenExport[] = [];

  constructor(planning: Planning, onEntry: PlanOptions["onEntry"]) {
    this.#planning = planning;
    this.#onEntry = onEntry;
  }

  /** @param line of the export that comes next. */
  async turnTo(line: CatalogueLine | undefined): Promise<void> {
    const month = line && monthOf(line);
    // What is known from the records alone comes in the order of the ids, and is told as soon as it was asked about.
    if (month !== this.#month || (month === undefined && this.#batch.length === 0)) {
      await this.end();
      this.#month = month;
    }
  }

  add(entry: PlanEntry): void {
    this.#entries.push(entry);
  }

  /** Takes an export that its records and the store are asked about. */
  async ask(one: SeenExport): Promise<void> {
    this.#batch.push(one);
    if (this.#batch.length >= ASKED_AT_ONCE) {
      await this.#askBatch();
    }
  }

  /** Tells the entries. Those of the catalogue come in the order in which they were archived. */
  async end(): Promise<void> {
    await this.#askBatch();
    const entries = this.#entries;
    this.#entries = [];
    if (this.#month !== undefined) {
      entries.sort((a, b) => compareTexts(orderOf(a), orderOf(b)));
    }
    for (const entry of entries) {
      this.#onEntry(entry);
    }
  }

  async #askBatch(): Promise<void> {
    const answers = this.#batch.map((one) => askedEntry(this.#planning, one));
    this.#batch = [];
    this.#entries.push(...(await allEnded(answers)).flat());
  }
}

function orderOf({ archivedAt = "", exportTaskId, revision }: PlanEntry): string {
  return `${archivedAt} ${exportTaskId} ${revision}`;
}

/** What the records of an export and the store say; nothing where it has no record any more, or has expired. */
async function askedEntry(planning: Planning, seen: SeenExport): Promise<readonly PlanEntry[]> {
  const { run, store, nowMs } = planning;
  const ledger = await readSeen(run, seen);
  if (ledger === undefined || ledger.numbers.expired > 0) {
    return [];
  }
  const verdict = await retainVerdict(run, ledger, store, nowMs);
  const expire = await plannedExpire(planning, ledger, verdict);
  return [{ ...plannedSweep(ledger, verdict), expire }];
}

/** What the catalogue says of an export. */
function entryByLine({ run, store, nowMs }: Planning, line: CatalogueLine): PlanEntry {
  const { exportTaskId, revision, sizeBytes, archivedAt, lockedUntil } = line;
  const terms = termsOfLine(run.settings.policy, line);
  const facts = terms && factsOf({ object: line }, terms, undefined, store);
  const verdict = expiryByLine(line, terms, nowMs);
  return {
    exportTaskId,
    revision,
    sizeBytes,
    archivedAt,
    ...(facts && { rule: facts.rule, lock: facts.lock, keepUntil: facts.keepUntil }),
    ...compact({ lockedUntil }),
    ...(facts && { applied: { lock: lockedUntil === undefined ? facts.applied.lock : ("locked" as const) } }),
    sweep: needsRetaining(line, terms, store, nowMs) ? "retain" : "nothing",
    expire: verdict.kind === "candidate" ? "due" : verdict.reason,
  };
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
  { run, list, nowMs }: Planning,
  ledger: RevisionLedger,
  { kind }: RetainVerdict,
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
