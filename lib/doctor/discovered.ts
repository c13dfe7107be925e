import { readEnqueued } from "../discovery/discovered-state.ts";
import { type ExportTask, type PlatformScope, parsePlatformTime } from "../domain/export-task.ts";
import { taskRecordsFolder } from "../domain/key-layout.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { StorePort } from "./ports.ts";

/** A timer that runs daily is late after this. */
export const LATE_MS = 26 * 3_600_000;

/** The traces of `discover`, which leaves one only where it enqueues something. */
export interface Discovered {
  /** When it last enqueued an export, epoch milliseconds; `undefined` where it has not, or that is not told. */
  readonly lastMs: number | undefined;
  /** A finished export that is listed for longer than a night, and that no part of the program has ever touched. */
  readonly missed: { readonly exportTaskId: string; readonly madeAtMs: number } | undefined;
}

/**
 * Looks for the traces of `discover`.
 *
 * @param tasks as the platform lists them.
 * @throws what the store throws.
 */
export async function lookForDiscover(
  store: Pick<StorePort, "getDocument" | "list">,
  scope: PlatformScope,
  tasks: readonly ExportTask[],
  options: CallOptions & { readonly nowMs: number },
): Promise<Discovered> {
  const times = [...(await readEnqueued(store, options)).values()].map(({ atMs }) => atMs);
  const lastMs = times.length === 0 ? undefined : Math.max(...times);
  for (const { exportTaskId, status, createTime } of tasks) {
    const madeAtMs = status === "Success" ? parsePlatformTime(createTime) : undefined;
    const isMissed = madeAtMs !== undefined && madeAtMs > (lastMs ?? 0) && options.nowMs - madeAtMs > LATE_MS;
    if (isMissed && !(await hasRecords(store, taskRecordsFolder(scope, exportTaskId), options))) {
      return { lastMs, missed: { exportTaskId, madeAtMs } };
    }
  }
  return { lastMs, missed: undefined };
}

async function hasRecords(
  store: Pick<StorePort, "list">,
  folder: string,
  options: CallOptions,
): Promise<boolean> {
  for await (const _record of store.list(folder, options)) {
    return true;
  }
  return false;
}
