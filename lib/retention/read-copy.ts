import { createHash } from "node:crypto";
import type { CallOptions } from "../ports/platform.ts";
import type { RetentionStore } from "../ports/retention-store.ts";
import { type RetentionRecords, type RevisionLedger, UNREADABLE } from "../records/retention-records.ts";
import type { ArchivedRecord } from "../records/schemas.ts";
import { damagedCopy, NoSuchCopyError } from "./errors.ts";

/** What the bytes of a recorded version turned out to be. */
export interface ReadCopy {
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly isIntact: boolean;
}

/**
 * Reads the recorded version whole and compares it with its record.
 *
 * @param take gets each chunk as it comes, before anything is proved.
 * @throws what the store throws, `store-copy-differs` where there is no such version.
 */
export async function readCopy(
  store: RetentionStore,
  { object }: Pick<ArchivedRecord, "object">,
  options: CallOptions,
  take: (chunk: Uint8Array) => Promise<void> = async () => undefined,
): Promise<ReadCopy> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of store.readVersion(object, options)) {
    hash.update(chunk);
    sizeBytes += chunk.byteLength;
    await take(chunk);
  }
  const sha256 = hash.digest("hex");
  return { sizeBytes, sha256, isIntact: sizeBytes === object.sizeBytes && sha256 === object.sha256 };
}

/**
 * The record of the copy that an operator asks for: of the named revision, or of the one archived last.
 *
 * @throws NoSuchCopyError when there is none, or it has expired.
 */
export async function findCopy(
  records: RetentionRecords,
  asked: { readonly exportTaskId: string; readonly revision?: string | undefined },
  options: CallOptions,
): Promise<ArchivedRecord> {
  const { exportTaskId, revision } = asked;
  const ledgers: RevisionLedger[] = [];
  for (const one of await records.revisionsOf(exportTaskId, options)) {
    if (revision === undefined || one.revision === revision) {
      ledgers.push(await records.read(one, options));
    }
  }
  const what =
    revision === undefined ? `export ${exportTaskId}` : `revision ${revision} of export ${exportTaskId}`;
  const copies = ledgers
    .flatMap(({ archived }) => (archived === undefined || archived === UNREADABLE ? [] : archived.slice(-1)))
    .sort((a, b) => Date.parse(a.archivedAt) - Date.parse(b.archivedAt));
  const newest = copies.at(-1);
  if (newest !== undefined) {
    return newest;
  }
  throw ledgers.some(({ archived }) => archived === UNREADABLE)
    ? new NoSuchCopyError(
        `the archived record of ${what} cannot be read`,
        "Look at the files in its folder under records/.",
      )
    : new NoSuchCopyError(
        `no archived record names ${what}`,
        "Check the id; iotda-archiver retention plan lists what is archived.",
      );
}

/**
 * Gives the bytes of a recorded copy to `take` and proves them.
 *
 * @throws ArchiverError `copy-damaged` when they are not what the record says: what `take` got is worthless.
 */
export async function readProvedCopy(
  store: RetentionStore,
  record: ArchivedRecord,
  options: CallOptions,
  take: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  const { isIntact } = await readCopy(store, record, options, take);
  if (!isIntact) {
    throw damagedCopy(record.object.key);
  }
}
