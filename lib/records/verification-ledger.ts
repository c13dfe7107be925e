import * as v from "valibot";
import { EXPORT_TASK_ID } from "../domain/export-task.ts";
import { parseDocumentJson } from "../domain/json.ts";
import { parseVerificationKey, VERIFICATION_FOLDER, verificationKey } from "../domain/key-layout.ts";
import { DAY_MS, startOfDayMs } from "../domain/utc-day.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { ObjectStore, StoreAbilities } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { isoTime } from "./schemas.ts";
import { conditionAfter, linesIn, readTextFile } from "./text-file.ts";

/** Another inventory writes its own entries at the same time: this often both get through, within half a minute. */
const MAX_WRITE_TRIES = 12;
const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 4_000;

/** One copy that was read back, and what came of it (architecture §11). */
const ledgerEntrySchema = v.object({
  at: isoTime,
  exportTaskId: v.pipe(v.string(), v.regex(EXPORT_TASK_ID)),
  revision: v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/)),
  key: v.pipe(v.string(), v.maxLength(1_024)),
  /**
   * `cold`: the object lies in a storage class that has to be restored before it can be read. `changed` and `missing`
   * were seen twice.
   */
  result: v.picklist(["intact", "changed", "missing", "cold"]),
  sizeBytes: v.pipe(v.number(), v.integer(), v.minValue(0)),
  durationMs: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** Every member of the ZIP was inflated and its CRC-32 compared. */
  drill: v.optional(v.literal(true)),
});
export type LedgerEntry = v.InferOutput<typeof ledgerEntrySchema>;

/** Which copies were read back and when: a file for each UTC day, one line for each copy. */
export class VerificationLedger {
  readonly #store: ObjectStore;
  readonly #abilities: Pick<StoreAbilities, "createOnce" | "compareAndSwap">;

  constructor(store: ObjectStore, abilities: Pick<StoreAbilities, "createOnce" | "compareAndSwap">) {
    this.#store = store;
    this.#abilities = abilities;
  }

  /** The days that have a file, newest first, each by its beginning in epoch milliseconds. Throws what the store throws. */
  async days(options: CallOptions): Promise<readonly number[]> {
    const days: number[] = [];
    for await (const { key, oddity } of this.#store.list(VERIFICATION_FOLDER, options)) {
      const dayMs = oddity === undefined ? parseVerificationKey(key) : undefined;
      days.push(...(dayMs === undefined ? [] : [dayMs]));
    }
    return days.sort((a, b) => b - a);
  }

  /** Every entry of the days from `sinceMs` to `untilMs`. What is not an entry is passed over. Throws what the store throws. */
  async *entries(sinceMs: number, untilMs: number, options: CallOptions): AsyncGenerator<LedgerEntry> {
    for (let dayMs = startOfDayMs(sinceMs); dayMs <= untilMs; dayMs += DAY_MS) {
      for (const line of linesIn(await this.#textOf(dayMs, options))) {
        const entry = parseEntry(line);
        if (entry !== undefined) {
          yield entry;
        }
      }
    }
  }

  /** The last entry of a day about the copy at a key; `undefined` where there is none. Throws what the store throws. */
  async lastOf(key: string, dayMs: number, options: CallOptions): Promise<LedgerEntry | undefined> {
    let last: LedgerEntry | undefined;
    const spelling = JSON.stringify(key);
    for (const line of linesIn(await this.#textOf(dayMs, options))) {
      // Every line of 90 days is too much to be parsed.
      const entry = line.includes(spelling) ? parseEntry(line) : undefined;
      last = entry?.key === key ? entry : last;
    }
    return last;
  }

  async #textOf(dayMs: number, options: CallOptions): Promise<string> {
    return (await readTextFile(this.#store, verificationKey(dayMs), options))?.text ?? "";
  }

  /**
   * Adds entries to the file of the day. Throws what the store throws; then some entries may be there, or all.
   * @returns `conflict` when others wrote the file at every try: no entry is there.
   */
  async add(
    entries: readonly LedgerEntry[],
    { clock, random }: { readonly clock: Clock; readonly random: Pick<Random, "fraction"> },
    options: CallOptions,
  ): Promise<"written" | "conflict"> {
    const key = verificationKey(clock.wallMs());
    const added = entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
    for (let tries = 1; ; tries += 1) {
      const found = await readTextFile(this.#store, key, options);
      const condition = conditionAfter(found, this.#abilities);
      const text = `${found?.text ?? ""}${added}`;
      if ((await this.#store.putDocument(key, text, condition, options)) !== "conflict") {
        return "written";
      }
      if (tries === MAX_WRITE_TRIES) {
        return "conflict";
      }
      const backoffMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** tries);
      await clock.sleep(Math.ceil(backoffMs * random.fraction()), options.signal);
    }
  }
}

function parseEntry(line: string): LedgerEntry | undefined {
  const entry = v.safeParse(ledgerEntrySchema, parseDocumentJson(line));
  return entry.success ? entry.output : undefined;
}
