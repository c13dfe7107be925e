import type { ExportTask } from "../../lib/domain/export-task.ts";
import type {
  CallOptions,
  CreateExportTaskRequest,
  ExportDownload,
  ExportTaskListing,
  Platform,
  TimedCallOptions,
} from "../../lib/ports/platform.ts";
import type { BodyDamage, Fault } from "./faults.ts";
import type { WorldObserver } from "./observer.ts";
import type { PlatformState } from "./platform-state.ts";
import { platformError } from "./port-errors.ts";
import { never, type OutsideCall, type RunnerProcess } from "./runner-process.ts";
import type { Latency, SeededRandom } from "./seeded-random.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import { planBody, sendBody } from "./world-body.ts";

export interface WorldPlatformParts {
  readonly state: PlatformState;
  readonly runner: RunnerProcess;
  readonly random: SeededRandom;
  readonly clock: VirtualClock;
  readonly observer: WorldObserver;
}

/** The platform as one runner reaches it. */
export class WorldPlatform implements Platform {
  readonly #parts: WorldPlatformParts;

  constructor(parts: WorldPlatformParts) {
    this.#parts = parts;
  }

  listExportTasks({ signal }: CallOptions): Promise<ExportTaskListing> {
    const { clock, observer, runner, state } = this.#parts;
    const { dateSkewMs, listLatency } = state.settings;
    return runner.outside({
      site: "platform.listExportTasks",
      subject: "",
      signal,
      latency: listLatency,
      effect: (startedAtMs) => {
        const all = state.list();
        const files = all.filter(({ task }) => !state.distorted.has(task.exportTaskId));
        const distorted = all.flatMap(({ task }, index) => {
          const item = state.distorted.get(task.exportTaskId);
          return item === undefined ? [] : [{ ...item, index }];
        });
        const added = state.oddItems.map((item, index) => ({ ...item, index: all.length + index }));
        observer.listed(files, startedAtMs);
        // The header has whole seconds.
        const platformDateMs =
          dateSkewMs === undefined ? undefined : Math.floor((clock.wallMs() + dateSkewMs) / 1000) * 1000;
        return { tasks: files.map(({ task }) => task), oddItems: [...distorted, ...added], platformDateMs };
      },
    });
  }

  async showExportTask(exportTaskId: string, options: TimedCallOptions): Promise<ExportDownload> {
    const { random, runner, state } = this.#parts;
    const { chunkBytes, chunkLatency, firstByteLatency } = state.settings;
    options.signal.throwIfAborted();
    // Not `AbortSignal.any`: Node holds on to such a signal, and with it to the whole world, while it has listeners.
    const closing = new AbortController();
    options.signal.addEventListener("abort", () => closing.abort(options.signal.reason), { once: true });
    const { signal } = closing;
    await this.#connect(signal);

    // The outside call begins when the request is written: no latency before its effect.
    const file = await runner.outside({
      site: "platform.showExportTask",
      subject: exportTaskId,
      signal,
      latency: 0,
      ready: options.beforeRequest,
      effect: () => state.startDownload(exportTaskId, runner.name),
    });
    await runner.pass(random.latencyMs(firstByteLatency), signal);

    const fault = runner.report("platform.body", exportTaskId);
    const damage = fault === "frozen" ? await never() : damageOf(fault);
    if (damage !== undefined) {
      const nowMs = this.#parts.clock.monotonicMs();
      runner.record("platform.body", `${exportTaskId} ${damage.kind}`, nowMs, "done");
    }
    const plan = planBody(file.bytes, damage);
    // Whoever asked must read it to its end or drop it: an unread connection stays open.
    const onClosed = runner.open(`platform.body ${exportTaskId}`);
    signal.addEventListener("abort", onClosed, { once: true });
    return {
      contentLengthBytes: plan.declaredBytes,
      body: sendBody(plan, { exportTaskId, runner, random, chunkBytes, chunkLatency, signal, onClosed }),
      cancel: () => closing.abort(platformError("platform-unreachable")),
    };
  }

  async deleteExportTask(exportTaskId: string, options: TimedCallOptions): Promise<void> {
    const { state } = this.#parts;
    await this.#send(options, {
      site: "platform.deleteExportTask",
      subject: exportTaskId,
      answerLatency: state.settings.deleteLatency,
      effect: (startedAtMs) => state.deleteTask(exportTaskId, startedAtMs),
    });
  }

  createExportTask(request: CreateExportTaskRequest, options: TimedCallOptions): Promise<ExportTask> {
    const { random, state } = this.#parts;
    return this.#send(options, {
      site: "platform.createExportTask",
      subject: JSON.stringify(request.resourceCondition),
      answerLatency: state.settings.createLatency,
      effect: () => state.create(request, random.latencyMs(state.settings.processingMs)),
    });
  }

  /**
   * Sends what changes the platform. No latency before the effect: what is written is on its way, though its
   * sender may stand still for 20 minutes.
   */
  async #send<T>(
    { signal, beforeRequest }: TimedCallOptions,
    {
      answerLatency,
      ...call
    }: Pick<OutsideCall<T>, "site" | "subject" | "effect"> & { readonly answerLatency: Latency },
  ): Promise<T> {
    const { random, runner } = this.#parts;
    await this.#connect(signal);
    await beforeRequest?.();
    const answer = await runner.outside({ ...call, signal, latency: 0 });
    await runner.pass(random.latencyMs(answerLatency), signal);
    return answer;
  }

  async #connect(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { random, runner, state } = this.#parts;
    await runner.pass(random.latencyMs(state.settings.connectLatency), signal);
  }
}

/** A body knows its own damages, and of the general forms those that a body can have. */
function damageOf(fault: Fault | undefined): BodyDamage | undefined {
  switch (fault?.form) {
    case undefined:
      return undefined;
    case "body":
      return fault.damage;
    case "crash":
      return { kind: "crash", afterBytes: fault.when === "before" ? 0 : Number.POSITIVE_INFINITY };
    case "stall":
      return { kind: "stall", afterBytes: 0 };
    case "not-done":
    case "done-answer-lost":
    case "done-says-conflict":
    case "slow":
    case "race":
    case "spoiled":
      throw new TypeError(`a body cannot have a fault of the form ${fault.form}`);
  }
}
