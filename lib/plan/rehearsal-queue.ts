import type { TaskMessage } from "../domain/task-message.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { DeadLetter, QueueDepth, ReceivedMessage, SendOptions, TaskQueue } from "../ports/task-queue.ts";
import type { RehearsalClock } from "./rehearsal-clock.ts";

const VISIBILITY_MS = 120_000;

interface Waiting {
  readonly message: TaskMessage;
  readonly dueAtMs: number;
}

/**
 * A queue in memory that begins empty. A message that was received stays with its receiver: no runner dies in a
 * rehearsal.
 */
export class RehearsalQueue implements TaskQueue {
  readonly visibilityMs = VISIBILITY_MS;
  readonly deadLetters: DeadLetter[] = [];
  readonly #clock: RehearsalClock;
  readonly #received = new Map<string, TaskMessage>();
  #waiting: readonly Waiting[] = [];
  #handles = 0;

  constructor(clock: RehearsalClock) {
    this.#clock = clock;
  }

  async receive({ signal }: CallOptions): Promise<ReceivedMessage | undefined> {
    signal.throwIfAborted();
    const [next] = this.#waiting;
    if (next === undefined || next.dueAtMs > this.#clock.wallMs()) {
      return undefined;
    }
    this.#waiting = this.#waiting.slice(1);
    this.#handles += 1;
    const handle = String(this.#handles);
    const { message } = next;
    this.#received.set(handle, message);
    return { handle, receiveCount: 1, body: message.exportTaskId, parsed: { kind: "task", message } };
  }

  async renew(): Promise<void> {
    // Nothing runs out.
  }

  async send(messages: readonly TaskMessage[], { delayMs }: SendOptions): Promise<void> {
    const dueAtMs = this.#clock.wallMs() + delayMs;
    const sent = messages.map((message) => ({ message, dueAtMs }));
    this.#waiting = [...this.#waiting, ...sent].sort((a, b) => a.dueAtMs - b.dueAtMs);
  }

  async acknowledge({ handle }: ReceivedMessage): Promise<void> {
    this.#received.delete(handle);
  }

  async requeue(received: ReceivedMessage, successor: TaskMessage, options: SendOptions): Promise<void> {
    await this.send([successor], options);
    await this.acknowledge(received);
  }

  async release(received: ReceivedMessage, options: SendOptions): Promise<void> {
    const message = this.#received.get(received.handle);
    if (message !== undefined) {
      await this.requeue(received, message, options);
    }
  }

  async deadLetter(letter: DeadLetter): Promise<void> {
    this.deadLetters.push(letter);
  }

  async depth(): Promise<QueueDepth> {
    const nowMs = this.#clock.wallMs();
    const delayed = this.#waiting.filter(({ dueAtMs }) => dueAtMs > nowMs);
    return {
      ready: this.#waiting.length - delayed.length,
      delayed: delayed.length,
      inFlight: this.#received.size,
      deadLetters: this.deadLetters.length,
      nextDueAtMs: delayed[0]?.dueAtMs,
    };
  }
}
