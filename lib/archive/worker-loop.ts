import { describeFailure, type Failure } from "../domain/errors.ts";
import type { ReceivedMessage } from "../ports/task-queue.ts";
import { emptyCounts, type StopReason, type TaskEntry } from "../records/run-report.ts";
import { ArchivedExports } from "../run/archived-exports.ts";
import { TimeLimit, withTimeLimit } from "../run/deadline.ts";
import { Interrupted, SystemFailure } from "../run/errors.ts";
import type { RunStart } from "../run/run-frame.ts";
import { archiveTask } from "./archive-task.ts";
import type { Attempt } from "./attempt.ts";
import { runTimeLeftMs, timeUntilGraceMs } from "./deadlines.ts";
import type { ArchiveEvent, ArchivePorts } from "./events.ts";
import { Lease, type LeasedMessage, release, requeue } from "./leased-message.ts";
import { OutcomeHandler, type RunEnd } from "./message-disposition.ts";
import { type Admission, admit } from "./receive-task.ts";
import type { PreflightResult, Run } from "./run.ts";
import { type ArchiveSettings, TASKS_IN_FLIGHT } from "./settings.ts";
import { SlotQueue } from "./slot-queue.ts";

/** While a task is in flight and the queue is empty, this long until the next look. */
const IDLE_POLL_MS = 1_000;
/** The queue's clock and ours may differ a little; do not look a moment too early. */
const DUE_MARGIN_MS = 50;
const DEPTH_LIMIT_MS = 10_000;
/** What is waited for may be done by another run meanwhile: this long until the next look. */
const WAIT_RECHECK_MS = 5_000;

interface LoopOptions extends RunStart, Pick<Run, "permission"> {
  readonly waitForDueMs: number;
  readonly signal: AbortSignal;
}

/** What a run waits for when nothing is ready. */
type Wait = Omit<Extract<ArchiveEvent, { kind: "idle" }>, "kind" | "isNew">;

/** Whether whoever knows of one wait need not be told of the other. */
function isSameWait(a: Wait, b: Wait): boolean {
  return a.untilMs === b.untilMs && a.delayed === b.delayed && a.inFlight === b.inFlight;
}

interface LoopEnding {
  readonly stopReason: StopReason;
  readonly tasks: readonly TaskEntry[];
  readonly failure: Failure | undefined;
}

/**
 * Receives message after message and keeps up to two tasks in flight, so that one waits for its download
 * slot while the other uploads, verifies and is deleted.
 */
export class WorkerLoop {
  readonly run: Run;
  readonly #options: LoopOptions;
  readonly #handler: OutcomeHandler;
  /** Aborted by the operator or by a system failure: stops everything in flight. */
  readonly #stopping = new AbortController();
  readonly #onOperatorAbort = () => this.#stopping.abort(this.#options.signal.reason);
  /** The work under way, by export task id. */
  readonly #inFlight = new Map<string, Promise<void>>();
  readonly #slotQueue = new SlotQueue();
  #stopReason: StopReason | undefined;
  #failure: Failure | undefined;
  /** The wait that was told of last, until a message ends it. */
  #told: Wait | undefined;

  constructor(ports: ArchivePorts, settings: ArchiveSettings, ready: PreflightResult, options: LoopOptions) {
    this.#options = options;
    this.run = {
      runId: options.runId,
      ports,
      settings,
      abilities: ready.abilities,
      records: ready.records,
      archivedExports: new ArchivedExports({ ...ports, records: ready.records }),
      readAtMs: new Map(),
      pacer: ready.pacer,
      limitAtMs: options.limitAtMs,
      counts: emptyCounts(),
      archivedBytes: 0,
      lastSeen: ready.list,
      leftAlone: ready.leftAlone,
      permission: options.permission,
    };
    this.#handler = new OutcomeHandler(this.run);
  }

  /** Works until the queue is empty, the time is up, the operator interrupts or the system fails. Never throws. */
  async drain(): Promise<LoopEnding> {
    const { signal } = this.#options;
    // One that was aborted before is seen before the first message is received.
    signal.addEventListener("abort", this.#onOperatorAbort, { once: true });
    await this.#guarded(() => this.#receiveUntilStopped());
    await Promise.all(this.#inFlight.values());
    await this.#guarded(() => this.#handler.resolvePending(this.#runEnd()));
    signal.removeEventListener("abort", this.#onOperatorAbort);
    return {
      stopReason: this.#stopReason ?? "drained",
      tasks: this.#handler.entries,
      failure: this.#failure,
    };
  }

  #runEnd(): RunEnd {
    switch (this.#stopReason) {
      case "aborted":
        return "aborted";
      case "system-failure":
        return "system-failure";
      case "drained":
      case "time-budget":
      case "no-pressure":
      case undefined:
        return "run-finished";
    }
  }

  /** Whatever escapes from the loop's own calls, queue and settling included, is a failure of the system. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#options.signal.aborted && !(error instanceof SystemFailure)) {
        this.#stopReason ??= "aborted";
        return;
      }
      this.#failure ??= describeFailure(error);
      this.#stopReason = "system-failure";
      this.#stopping.abort(new Interrupted("run-stopped"));
    }
  }

  async #receiveUntilStopped(): Promise<void> {
    const { settings, ports } = this.run;
    while (this.#stopReason === undefined) {
      if (this.#options.signal.aborted) {
        this.#stopReason = "aborted";
      } else if (this.#inFlight.size >= TASKS_IN_FLIGHT) {
        await Promise.race(this.#inFlight.values());
      } else if (runTimeLeftMs(this.run) < settings.minTaskMs) {
        this.#stopReason = "time-budget";
      } else {
        const received = await this.#untilGrace((signal) => ports.queue.receive({ signal }));
        if (received === "cut") {
          this.#stopReason ??= "time-budget";
        } else {
          await (received === undefined ? this.#idle() : this.#take(received));
        }
      }
    }
  }

  /** Calls that belong to no task: stopped with the run, and `cut` when only the time to settle is left. */
  async #untilGrace<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | "cut"> {
    const limit = new TimeLimit(this.run.ports.clock, this.#stopping.signal);
    limit.arm(timeUntilGraceMs(this.run));
    try {
      return await work(limit.signal);
    } catch (error) {
      if (limit.signal.aborted && !this.#stopping.signal.aborted) {
        return "cut";
      }
      throw error;
    } finally {
      limit.close();
    }
  }

  /** Nothing is ready: look again soon while tasks are in flight, wait for what is due, or be done. */
  async #idle(): Promise<void> {
    if (this.#inFlight.size > 0) {
      const nap = new AbortController();
      const napping = this.run.ports.clock.sleep(IDLE_POLL_MS, nap.signal).catch(() => undefined);
      await Promise.race([...this.#inFlight.values(), napping]);
      nap.abort("over");
      return;
    }
    // Nothing in this run will tell any more whether these tasks or the system are ill.
    await this.#handler.resolvePending("run-finished");
    const { clock, observe } = this.run.ports;
    for (;;) {
      const wait = await this.#nextWait();
      if (typeof wait === "string") {
        this.#stopReason = wait;
        return;
      }
      if (this.#told === undefined || !isSameWait(wait, this.#told)) {
        observe({ kind: "idle", ...wait, isNew: this.#told === undefined });
        this.#told = wait;
      }
      const waitMs = Math.max(DUE_MARGIN_MS, wait.untilMs - clock.wallMs() + DUE_MARGIN_MS);
      await clock.sleep(Math.min(waitMs, WAIT_RECHECK_MS), this.#stopping.signal);
      if (waitMs <= WAIT_RECHECK_MS) {
        return;
      }
    }
  }

  /** What to wait for and until when, or how the run ends: nothing is due soon enough, or not within its time. */
  async #nextWait(): Promise<Wait | "drained" | "time-budget"> {
    const { waitForDueMs } = this.#options;
    if (waitForDueMs === 0) {
      return "drained";
    }
    const { queue, clock } = this.run.ports;
    const depth = await withTimeLimit(clock, DEPTH_LIMIT_MS, (signal) => queue.depth({ signal }));
    const dueMs = depth.ready > 0 ? clock.wallMs() : depth.nextDueAtMs;
    const waitMs = dueMs === undefined ? Number.POSITIVE_INFINITY : dueMs - clock.wallMs();
    if (dueMs === undefined || waitMs > waitForDueMs) {
      return "drained";
    }
    return waitMs <= runTimeLeftMs(this.run) - this.run.settings.minTaskMs
      ? { untilMs: dueMs, delayed: depth.delayed, inFlight: depth.inFlight }
      : "time-budget";
  }

  async #take(received: ReceivedMessage): Promise<void> {
    const { ports, counts } = this.run;
    counts.received += 1;
    this.#told = undefined;
    await this.#start({ received, lease: new Lease(ports, received) });
  }

  /** Starts work on a message in our hands, or says at once what becomes of it. */
  async #start(leased: LeasedMessage): Promise<void> {
    const admission = await this.#admit(leased);
    switch (admission.kind) {
      case "no-time":
        this.#stopReason ??= "time-budget";
        await release(this.run, leased, 0);
        return;
      case "unreadable":
        await this.#handler.giveUpUnreadable(leased, admission.detail);
        return;
      case "crash-loop": {
        const { message, detail } = admission;
        const finished = { leased, message, facts: {}, durationMs: 0 };
        await this.#handler.giveUp(finished, "crash-loop", detail, message.attempts ?? 0);
        return;
      }
      case "not-yet":
        await release(this.run, leased, admission.delayMs);
        return;
      case "isolate":
        await requeue(this.run, leased, admission.message, 0);
        return;
      case "attempt":
        break;
    }
    const { exportTaskId } = admission.message;
    const inTheWay = admission.exclusive
      ? [...this.#inFlight.values()]
      : [this.#inFlight.get(exportTaskId)].filter((working) => working !== undefined);
    if (inTheWay.length > 0) {
      // For a repeated message: the first one's work is most likely all there is to do, and costs one slot.
      await Promise.all(inTheWay);
      // That took its time: what was true of the rest of the run may not be true any more.
      return await this.#start(leased);
    }
    if (this.#stopReason !== undefined || this.#stopping.signal.aborted) {
      await release(this.run, leased, 0);
      return;
    }
    const working = this.#guarded(() => this.#work(leased, admission.message)).finally(() => {
      this.#inFlight.delete(exportTaskId);
    });
    this.#inFlight.set(exportTaskId, working);
    if (admission.exclusive) {
      await working;
    }
  }

  async #admit(leased: LeasedMessage): Promise<Admission | { readonly kind: "no-time" }> {
    try {
      if (runTimeLeftMs(this.run) < this.run.settings.minTaskMs) {
        return { kind: "no-time" };
      }
      const admission = await this.#untilGrace((signal) =>
        admit(this.run, leased.received, this.#options.startedMonotonicMs, signal),
      );
      return admission === "cut" ? { kind: "no-time" } : admission;
    } catch (error) {
      await release(this.run, leased, 0);
      throw error;
    }
  }

  async #work(leased: LeasedMessage, message: Attempt["message"]): Promise<void> {
    const { clock, observe } = this.run.ports;
    const { exportTaskId } = message;
    const startedAtMs = clock.monotonicMs();
    observe({ kind: "task-started", exportTaskId, attempts: message.attempts ?? 0 });
    const attempt: Attempt = {
      run: this.run,
      exportTaskId,
      message,
      limit: new TimeLimit(clock, this.#stopping.signal),
      ticket: this.#slotQueue.join(),
    };
    const { facts, ...ending } = await archiveTask(attempt);
    if (ending.kind === "released" && ending.endsRun) {
      this.#stopReason ??= "time-budget";
    }
    const durationMs = clock.monotonicMs() - startedAtMs;
    await this.#handler.settle({ leased, message, facts, durationMs }, ending);
  }
}
