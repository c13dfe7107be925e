import type { TaskMessage } from "../../lib/domain/task-message.ts";
import type { CallOptions } from "../../lib/ports/platform.ts";
import type {
  DeadLetter,
  DeadLetterQueue,
  HeldDeadLetter,
  QueueDepth,
  ReceivedMessage,
  SendOptions,
  TaskQueue,
} from "../../lib/ports/task-queue.ts";
import { encodeMessage, withoutProgress } from "../../lib/queue/message-codec.ts";
import type { Site } from "./faults.ts";
import type { QueueState } from "./queue-state.ts";
import type { RunnerProcess } from "./runner-process.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export interface WorldQueueParts {
  readonly state: QueueState;
  readonly runner: RunnerProcess;
  readonly clock: VirtualClock;
}

/** How often a waiting `receive` looks for messages sent meanwhile; those that become visible it sees at once. */
const LOOKS_WHILE_WAITING = 4;

/** The task queue and its dead-letter queue as one runner reaches them. */
export class WorldQueue implements TaskQueue, DeadLetterQueue {
  readonly #parts: WorldQueueParts;

  constructor(parts: WorldQueueParts) {
    this.#parts = parts;
  }

  get visibilityMs(): number {
    return this.#parts.state.settings.visibilityMs;
  }

  /** The fault of a receive hits its first look; the looks after that, while it waits, are part of one call. */
  async receive({ signal }: CallOptions): Promise<ReceivedMessage | undefined> {
    const { clock, runner, state } = this.#parts;
    const { longPollMs } = state.settings;
    const startedAtMs = clock.monotonicMs();
    const deadlineMs = startedAtMs + longPollMs;
    const stepMs = Math.ceil(longPollMs / LOOKS_WHILE_WAITING);
    let received = await this.#call("queue.receive", "", signal, () => state.take());
    while (received === undefined && clock.monotonicMs() < deadlineMs) {
      const nowMs = clock.monotonicMs();
      const nextMs = Math.min(deadlineMs, nowMs + stepMs, state.nextVisibleAtMs() ?? deadlineMs);
      await runner.pass(nextMs - nowMs, signal);
      received = state.take();
      if (received !== undefined) {
        runner.record("queue.receive", received.handle, startedAtMs, "done");
      }
    }
    return received;
  }

  renew({ handle }: ReceivedMessage, { signal }: CallOptions): Promise<void> {
    return this.#call("queue.renew", handle, signal, () => this.#parts.state.renew(handle));
  }

  /** One call per message, as queues take them: a crash can fall between two of them. */
  async send(messages: readonly TaskMessage[], options: SendOptions): Promise<void> {
    for (const message of messages) {
      await this.#send(message.exportTaskId, encodeMessage(message), options);
    }
  }

  /** Sends bodies as they are, readable or not, as other programs do. */
  async sendBodies(bodies: readonly string[], options: SendOptions): Promise<void> {
    for (const body of bodies) {
      await this.#send("raw", body, options);
    }
  }

  acknowledge({ handle }: ReceivedMessage, { signal }: CallOptions): Promise<void> {
    return this.#call("queue.acknowledge", handle, signal, () => this.#parts.state.remove(handle));
  }

  /** Two calls, as SQS takes them: a crash or a fault can fall between them. */
  async requeue(received: ReceivedMessage, successor: TaskMessage, options: SendOptions): Promise<void> {
    await this.#send(successor.exportTaskId, encodeMessage(successor), options);
    await this.acknowledge(received, options);
  }

  async release(received: ReceivedMessage, options: SendOptions): Promise<void> {
    await this.#send("released", received.body, options);
    await this.acknowledge(received, options);
  }

  deadLetter(letter: DeadLetter, { signal }: CallOptions): Promise<void> {
    return this.#call("queue.deadLetter", letter.reason, signal, () =>
      this.#parts.state.addDeadLetter({ ...letter, body: withoutProgress(letter.body) }),
    );
  }

  depth({ signal }: CallOptions): Promise<QueueDepth> {
    return this.#call("queue.depth", "", signal, () => this.#parts.state.depth());
  }

  listDeadLetters({
    limit,
    signal,
  }: CallOptions & { readonly limit: number }): Promise<readonly HeldDeadLetter[]> {
    return this.#call("queue.listDeadLetters", "", signal, () =>
      this.#parts.state.deadLetters.slice(0, limit),
    );
  }

  redrive(ids: readonly string[] | "all", { signal }: CallOptions): Promise<readonly HeldDeadLetter[]> {
    return this.#call("queue.redrive", String(ids), signal, () => this.#parts.state.redrive(ids));
  }

  async dismiss(
    ids: readonly string[],
    note: (letter: HeldDeadLetter) => Promise<void>,
    { signal }: CallOptions,
  ): Promise<readonly HeldDeadLetter[]> {
    const { state } = this.#parts;
    const dismissed = await this.#call("queue.listDeadLetters", String(ids), signal, () =>
      state.lettersNamed(ids),
    );
    for (const letter of dismissed) {
      await note(letter);
      // To a fault it is a redrive that sends nothing.
      await this.#call("queue.redrive", letter.id, signal, () => state.removeDeadLetter(letter.id));
    }
    return dismissed;
  }

  async #send(subject: string, body: string, { delayMs, signal }: SendOptions): Promise<void> {
    await this.#call("queue.send", subject, signal, () => this.#parts.state.send(body, delayMs));
  }

  #call<T>(site: Site, subject: string, signal: AbortSignal, effect: () => T): Promise<T> {
    const { runner, state } = this.#parts;
    return runner.outside({ site, subject, signal, latency: state.settings.callLatency, effect });
  }
}
