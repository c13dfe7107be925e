import { freshList } from "../../archive/run.ts";
import { PLACES_LIMIT } from "../../archive/settings.ts";
import { systemClock } from "../../config/system.ts";
import { type ExportTask, oldestFirst } from "../../domain/export-task.ts";
import { PACING_STATE_KEY } from "../../domain/key-layout.ts";
import { parsePacingState } from "../../pacing/state.ts";
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
}

/** `status`: places held on the platform, what is queued, and when the next download may start. */
export async function statusCommand(options: CommonOptions, output: Output): Promise<ExitCode> {
  const status = await withSession(options, async ({ archiver, signal }): Promise<StatusReport> => {
    const { ports, settings } = archiver;
    const [list, queue, pacing] = await Promise.all([
      freshList(ports, settings, signal),
      ports.queue.depth({ signal }),
      ports.store.getDocument(PACING_STATE_KEY, { signal }),
    ]);
    const state = pacing && parsePacingState(pacing.text, Number.POSITIVE_INFINITY);
    return {
      platform: { held: list.tasks.length, limit: PLACES_LIMIT, ...placesOf(list.tasks) },
      queue,
      ...(state === undefined ? {} : { nextSlotAt: new Date(state.nextAt).toISOString() }),
    };
  });
  output.show(status, statusLines(status, systemClock.wallMs()));
  return EXIT.done;
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
