import { compareTexts } from "../domain/compare-texts.ts";
import { NameNumbers, NameSet } from "../domain/name-set.ts";
import { DAY_MS } from "../domain/utc-day.ts";
import type { CatalogueLine } from "../records/catalogue-line.ts";
import type { LedgerEntry } from "../records/verification-ledger.ts";

/** How copies are read again. */
export interface VerificationSettings {
  /** Every copy is read again within this many days; 0 switches the reading off. */
  readonly verifyWithinDays: number;
  /** The most that one day may read. */
  readonly verifyBytesPerDay: number;
}

/** A night reads up to this many copies; the rest is read in the nights after it. */
const MAX_COPIES_OF_A_NIGHT = 10_000;
/** This many more are collected before those unread longest are chosen among them. */
const MORE_TO_CHOOSE_FROM = 2_000;
/** Copies are read this much before their limit, so that a night that fails breaks no promise. */
const PLANNED_SHARE_OF_LIMIT = 0.9;

/** A copy that is to be read, as far as its line tells of it: lines are too large to be kept by the thousand. */
export interface CopyToRead extends Pick<CatalogueLine, "exportTaskId" | "revision" | "key" | "sizeBytes"> {
  /** Epoch milliseconds; {@link DAMAGED} for one that was damaged then. */
  readonly lastReadMs: number;
}

/** Comes before all times. */
const DAMAGED = 0;

/** Whether the copy was damaged when it was read last. */
export function wasDamaged({ lastReadMs }: Pick<CopyToRead, "lastReadMs">): boolean {
  return lastReadMs === DAMAGED;
}

/** What is to be read, and whether the limit can be kept. */
export interface ReadingPlan {
  /** Those unread longest first. */
  readonly copies: readonly CopyToRead[];
  /** What this day should read, so that every copy is read in time at an even pace. */
  readonly goalBytes: number;
}

/** Whether every copy is read within the limit when each day reads up to this many bytes. */
export interface LimitForecast {
  readonly isKept: boolean;
  /** The least that each day has to read. */
  readonly neededBytesPerDay: number;
  /** When the first copy will have been unread for longer than the limit; only when it is not kept. */
  readonly missedFromMs?: number;
}

/**
 * Looks at every line of the catalogue once and keeps what the reading needs: the copies unread longest, and how many
 * bytes are due by which day. The memory does not grow with the archive.
 */
export class UnreadCopies {
  readonly #settings: VerificationSettings;
  readonly #nowMs: number;
  readonly #lastReads: LastReads;
  /** By the days left until the limit; 0 stands for what is overdue too. */
  readonly #dueBytes: number[];
  #oldest: CopyToRead[] = [];
  /** A copy that was read later than this is not among those unread longest. */
  #latestMs = Number.POSITIVE_INFINITY;
  #oldestUnreadMs = 0;
  /** Of copies that were damaged when they were read last: each day reads them again, and says it again. */
  #harmedBytes = 0;
  copies = 0;
  cold = 0;

  constructor(settings: VerificationSettings, lastReads: LastReads, nowMs: number) {
    this.#settings = settings;
    this.#nowMs = nowMs;
    this.#lastReads = lastReads;
    this.#dueBytes = Array.from({ length: settings.verifyWithinDays + 1 }, () => 0);
  }

  see(line: CatalogueLine): void {
    if (line.expiredAt !== undefined) {
      return;
    }
    this.copies += 1;
    if (this.#lastReads.isCold(line.key)) {
      this.cold += 1;
      return;
    }
    if (this.#lastReads.isHarmed(line.key)) {
      this.#harmedBytes += line.sizeBytes;
      this.#keep(line, DAMAGED);
      return;
    }
    const lastReadMs = Math.max(Date.parse(line.archivedAt), this.#lastReads.ofKeyMs(line.key) ?? 0);
    const ageMs = Math.max(0, this.#nowMs - lastReadMs);
    this.#oldestUnreadMs = Math.max(this.#oldestUnreadMs, ageMs);
    const limitMs = this.#settings.verifyWithinDays * DAY_MS;
    const daysLeft = Math.max(0, Math.floor((limitMs - ageMs) / DAY_MS));
    this.#dueBytes[daysLeft] = (this.#dueBytes[daysLeft] ?? 0) + line.sizeBytes;
    this.#keep(line, lastReadMs);
  }

  #keep({ exportTaskId, revision, key, sizeBytes }: CatalogueLine, lastReadMs: number): void {
    if (lastReadMs > this.#latestMs) {
      return;
    }
    this.#oldest.push({ exportTaskId, revision, key, sizeBytes, lastReadMs });
    if (this.#oldest.length > MAX_COPIES_OF_A_NIGHT + MORE_TO_CHOOSE_FROM) {
      this.#keepOldest();
    }
  }

  /** For how many whole days the copy that was unread longest has not been read. */
  get oldestUnreadDays(): number {
    return Math.floor(this.#oldestUnreadMs / DAY_MS);
  }

  plan(): ReadingPlan {
    this.#keepOldest();
    const plannedDays = Math.floor(this.#settings.verifyWithinDays * PLANNED_SHARE_OF_LIMIT);
    const goalBytes = neededBytesPerDay(this.#dueBytes, this.#settings.verifyWithinDays - plannedDays);
    return {
      copies: this.#oldest,
      goalBytes: this.#harmedBytes + Math.min(goalBytes, this.#settings.verifyBytesPerDay),
    };
  }

  /** @param bytesPerDay what each day can read: the setting, or less where the time does not suffice. */
  forecast(bytesPerDay: number): LimitForecast {
    const needed = neededBytesPerDay(this.#dueBytes, 0);
    let dueBytes = 0;
    for (const [daysLeft, bytes] of this.#dueBytes.entries()) {
      dueBytes += bytes;
      if (dueBytes > bytesPerDay * (daysLeft + 1)) {
        const missedFromMs = this.#nowMs + (daysLeft + 1) * DAY_MS;
        return { isKept: false, neededBytesPerDay: needed, missedFromMs };
      }
    }
    return { isKept: true, neededBytesPerDay: needed };
  }

  #keepOldest(): void {
    this.#oldest.sort((a, b) => a.lastReadMs - b.lastReadMs || compareTexts(a.key, b.key));
    this.#oldest.length = Math.min(this.#oldest.length, MAX_COPIES_OF_A_NIGHT);
    if (this.#oldest.length === MAX_COPIES_OF_A_NIGHT) {
      this.#latestMs = this.#oldest.at(-1)?.lastReadMs ?? this.#latestMs;
    }
  }
}

/**
 * The least even pace at which everything is read by its day.
 * @param marginDays how much earlier than at its limit each copy is read.
 */
function neededBytesPerDay(dueBytes: readonly number[], marginDays: number): number {
  let dueSoFar = 0;
  let needed = 0;
  for (const [daysLeft, bytes] of dueBytes.entries()) {
    dueSoFar += bytes;
    needed = Math.max(needed, dueSoFar / (Math.max(0, daysLeft - marginDays) + 1));
  }
  return Math.ceil(needed);
}

/** When each copy was last read, from the ledgers. Keeps ten bytes of each entry. */
export class LastReads {
  /** The day of the last reading, counted from 1970. */
  readonly #days = new NameNumbers();
  readonly #cold = new NameSet();
  /** The copies that were damaged when they were read last. */
  readonly #harmed = new Set<string>();

  /** Takes the entries in the order of their days. */
  add({ at, key, result }: LedgerEntry): void {
    if (result === "changed" || result === "missing") {
      this.#harmed.add(key);
    } else {
      this.#harmed.delete(key);
    }
    if (result === "cold") {
      this.#cold.add(key);
    } else {
      const day = Math.floor(Date.parse(at) / DAY_MS);
      this.#days.set(key, Math.max(day, this.#days.get(key) ?? 0));
    }
  }

  /** The beginning of the day of the last reading, epoch milliseconds. */
  ofKeyMs(key: string): number | undefined {
    const day = this.#days.get(key);
    return day === undefined ? undefined : day * DAY_MS;
  }

  isHarmed(key: string): boolean {
    return this.#harmed.has(key);
  }

  /** Whether the copy was found in a storage class that cannot be read, and never read within the limit. */
  isCold(key: string): boolean {
    return this.#cold.has(key) && this.#days.get(key) === undefined;
  }
}
