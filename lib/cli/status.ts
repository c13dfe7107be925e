import type { ArchiveSettings } from "../archive/settings.ts";
import { systemClock } from "../config/system.ts";
import type { Archiver } from "../config/wiring.ts";
import { compact } from "../domain/compact.ts";
import { describeFailure, type Failure } from "../domain/errors.ts";
import { type ExportTask, oldestFirst, revisionOf } from "../domain/export-task.ts";
import { PACING_STATE_KEY } from "../domain/key-layout.ts";
import { type LeftAloneReport, leftAloneReport } from "../domain/left-alone.ts";
import { DAY_MS } from "../domain/utc-day.ts";
import { parsePacingState } from "../pacing/shared-pace.ts";
import type { QueueDepth } from "../ports/task-queue.ts";
import { Records } from "../records/records.ts";
import type { NextToGo } from "../records/run-report.ts";
import type { Verdict } from "../report/night.ts";
import { nameOf } from "../report/night-exports.ts";
import type { PlatformSeen } from "../report/night-facts.ts";
import { lookAhead, type Outlook } from "../report/outlook.ts";
import { seenOnPlatform } from "../report/platform-seen.ts";
import { lookAtRequests, type OpenRequests } from "../requests/open-requests.ts";
import { oldestInDanger } from "../run/next-to-go.ts";
import { type FreshList, freshList, oddItemsOf, PLACES_LIMIT, placesHeld } from "../run/platform-list.ts";
import { count, formatDue, formatDuration } from "./format.ts";
import { failureLines, type Line, lines, type Result, red } from "./output.ts";
import { EXIT } from "./process.ts";
import { openRequestLines } from "./request-lines.ts";
import { deadLettersLine, leftAloneLines, slotsLines } from "./run-lines.ts";
import { type CommonOptions, withSession } from "./session.ts";
import { deletionInWords, STOP_WORDS } from "./words.ts";

const REQUESTS_SHOWN = 100;

/** `status`: export slots used on the platform, what is queued, and when the next download may start. */
export async function statusCommand(options: CommonOptions): Promise<Result> {
  const status = await withSession(options, "use", ({ archiver, signal }) =>
    lookAtStatus({ ...archiver, signal }),
  );
  return {
    document: status,
    lines: statusLines(status, systemClock.wallMs()),
    exitCode: status.failure === undefined ? EXIT.done : EXIT.failed,
  };
}

/** What `status` shows. What could not be found out is `null`, never 0 and never left out. */
export interface StatusReport {
  /** The last run and night, and what may be lost next. */
  readonly outlook: Outlook | null;
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
  readonly seen: PlatformSeen | null;
  readonly outlook: Outlook | null;
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
  const failures = compact({
    platform: platform.failure,
    store: facts.failure,
    queue: isQueueBehindStore ? alone?.failure : queue.failure,
  });
  const failure = failures.platform ?? failures.store ?? failures.queue;
  const { nextSlotAt, requests, outlook } = facts;
  return compact({
    outlook,
    platform: view === null ? null : platformStatus(view, facts),
    queue: depth ?? alone?.depth ?? null,
    deletion: settings.deletion,
    leftAlone: view === null ? undefined : leftAloneReport(oddItemsOf(view)),
    nextSlotAt,
    requests: requests?.open === 0 ? undefined : requests,
    failures: failure && failures,
    failure,
  });
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
  const seen = view && (await store.ask(() => seenOnPlatform(view, records, { signal })));
  const nowMs = ports.clock.wallMs();
  const outlook = await store.ask(() =>
    lookAhead(ports.store, settings.scope, seen ?? undefined, { nowMs, signal }),
  );
  return { nextSlotAt, requests, seen, outlook, failure: unusable ?? store.failure };
}

function platformStatus(view: FreshList, { seen }: Pick<StoreFacts, "seen">): PlatformStatus {
  const inDanger = oldestInDanger(view);
  const byStatus = new Map<string, number>();
  for (const { status } of view.tasks) {
    byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
  }
  const [oldest] = oldestFirst(view.tasks);
  return compact({
    held: placesHeld(view),
    limit: PLACES_LIMIT,
    archived: seen === null ? null : seen.archived.size,
    nextToGo: inDanger && nextToGoOf(inDanger, seen),
    byStatus: Object.fromEntries(byStatus),
    oldest:
      oldest?.createTime === undefined
        ? undefined
        : { exportTaskId: oldest.exportTaskId, createTime: oldest.createTime },
  });
}

function nextToGoOf(task: ExportTask, seen: PlatformSeen | null): NextToGo {
  const { exportTaskId } = task;
  return seen === null
    ? { exportTaskId }
    : { exportTaskId, archived: seen.archived.has(nameOf({ exportTaskId, revision: revisionOf(task) })) };
}

/** A place that is asked one thing after the other. After its first failure it is asked nothing more. */
class Asked {
  readonly #signal: AbortSignal;
  #failure: Failure | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Why it did not answer. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** @returns `null` when it did not answer. @throws only the signal's reason. */
  async ask<T>(question: () => Promise<T>): Promise<T | null> {
    if (this.#failure !== undefined) {
      return null;
    }
    try {
      return await question();
    } catch (error) {
      this.#signal.throwIfAborted();
      this.#failure = describeFailure(error);
      return null;
    }
  }
}

/** Whether two places failed with one and the same failure. */
function isSameFailure(a: Failure | undefined, b: Failure | undefined): boolean {
  return a !== undefined && a.code === b?.code && a.message === b.message;
}

/** `status` for a person. What is not known is called so. */
export function statusLines(status: StatusReport, nowMs: number): readonly Line[] {
  const { platform, deletion, leftAlone, outlook, failures = {} } = status;
  return lines(
    outlook !== null && lastLines(outlook, nowMs),
    platform === null
      ? failureLines(failures.platform, "Platform: no usable answer: ", red)
      : platformLines(platform),
    outlook?.lossFrom !== undefined && lossLine(outlook.lossFrom, nowMs),
    leftAloneLines(leftAlone),
    queueLines(status, nowMs),
    `Runs: ${deletionInWords(deletion)}`,
    isSameFailure(failures.store, failures.queue)
      ? red("Store: not usable, for the same reason")
      : failureLines(failures.store, "Store: not usable: ", red),
    nextSlotLine(status, nowMs),
    openRequestLines(status.requests, nowMs),
  );
}

function lastLines({ lastRun, lastGoodRunAt, lastNight }: Outlook, nowMs: number): readonly Line[] {
  return lines(
    lastRun === undefined
      ? "Last run: none in the last week"
      : lastRun.stopReason === "system-failure"
        ? red(`Last run: ${agoOf(lastRun.endedAt, nowMs)}, failed (${lastRun.failureCode ?? "unknown"})`)
        : `Last run: ${agoOf(lastRun.endedAt, nowMs)}, ${lastRun.archived} archived; ${STOP_WORDS[lastRun.stopReason]}`,
    lastGoodRunAt !== undefined && `  the last one without a failure: ${agoOf(lastGoodRunAt, nowMs)}`,
    lastNight === undefined
      ? 'Last night: no report yet; "iotda-archiver report" makes it'
      : nightLine(lastNight),
  );
}

function nightLine({ date, verdict, finished, archived }: NonNullable<Outlook["lastNight"]>): Line {
  const text = `Last night (to ${date}): ${VERDICT_WORDS[verdict]}, ${archived} of ${count(finished, "export")} archived`;
  return verdict === "ok" ? text : red(`${text}; "iotda-archiver report --night ${date}" says more`);
}

const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  act: "ACT",
  none: "NO RUN",
  look: "LOOK",
  ok: "OK",
};

function agoOf(moment: string, nowMs: number): string {
  return `${formatDuration(nowMs - Date.parse(moment))} ago`;
}

function lossLine(lossFrom: string, nowMs: number): Line {
  const leftMs = Date.parse(lossFrom) - nowMs;
  const text = `  an export that is not archived may be destroyed in ${formatDuration(leftMs)}, at the pace of the last nights`;
  return leftMs < DAY_MS ? red(text) : text;
}

function platformLines({
  held,
  limit,
  archived,
  oldest,
  nextToGo,
  byStatus,
}: PlatformStatus): readonly Line[] {
  const each = Object.entries(byStatus).map(([status, n]) => `${n} ${status}`);
  // What is unfinished or has failed cannot be archived.
  const finished = byStatus.Success ?? 0;
  const known =
    archived === null
      ? "unknown how many are archived"
      : `${archived} archived, ${finished - archived} not archived`;
  return lines(
    `Platform: ${held} of ${limit} export slots used${each.length === 0 ? "" : ` (${each.join(", ")})`}`,
    oldest &&
      `  oldest: ${oldest.exportTaskId}, created ${oldest.createTime}; the platform evicts it first when all slots are used`,
    finished > 0 && `  of ${finished} finished: ${known}`,
    slotsLines(held, nextToGo),
  );
}

function queueLines({ queue, failures }: StatusReport, nowMs: number): readonly Line[] {
  if (queue === null) {
    const why = failureLines(failures?.queue, "Queue: no usable answer: ", red);
    return why.length > 0 ? why : ["Queue: it does not exist yet"];
  }
  const { ready, delayed, inFlight, nextDueAtMs } = queue;
  const due = nextDueAtMs === undefined ? "" : `; the next ${formatDue(nextDueAtMs, nowMs)}`;
  return [`Queue: ${ready} ready, ${delayed} delayed, ${inFlight} in flight${due}`, deadLettersLine(queue)];
}

function nextSlotLine({ nextSlotAt }: StatusReport, nowMs: number): Line {
  if (nextSlotAt === null) {
    return "Next download slot: unknown";
  }
  return nextSlotAt === undefined
    ? "Next download slot: no run has taken one yet"
    : `Next download slot: ${formatDue(Date.parse(nextSlotAt), nowMs)}`;
}
