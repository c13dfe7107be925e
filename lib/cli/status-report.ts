import type { ArchiveSettings } from "../archive/settings.ts";
import type { Archiver } from "../config/wiring.ts";
import type { Failure } from "../domain/errors.ts";
import { type ExportTask, oldestFirst } from "../domain/export-task.ts";
import { PACING_STATE_KEY } from "../domain/key-layout.ts";
import { type LeftAloneReport, leftAloneReport } from "../domain/left-alone.ts";
import { parsePacingState } from "../pacing/state.ts";
import type { QueueDepth } from "../ports/task-queue.ts";
import { Records } from "../records/records.ts";
import type { NextToGo } from "../records/run-report.ts";
import { lookAtRequests, type OpenRequests } from "../requests/open-requests.ts";
import { ArchivedExports } from "../run/archived-exports.ts";
import { nextToGo, oldestInDanger } from "../run/next-to-go.ts";
import { type FreshList, freshList, oddItemsOf, PLACES_LIMIT, placesHeld } from "../run/platform-list.ts";
import { Asked, isSameFailure } from "./asked.ts";
import { messageLines } from "./failure-lines.ts";
import { formatDue } from "./format.ts";
import type { Line } from "./output.ts";
import { openRequestLines } from "./request-lines.ts";
import { leftAloneLines, slotsLines } from "./summaries.ts";
import { deletionInWords } from "./words.ts";

const REQUESTS_SHOWN = 100;

/** What `status` shows. What could not be found out is `null`, never 0 and never left out. */
export interface StatusReport {
  readonly platform: PlatformStatus | null;
  readonly queue: QueueDepth | null;
  /** Whether runs with these settings delete what they archived. */
  readonly deletion: ArchiveSettings["deletion"];
  /** What the platform's list shows that cannot be understood. */
  readonly leftAlone?: LeftAloneReport;
  /** When the next download may start; missing before the first run. */
  readonly nextSlotAt?: string | null;
  /** Export requests that are open, and why; missing while none is. */
  readonly requests?: OpenRequests | null;
  /** Why a place could not be asked, or the store not be used. */
  readonly failures?: PlaceFailures;
  /** The first of these. */
  readonly failure?: Failure;
}

interface PlatformStatus {
  readonly held: number;
  readonly limit: number;
  /** How many of the finished ones are archived. */
  readonly archived: number | null;
  /** Only while few export slots are free. */
  readonly nextToGo?: NextToGo;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly oldest?: { readonly exportTaskId: string; readonly createTime: string };
}

/** By the place that is to be looked at. */
interface PlaceFailures {
  readonly platform?: Failure;
  readonly store?: Failure;
  readonly queue?: Failure;
}

type Given = Pick<Archiver, "ports" | "settings" | "depthAlone"> & { readonly signal: AbortSignal };

/** What the store told; `null` for what it did not. */
interface StoreFacts {
  readonly nextSlotAt: string | undefined | null;
  readonly requests: OpenRequests | null;
  readonly archived: number | null;
  readonly nextToGo: NextToGo | undefined | null;
  readonly failure: Failure | undefined;
}

/**
 * Asks platform, store and queue, each whatever becomes of the others. The store is tried as a run would, so that a
 * new installation can be checked with it.
 *
 * @throws only the signal's reason.
 */
export async function lookAtStatus(given: Given): Promise<StatusReport> {
  const { ports, settings, signal } = given;
  const platform = new Asked(signal);
  const writing = new Asked(signal);
  const queue = new Asked(signal);
  const [view, depth] = await Promise.all([
    platform.ask(() => freshList(ports, settings, signal)),
    queue.ask(() => ports.queue.depth({ signal })),
    writing.ask(() => ports.store.preflight({ signal })),
  ]);
  const facts = await lookAtStore(given, view, writing.failure);
  const isQueueBehindStore = depth === null && isSameFailure(queue.failure, facts.failure);
  const alone = isQueueBehindStore ? await lookAtQueueAlone(given) : undefined;
  const failures = {
    ...failureOf("platform", platform.failure),
    ...failureOf("store", facts.failure),
    ...failureOf("queue", isQueueBehindStore ? alone?.failure : queue.failure),
  };
  const failure = failures.platform ?? failures.store ?? failures.queue;
  const { nextSlotAt, requests } = facts;
  const leftAlone = view === null ? undefined : leftAloneReport(oddItemsOf(view));
  return {
    platform: view === null ? null : platformStatus(view, facts),
    queue: depth ?? alone?.depth ?? null,
    deletion: settings.deletion,
    ...(leftAlone === undefined ? {} : { leftAlone }),
    ...(nextSlotAt === undefined ? {} : { nextSlotAt }),
    ...(requests?.open === 0 ? {} : { requests }),
    ...(failure === undefined ? {} : { failures, failure }),
  };
}

function failureOf(place: keyof PlaceFailures, failure: Failure | undefined): PlaceFailures {
  return failure === undefined ? {} : { [place]: failure };
}

/** The queue is asked only once its archive is open. What lies in it can be told without, too. */
async function lookAtQueueAlone({ depthAlone, signal }: Given) {
  const queue = new Asked(signal);
  const depth = await queue.ask(() => depthAlone({ signal }));
  return { depth, failure: queue.failure };
}

/** A store that cannot be written to may still be read; one that cannot be read is not asked any further. */
async function lookAtStore(
  { ports, settings, signal }: Given,
  view: FreshList | null,
  unusable: Failure | undefined,
): Promise<StoreFacts> {
  const store = new Asked(signal);
  const nextSlotAt = await store.ask(async () => {
    const pacing = await ports.store.getDocument(PACING_STATE_KEY, { signal });
    const state = pacing && parsePacingState(pacing, Number.POSITIVE_INFINITY);
    return state && new Date(state.nextAt).toISOString();
  });
  const requests = await store.ask(() =>
    lookAtRequests({ ports, settings, signal }, view ?? undefined, REQUESTS_SHOWN),
  );
  // Nothing is recorded here, so it does not matter whether the store can create once.
  const records = new Records(ports.store, settings.scope, { createOnce: false });
  const archivedExports = new ArchivedExports(records);
  const finished = view?.tasks.filter(({ status }) => status === "Success") ?? [];
  const archived = view && (await store.ask(() => archivedExports.countAmong(finished, { signal })));
  const next = view && (await store.ask(() => nextToGo(view, archivedExports, { signal })));
  return { nextSlotAt, requests, archived, nextToGo: next, failure: unusable ?? store.failure };
}

function platformStatus(view: FreshList, { archived, nextToGo: next }: StoreFacts): PlatformStatus {
  const inDanger = oldestInDanger(view);
  const known = next ?? (inDanger && { exportTaskId: inDanger.exportTaskId });
  return {
    held: placesHeld(view),
    limit: PLACES_LIMIT,
    archived,
    ...(known === undefined ? {} : { nextToGo: known }),
    ...placesOf(view.tasks),
  };
}

function placesOf(tasks: readonly ExportTask[]): Pick<PlatformStatus, "byStatus" | "oldest"> {
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

/** `status` for a person. What is not known is called so. */
export function statusLines(status: StatusReport, nowMs: number): readonly Line[] {
  const { platform, deletion, leftAlone, failures = {} } = status;
  return [
    ...(platform === null
      ? failedLines("Platform: it cannot be asked", failures.platform)
      : platformLines(platform)),
    ...leftAloneLines(leftAlone),
    ...queueLines(status, nowMs),
    `Runs: ${deletionInWords(deletion)}`,
    ...(isSameFailure(failures.store, failures.queue)
      ? [red("Store: it cannot be used for the same reason")]
      : failedLines("Store: it cannot be used", failures.store)),
    ...nextSlotLines(status, nowMs),
    ...openRequestLines(status, nowMs),
  ];
}

/** With what to do about it. */
function failedLines(lead: string, failure: Failure | undefined): readonly Line[] {
  return failure === undefined ? [] : [...messageLines(failure, `${lead}: `).map(red), `  ${failure.hint}`];
}

function platformLines(platform: PlatformStatus): readonly Line[] {
  const { held, limit, archived, oldest, nextToGo } = platform;
  const byStatus = Object.entries(platform.byStatus).map(([status, n]) => `${n} ${status}`);
  // What is unfinished or has failed cannot be archived.
  const finished = platform.byStatus.Success ?? 0;
  return [
    `Platform: ${held} of ${limit} export slots used${byStatus.length === 0 ? "" : ` (${byStatus.join(", ")})`}`,
    ...(oldest === undefined
      ? []
      : [
          `  oldest: ${oldest.exportTaskId}, made ${oldest.createTime}; evicted first when all slots are used`,
        ]),
    ...(finished === 0
      ? []
      : [
          archived === null
            ? `  of ${finished} finished: how many are archived is not known`
            : `  of ${finished} finished: ${archived} archived, ${finished - archived} not archived`,
        ]),
    ...slotsLines(held, nextToGo),
  ];
}

function queueLines({ queue, failures }: StatusReport, nowMs: number): readonly Line[] {
  if (queue === null) {
    const why = failedLines("Queue: it cannot be asked", failures?.queue);
    return why.length > 0 ? why : ["Queue: there is none yet"];
  }
  const { ready, delayed, inFlight, nextDueAtMs, deadLetters } = queue;
  const due = nextDueAtMs === undefined ? "" : `; the next ${formatDue(nextDueAtMs, nowMs)}`;
  return [
    `Queue: ${ready} ready, ${delayed} delayed, ${inFlight} in flight${due}`,
    `Dead letters: ${deadLetters}${deadLetters === 0 ? "" : ' (see "iotda-archiver dead-letters list")'}`,
  ];
}

function nextSlotLines({ nextSlotAt }: StatusReport, nowMs: number): readonly Line[] {
  if (nextSlotAt === null) {
    return ["Next download slot: not known"];
  }
  return [
    nextSlotAt === undefined
      ? "Next download: no run has paced this store yet"
      : `Next download slot: ${formatDue(Date.parse(nextSlotAt), nowMs)}`,
  ];
}

function red(text: string): Line {
  return { text, colour: "red" };
}
