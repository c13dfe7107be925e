import path from "node:path";
import type { FoundExport } from "../catalogue/found-export.ts";
import { findExports, type ReadingPorts } from "../catalogue/reading.ts";
import { systemClock } from "../config/system.ts";
import { ArchiverError } from "../domain/errors.ts";
import type { PlatformScope } from "../domain/export-task.ts";
import { formatBytes } from "../domain/format-bytes.ts";
import { RetentionRecords } from "../records/retention-records.ts";
import { NoSuchCopyError } from "../retention/errors.ts";
import { findCopy, readProvedCopy } from "../retention/read-copy.ts";
import { noteLines } from "./finding-lines.ts";
import { showingInventory } from "./inventory.ts";
import { operatorLines, type Result } from "./output.ts";
import { EXIT } from "./process.ts";
import { requireOutside, targetOf, type Write, writeNewFile, writeToStdout } from "./restore-target.ts";
import { type CommonOptions, withArchive } from "./session.ts";

export interface RestoreOptions extends CommonOptions {
  readonly to: string;
  readonly revision?: string;
  /** Without the id of an export task. */
  readonly batchTask?: string;
  readonly latest?: true;
  readonly json?: true;
}

/** More exports of one batch task than this are not compared. */
const MAX_OF_BATCH_TASK = 10_000;

/**
 * `restore`: gives an archived export back as a file, which appears only when every byte is proved by the record.
 * It writes over no file, and nothing into the store.
 */
export async function restoreCommand(id: string | undefined, options: RestoreOptions): Promise<Result> {
  const target = await targetOf(options.to);
  const { record, file } = await withArchive(options, async ({ store, storeFolder, scope, signal }) => {
    if (storeFolder !== undefined && target.kind !== "stdout") {
      await requireOutside(target.kind === "file" ? target.file : path.join(target.folder, "x"), storeFolder);
    }
    const asked =
      id === undefined
        ? await showingInventory((observe) =>
            exportOf({ store, clock: systemClock, observe }, scope, options, signal),
          )
        : { exportTaskId: id, revision: options.revision };
    // Nothing is written to the store, so nothing has to be known of what it can do.
    const records = new RetentionRecords(store, scope, { createOnce: false });
    const found = await findCopy(records, asked, { signal });
    const { exportTaskId, revision } = found.record;
    const proved = (write: Write) => readProvedCopy(store, found, { signal }, write);
    if (target.kind === "stdout") {
      await writeToStdout(proved);
      return { record: found.record, file: undefined };
    }
    const place =
      target.kind === "file" ? target.file : path.join(target.folder, `${exportTaskId}-${revision}.zip`);
    await writeNewFile(place, proved);
    return { record: found.record, file: place };
  });
  const { exportTaskId, revision, object } = record;
  const { sizeBytes, sha256 } = object;
  const line = `Restored revision ${revision} of ${exportTaskId} to ${file ?? "stdout"}: ${formatBytes(sizeBytes)}, SHA-256 ${sha256}`;
  if (file === undefined) {
    (await operatorLines())(line);
  }
  return {
    document: { exportTaskId, revision, file, sizeBytes, sha256 },
    lines: file === undefined ? [] : [line],
    exitCode: EXIT.done,
  };
}

/** The export of a batch task: its only one, or the latest one when that is asked for. */
async function exportOf(
  ports: ReadingPorts,
  scope: PlatformScope,
  { batchTask: batchTaskId = "", latest }: RestoreOptions,
  signal: AbortSignal,
): Promise<FoundExport> {
  const found = await findExports(ports, scope, { batchTaskId }, { signal, limit: MAX_OF_BATCH_TASK });
  const copies = found.exports.filter(({ state }) => state !== "expired");
  const newest = newestOf(copies);
  if (newest === undefined) {
    const problem =
      found.exports.length === 0
        ? `no archived export of batch task ${batchTaskId} was found`
        : `every archived export of batch task ${batchTaskId} was removed by the retention policy`;
    throw new NoSuchCopyError(
      problem,
      `iotda-archiver find ${batchTaskId} looks for the id elsewhere; iotda-archiver request ${batchTaskId} asks for a new export.`,
    );
  }
  if (copies.length > 1 && latest !== true) {
    throw new ArchiverError(
      "several-copies",
      `batch task ${batchTaskId} has ${copies.length} archived exports`,
      {
        scope: "task",
        retry: "never",
        hint: `--latest restores the newest; iotda-archiver list --batch-task ${batchTaskId} shows them all.`,
      },
    );
  }
  const later = newestOf(found.exports);
  for (const note of [
    ...(later !== newest && later !== undefined
      ? [`A later export, ${later.exportTaskId}, was removed by the retention policy.`]
      : []),
    ...noteLines(found, systemClock.wallMs()).map((note) => (typeof note === "string" ? note : note.text)),
  ]) {
    (await operatorLines())(note);
  }
  return newest;
}

/** The export that the platform finished last. */
function newestOf(exports: readonly FoundExport[]): FoundExport | undefined {
  const madeMs = ({ endTime, createTime, archivedAt }: FoundExport) =>
    Date.parse(endTime ?? createTime ?? archivedAt);
  return [...exports].sort((a, b) => madeMs(a) - madeMs(b)).at(-1);
}
