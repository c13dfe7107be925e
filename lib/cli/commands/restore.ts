import path from "node:path";
import { RetentionRecords } from "../../records/retention-records.ts";
import { findCopy, readProvedCopy } from "../../retention/read-copy.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { formatBytes } from "../format.ts";
import { requireFree, requireOutside, writeNewFile } from "../new-file.ts";
import type { Output } from "../output.ts";
import { withArchive } from "../retention-session.ts";
import type { CommonOptions } from "../session.ts";

export interface RestoreOptions extends CommonOptions {
  readonly to: string;
  readonly revision?: string;
}

/**
 * `restore`: gives an archived export back as a file, which appears only when every byte is proved by the record.
 * Nothing is ever written over, and nothing into the store.
 */
export async function restoreCommand(
  exportTaskId: string,
  options: RestoreOptions,
  output: Output,
): Promise<ExitCode> {
  const file = path.resolve(options.to);
  await requireFree(file);
  const { record } = await withArchive(options, async ({ store, storeFolder, scope, signal }) => {
    if (storeFolder !== undefined) {
      await requireOutside(file, storeFolder);
    }
    // Nothing is written to the store, so nothing has to be known of what it can do.
    const records = new RetentionRecords(store, scope, { createOnce: false });
    const asked = { exportTaskId, revision: options.revision };
    const found = await findCopy(records, asked, { signal });
    await writeNewFile(file, (write) => readProvedCopy(store, found, { signal }, write));
    return found;
  });
  const { revision, object } = record;
  const { sizeBytes, sha256 } = object;
  output.show({ exportTaskId, revision, file, sizeBytes, sha256 }, [
    `Restored revision ${revision} of ${exportTaskId} to ${file}: ${formatBytes(sizeBytes)}, SHA-256 ${sha256}`,
  ]);
  return EXIT.done;
}
