import { compact } from "../domain/compact.ts";
import { DAY_MS } from "../domain/utc-day.ts";
import type { TemporaryFiles } from "../ports/temporary-files.ts";
import type { CatalogueLine } from "../records/catalogue-line.ts";
import { type LedgerEntry, VerificationLedger } from "../records/verification-ledger.ts";
import { DRILL_EVERY_DAYS, DrillChoice, type DrillReport, drill } from "./drill.ts";
import type { InventoryRun } from "./ports.ts";
import { type ReadCopies, readCopies } from "./read-copies.ts";
import { LastReads, UnreadCopies, type VerificationSettings } from "./reading-plan.ts";

/** How the copies stand: what was read today, and whether every copy is read within its limit. */
export interface VerificationReport extends Omit<ReadCopies, "damage" | "stillInDoubt"> {
  readonly limitDays: number;
  /** Recorded copies that have not expired. */
  readonly copies: number;
  /** Copies in a storage class that cannot be read, of those in `copies`. Only the store's own means check them. */
  readonly coldCopies: number;
  readonly damaged: number;
  /** Before today's reading. */
  readonly oldestUnreadDays: number;
  readonly budgetBytesPerDay: number;
  readonly neededBytesPerDay: number;
  readonly isLimitKept: boolean;
  /** The moment at which the first copy will have been unread for longer than the limit. */
  readonly missedFrom?: string;
  readonly drill?: DrillReport;
}

/** One day's verification. It sees every line of the catalogue first, and reads copies then. */
export class Verification {
  readonly #run: InventoryRun;
  readonly #settings: VerificationSettings;
  readonly #files: TemporaryFiles | undefined;
  readonly #unread: UnreadCopies;
  readonly #drillChoice: DrillChoice | undefined;

  private constructor(
    run: InventoryRun,
    settings: VerificationSettings,
    files: TemporaryFiles | undefined,
    known: { readonly lastReads: LastReads; readonly lastDrillMs: number },
  ) {
    const nowMs = run.ports.clock.wallMs();
    this.#run = run;
    this.#settings = settings;
    this.#files = files;
    this.#unread = new UnreadCopies(settings, known.lastReads, nowMs);
    const isDrillDue = files !== undefined && nowMs - known.lastDrillMs >= DRILL_EVERY_DAYS * DAY_MS;
    this.#drillChoice = isDrillDue ? new DrillChoice(() => run.ports.random.fraction()) : undefined;
  }

  /**
   * Reads the ledgers. Throws what the store throws.
   * @param files where drills restore their copy; without it no drill is made.
   */
  static async begin(
    run: InventoryRun,
    settings: VerificationSettings,
    files?: TemporaryFiles,
  ): Promise<Verification> {
    const lastReads = new LastReads();
    let lastDrillMs = Number.NEGATIVE_INFINITY;
    const nowMs = run.ports.clock.wallMs();
    const sinceMs = nowMs - Math.max(settings.verifyWithinDays, DRILL_EVERY_DAYS) * DAY_MS;
    for await (const entry of new VerificationLedger(run.ports.store, run.abilities).entries(
      sinceMs,
      nowMs,
      run,
    )) {
      lastReads.add(entry);
      lastDrillMs = entry.drill === true ? Math.max(lastDrillMs, atMs(entry)) : lastDrillMs;
    }
    return new Verification(run, settings, files, { lastReads, lastDrillMs });
  }

  see(line: CatalogueLine): void {
    this.#unread.see(line);
    this.#drillChoice?.see(line);
  }

  /** Reads what is due. Throws what the store throws about the ledger or the system. */
  async read(): Promise<
    { readonly report: VerificationReport } & Pick<ReadCopies, "damage" | "stillInDoubt">
  > {
    const { verifyWithinDays, verifyBytesPerDay } = this.#settings;
    const unread = this.#unread;
    const { damage, stillInDoubt, ...read } = await readCopies(this.#run, unread.plan());
    const { isKept, neededBytesPerDay, missedFromMs } = unread.forecast(
      read.isGoalReached ? verifyBytesPerDay : Math.min(verifyBytesPerDay, read.checkedBytes),
    );
    const report: VerificationReport = {
      limitDays: verifyWithinDays,
      copies: unread.copies,
      coldCopies: unread.cold,
      ...read,
      damaged: damage.length,
      oldestUnreadDays: unread.oldestUnreadDays,
      budgetBytesPerDay: verifyBytesPerDay,
      neededBytesPerDay,
      isLimitKept: isKept,
      ...compact({
        missedFrom: missedFromMs === undefined ? undefined : new Date(missedFromMs).toISOString(),
        drill: await this.#drill(),
      }),
    };
    return { report, damage, stillInDoubt };
  }

  async #drill(): Promise<DrillReport | undefined> {
    const line = this.#drillChoice?.chosen;
    return line === undefined || this.#files === undefined || this.#run.msLeft() <= 0
      ? undefined
      : await drill(this.#run, this.#files, line);
  }
}

function atMs({ at }: LedgerEntry): number {
  return Date.parse(at);
}
