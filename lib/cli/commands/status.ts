import { ArchivedExports } from "../../archive/archived-exports.ts";
import { nextToGo, oldestInDanger } from "../../archive/next-to-go.ts";
import { oddItemsOf, placesHeld } from "../../archive/run.ts";
import { PLACES_LIMIT } from "../../archive/settings.ts";
import { systemClock } from "../../config/system.ts";
import { describeFailure, type Failure } from "../../domain/errors.ts";
import { type ExportTask, oldestFirst } from "../../domain/export-task.ts";
import { PACING_STATE_KEY } from "../../domain/key-layout.ts";
import { type LeftAloneReport, leftAloneReport } from "../../domain/left-alone.ts";
import { parsePacingState } from "../../pacing/state.ts";
import type { QueueDepth } from "../../ports/task-queue.ts";
import { Records } from "../../records/records.ts";
import type { NextToGo } from "../../records/run-report.ts";
import { lookAtRequests, type OpenRequests } from "../../requests/open-requests.ts";
import { lookAtPlatform, type PlatformView } from "../../requests/platform-view.ts";
import type { GivenRequestsRun } from "../../requests/requests-run.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import { type CommonOptions, withSession } from "../session.ts";
import { statusLines } from "../summaries.ts";

const REQUESTS_SHOWN = 100;

/** What `status` shows. */
export interface StatusReport {
  readonly platform: {
    readonly held: number;
    readonly limit: number;
    /** How many of them are archived; missing where the store cannot tell. */
    readonly archived?: number;
    /** Only while few export slots are free. */
    readonly nextToGo?: NextToGo;
    readonly byStatus: Readonly<Record<string, number>>;
    readonly oldest?: { readonly exportTaskId: string; readonly createTime: string };
  };
  readonly queue: QueueDepth;
  /** Whether runs with these settings delete what they archived. */
  readonly deletion: "after-verify" | "never";
  /** What the platform's list shows that cannot be understood. */
  readonly leftAlone?: LeftAloneReport;
  /** When the next download may start; missing before the first run. */
  readonly nextSlotAt?: string;
  /** Export requests that are open, and why; missing while none is. */
  readonly requests?: OpenRequests;
  /** Why the store cannot be used; the rest is shown all the same. */
  readonly failure?: Failure;
}

/**
 * `status`: export slots used on the platform, what is queued, and when the next download may start. It tries the
 * store as a run would, so that a new installation can be checked with it.
 */
export async function statusCommand(options: CommonOptions, output: Output): Promise<ExitCode> {
  const status = await withSession(options, "use", async ({ archiver, signal }): Promise<StatusReport> => {
    const { ports, settings } = archiver;
    const [view, queue] = await Promise.all([
      lookAtPlatform(ports, settings, signal),
      ports.queue.depth({ signal }),
    ]);
    const leftAlone = leftAloneReport(oddItemsOf(view));
    const { archived, nextToGo: next, ...rest } = await storeState({ ports, settings, signal }, view);
    return {
      platform: {
        held: placesHeld(view),
        limit: PLACES_LIMIT,
        ...(archived === undefined ? {} : { archived }),
        ...(next === undefined ? {} : { nextToGo: next }),
        ...placesOf(view.tasks),
      },
      queue,
      deletion: settings.deletion,
      ...(leftAlone === undefined ? {} : { leftAlone }),
      ...rest,
    };
  });
  output.show(status, statusLines(status, systemClock.wallMs()));
  return status.failure === undefined ? EXIT.done : EXIT.failed;
}

async function storeState(
  run: GivenRequestsRun,
  view: PlatformView,
): Promise<
  Pick<StatusReport, "nextSlotAt" | "requests" | "failure"> &
    Pick<StatusReport["platform"], "archived" | "nextToGo">
> {
  const { signal, ports, settings } = run;
  try {
    await ports.store.preflight({ signal });
    const pacing = await ports.store.getDocument(PACING_STATE_KEY, { signal });
    const state = pacing && parsePacingState(pacing, Number.POSITIVE_INFINITY);
    const requests = await lookAtRequests(run, view, REQUESTS_SHOWN);
    // Nothing is recorded here, so it does not matter whether the store can create once.
    const archivedExports = new ArchivedExports(
      new Records(ports.store, settings.scope, { createOnce: false }),
    );
    const finished = view.tasks.filter(({ status }) => status === "Success");
    const archived = await archivedExports.countAmong(finished, { signal });
    const next = await nextToGo(view, archivedExports, { signal });
    return {
      archived,
      ...(next === undefined ? {} : { nextToGo: next }),
      ...(state === undefined ? {} : { nextSlotAt: new Date(state.nextAt).toISOString() }),
      ...(requests.open === 0 ? {} : { requests }),
    };
  } catch (error) {
    signal.throwIfAborted();
    const inDanger = oldestInDanger(view);
    const next = inDanger && { nextToGo: { exportTaskId: inDanger.exportTaskId } };
    return { failure: describeFailure(error), ...next };
  }
}

function placesOf(tasks: readonly ExportTask[]): Pick<StatusReport["platform"], "byStatus" | "oldest"> {
  const counts = new Map<string, number>();
  for (const { status } of tasks) {
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  const byStatus = Object.fromEntries(counts);
  const [oldest] = oldestFirst(tasks);
  return oldest?.createTime === undefined
    ? { byStatus }
    : { byStatus, oldest: { exportTaskId: oldest.exportTaskId, createTime: oldest.createTime } };
}
