import { ArchiverError } from "../domain/errors.ts";
import { digestOf, isSameContent } from "../integrity/digest.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { RetentionStore } from "../ports/retention-store.ts";
import {
  type RetentionRecords,
  type RevisionLedger,
  standingRecord,
  UNREADABLE,
} from "../records/retention-records.ts";
import type { ArchivedRecord, ExpiredRecord } from "../records/schemas.ts";
import { damagedCopy, NoSuchCopyError } from "./errors.ts";

/** A copy that an operator asked for. */
export interface FoundCopy {
  readonly record: ArchivedRecord;
  /**
   * What is to be said when the object is not there, where retention meant to remove it. It may be there all
   * the same: `expired.json` is written before the removal, and a hold or a lock may have come between.
   */
  readonly whyGone: NoSuchCopyError | undefined;
}

/**
 * The record of the copy that an operator asks for: of the named revision, or of the one archived last.
 *
 * @throws NoSuchCopyError when there is none.
 */
export async function findCopy(
  records: RetentionRecords,
  asked: { readonly exportTaskId: string; readonly revision?: string | undefined },
  options: CallOptions,
): Promise<FoundCopy> {
  const { exportTaskId, revision } = asked;
  const known = await records.revisionsOf(exportTaskId, options);
  const ledgers: RevisionLedger[] = [];
  for (const one of known) {
    if (revision === undefined || one.revision === revision) {
      ledgers.push(await records.read(one, options));
    }
  }
  const id = JSON.stringify(exportTaskId);
  const what = revision === undefined ? `export ${id}` : `revision ${revision} of export ${id}`;
  const copies = ledgers
    .flatMap((ledger): RecordedCopy[] => {
      const record = standingRecord(ledger);
      const expired = ledger.expired === UNREADABLE ? undefined : ledger.expired;
      return record === undefined ? [] : [{ record, expired }];
    })
    .sort((a, b) => Date.parse(a.record.archivedAt) - Date.parse(b.record.archivedAt));
  const newest = copies.at(-1);
  if (newest !== undefined) {
    const { record, expired } = newest;
    const standing = copies.findLast((copy) => copy.expired === undefined)?.record;
    return { record, whyGone: expired && expiredCopy(what, expired, standing) };
  }
  throw ledgers.some(({ archived }) => archived === UNREADABLE)
    ? new NoSuchCopyError(
        `the program cannot read the archived record of ${what}`,
        `Check the files below ${records.root}${exportTaskId}/ in the store.`,
      )
    : new NoSuchCopyError(
        `no archived record names ${what}`,
        known.length > 0 && ledgers.length === 0
          ? `Its revisions: ${known.map((one) => one.revision).join(", ")}. Without --revision, restore takes the one archived last.`
          : `Check the id: every archived export has a folder below ${records.root} in the store.`,
      );
}

/** The copy that stands of one revision, and what ended it. */
interface RecordedCopy {
  readonly record: ArchivedRecord;
  readonly expired: ExpiredRecord | undefined;
}

/** Removed as the policy says: nothing to look for, and no other copy is given in its place unasked. */
function expiredCopy(
  what: string,
  { rule, keepUntil, expiredAt }: ExpiredRecord,
  standing: ArchivedRecord | undefined,
): NoSuchCopyError {
  return new NoSuchCopyError(
    `the retention policy removed ${what} on ${expiredAt.slice(0, 10)} (rule ${JSON.stringify(rule)}, kept until ${keepUntil.slice(0, 10)})`,
    standing === undefined
      ? "This archive cannot restore it."
      : `This archive cannot restore it, but it can restore an older revision, with --revision ${standing.revision}.`,
  );
}

/**
 * Gives the bytes of a recorded copy to `take` and proves them.
 *
 * @throws ArchiverError `copy-damaged` when they are not what the record says: what `take` got is worthless.
 * @throws NoSuchCopyError when retention has removed the object.
 */
export async function readProvedCopy(
  store: RetentionStore,
  { record, whyGone }: FoundCopy,
  options: CallOptions,
  take: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  const found = await digestOf(store.readVersion(record.object, options), take).catch((error: unknown) => {
    const isGone = error instanceof ArchiverError && error.code === "store-copy-differs";
    throw isGone && whyGone !== undefined ? whyGone : error;
  });
  if (!isSameContent(found, record.object)) {
    throw damagedCopy(record.object.key);
  }
}
