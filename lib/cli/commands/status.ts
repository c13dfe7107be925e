import { freshList } from "../../archive/run.ts";
import { PLACES_LIMIT } from "../../archive/settings.ts";
import { systemClock } from "../../config/system.ts";
import { describeFailure, type Failure } from "../../domain/errors.ts";
import { type ExportTask, oldestFirst } from "../../domain/export-task.ts";
import { PACING_STATE_KEY } from "../../domain/key-layout.ts";
import { parsePacingState } from "../../pacing/state.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { QueueDepth } from "../../ports/task-queue.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import { type CommonOptions, withSession } from "../session.ts";
import { statusLines } from "../summaries.ts";

/** What `status` shows. */
export interface StatusReport {
  readonly platform: {
    readonly held: number;
    readonly limit: number;
    readonly byStatus: Readonly<Record<string, number>>;
    readonly oldest?: { readonly exportTaskId: string; readonly createTime: string };
  };
  readonly queue: QueueDepth;
  /** When the next download may start; missing before the first run. */
  readonly nextSlotAt?: string;
  /** Why the store cannot be used; the rest is shown all the same. */
  readonly failure?: Failure;
}

/**
 * `status`: places held on the platform, what is queued, and when the next download may start. It tries the
 * store as a run would, so that a new installation can be checked with it.
 */
export async function statusCommand(options: CommonOptions, output: Output): Promise<ExitCode> {
  const status = await withSession(options, async ({ archiver, signal }): Promise<StatusReport> => {
    const { ports, settings } = archiver;
    const [list, queue, store] = await Promise.all([
      freshList(ports, settings, signal),
      ports.queue.depth({ signal }),
      storeState(ports.store, signal),
    ]);
    return {
      platform: { held: list.tasks.length, limit: PLACES_LIMIT, ...placesOf(list.tasks) },
      queue,
      ...store,
    };
  });
  output.show(status, statusLines(status, systemClock.wallMs()));
  return status.failure === undefined ? EXIT.done : EXIT.failed;
}

async function storeState(
  store: ObjectStore,
  signal: AbortSignal,
): Promise<Pick<StatusReport, "nextSlotAt" | "failure">> {
  try {
    await store.preflight({ signal });
    const pacing = await store.getDocument(PACING_STATE_KEY, { signal });
    const state = pacing && parsePacingState(pacing.text, Number.POSITIVE_INFINITY);
    return state === undefined ? {} : { nextSlotAt: new Date(state.nextAt).toISOString() };
  } catch (error) {
    signal.throwIfAborted();
    return { failure: describeFailure(error) };
  }
}

function placesOf(tasks: readonly ExportTask[]): Pick<StatusReport["platform"], "byStatus" | "oldest"> {
  const byStatus: Record<string, number> = {};
  for (const { status } of tasks) {
    byStatus[status] = (byStatus[status] ?? 0) + 1;
  }
  const [oldest] = oldestFirst(tasks);
  return oldest?.createTime === undefined
    ? { byStatus }
    : { byStatus, oldest: { exportTaskId: oldest.exportTaskId, createTime: oldest.createTime } };
}
