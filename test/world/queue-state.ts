import type { DeadLetter, HeldDeadLetter, QueueDepth, ReceivedMessage } from "../../lib/ports/task-queue.ts";
import { isNamedBy, parseBody } from "../../lib/queue/message-codec.ts";
import { queueError } from "./port-errors.ts";
import type { Latency, SeededRandom } from "./seeded-random.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** How the queue behaves; a test may change it while the world runs. */
export interface QueueSettings {
  visibilityMs: number;
  /** How long `receive` waits for a message before it finds nothing. */
  longPollMs: number;
  callLatency: Latency;
  /** How many of the visible messages, oldest first, one receive picks from; 1 keeps the order. */
  receiveWindow: number;
  /** The share of receives after which the message stays visible: at-least-once at its worst. */
  duplicateFraction: number;
  /** Longer delays are cut to this, as SQS does at 15 minutes; `notBefore` then decides. */
  maxDelayMs: number;
  /** The queue lies in the store: of these settings, `visibilityMs` and `longPollMs` then mean something. */
  inStore: boolean;
}

export const DEFAULT_QUEUE_SETTINGS: Readonly<QueueSettings> = {
  visibilityMs: 120_000,
  longPollMs: 1_000,
  callLatency: { minMs: 5, maxMs: 40 },
  receiveWindow: 1,
  duplicateFraction: 0,
  maxDelayMs: 900_000,
  inStore: false,
};

/** A message as the queue holds it. */
export interface QueuedMessage {
  readonly id: string;
  readonly body: string;
  readonly visibleAtMs: number;
  readonly receiveCount: number;
}

/** What is durable of a queue and its dead letters, as judges and stories see it. */
export interface JudgedQueue {
  readonly settings: QueueSettings;
  readonly messages: readonly QueuedMessage[];
  /** Every letter ever put there and not moved back; a crash may have repeated one. */
  readonly deadLetters: readonly HeldDeadLetter[];
  /** Export task ids of every readable body that was ever sent. */
  readonly idsEntered: ReadonlySet<string>;
  /** The ids of the messages that are in the queue now. */
  idsHeld(): ReadonlySet<string>;
  /** Puts a body into the queue, as other programs do. Returns the message's id. */
  send(body: string, delayMs?: number): string;
  /** An operator moves letters back. */
  redrive(ids: readonly string[] | "all"): readonly HeldDeadLetter[];
  /** A runner wrote a document into the store. */
  documentWritten(key: string, text: string): void;
}

interface LeasedMessage {
  readonly id: string;
  readonly body: string;
  visibleAtMs: number;
  receiveCount: number;
  /** Handles handed out, with the moment each becomes worthless. More than one lives after a duplicate. */
  readonly handles: Map<string, number>;
}

/** The durable content of the queue and its dead-letter queue. Runners reach it through `WorldQueue` only. */
export class QueueState implements JudgedQueue {
  readonly settings: QueueSettings;
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #messages = new Map<string, LeasedMessage>();
  readonly #deadLetters = new Map<string, HeldDeadLetter>();
  readonly #idsEntered = new Set<string>();
  #sequence = 0;

  constructor(settings: QueueSettings, clock: VirtualClock, random: SeededRandom) {
    this.settings = settings;
    this.#clock = clock;
    this.#random = random;
  }

  get messages(): readonly QueuedMessage[] {
    return [...this.#messages.values()];
  }

  get deadLetters(): readonly HeldDeadLetter[] {
    return [...this.#deadLetters.values()];
  }

  get idsEntered(): ReadonlySet<string> {
    return this.#idsEntered;
  }

  idsHeld(): ReadonlySet<string> {
    return idsOf(this.messages);
  }

  documentWritten(): void {
    // It lies elsewhere.
  }

  send(body: string, delayMs = 0): string {
    const id = `m${++this.#sequence}`;
    const visibleAtMs = this.#clock.monotonicMs() + Math.min(delayMs, this.settings.maxDelayMs);
    this.#messages.set(id, { id, body, visibleAtMs, receiveCount: 0, handles: new Map() });
    const parsed = parseBody(body);
    if (parsed.kind === "task") {
      this.#idsEntered.add(parsed.message.exportTaskId);
    }
    return id;
  }

  /** The next moment a hidden message becomes visible. */
  nextVisibleAtMs(): number | undefined {
    const nowMs = this.#clock.monotonicMs();
    const hidden = this.messages.filter(({ visibleAtMs }) => visibleAtMs > nowMs);
    return hidden.length === 0 ? undefined : Math.min(...hidden.map(({ visibleAtMs }) => visibleAtMs));
  }

  take(): ReceivedMessage | undefined {
    const nowMs = this.#clock.monotonicMs();
    const visible = [...this.#messages.values()].filter(({ visibleAtMs }) => visibleAtMs <= nowMs);
    const window = Math.min(visible.length, this.settings.receiveWindow);
    const message = visible[this.#random.integer(0, Math.max(0, window - 1))];
    if (message === undefined) {
      return undefined;
    }
    message.receiveCount += 1;
    const handle = `${message.id}#${message.receiveCount}`;
    const isDuplicated = this.#random.fraction() < this.settings.duplicateFraction;
    if (!isDuplicated) {
      message.visibleAtMs = nowMs + this.settings.visibilityMs;
    }
    message.handles.set(handle, nowMs + this.settings.visibilityMs);
    const { body, receiveCount } = message;
    return { handle, receiveCount, body, parsed: parseBody(body) };
  }

  /** Throws `queue-handle-expired`. */
  renew(handle: string): void {
    const message = this.#heldBy(handle);
    const untilMs = this.#clock.monotonicMs() + this.settings.visibilityMs;
    message.handles.set(handle, untilMs);
    message.visibleAtMs = untilMs;
  }

  /** Throws `queue-handle-expired`. */
  remove(handle: string): void {
    this.#messages.delete(this.#heldBy(handle).id);
  }

  addDeadLetter(letter: DeadLetter): void {
    const id = `d${++this.#sequence}`;
    this.#deadLetters.set(id, { ...letter, id, deadLetteredAtMs: this.#clock.wallMs() });
  }

  redrive(ids: readonly string[] | "all"): readonly HeldDeadLetter[] {
    const chosen = ids === "all" ? this.deadLetters : this.lettersNamed(ids);
    for (const letter of chosen) {
      this.send(letter.body);
      this.#deadLetters.delete(letter.id);
    }
    return chosen;
  }

  lettersNamed(ids: readonly string[]): readonly HeldDeadLetter[] {
    const named = new Set(ids);
    return this.deadLetters.filter((letter) => isNamedBy(named, letter));
  }

  removeDeadLetter(id: string): void {
    this.#deadLetters.delete(id);
  }

  depth(): QueueDepth {
    const nowMs = this.#clock.monotonicMs();
    const hidden = [...this.#messages.values()].filter(({ visibleAtMs }) => visibleAtMs > nowMs);
    const inFlight = hidden.filter(({ handles }) =>
      [...handles.values()].some((untilMs) => untilMs > nowMs),
    ).length;
    const nextMs = this.nextVisibleAtMs();
    return {
      ready: this.#messages.size - hidden.length,
      delayed: hidden.length - inFlight,
      inFlight,
      deadLetters: this.#deadLetters.size,
      nextDueAtMs: nextMs === undefined ? undefined : this.#clock.wallMs() + (nextMs - nowMs),
    };
  }

  #heldBy(handle: string): LeasedMessage {
    const message = this.#messages.get(handle.slice(0, handle.indexOf("#")));
    const untilMs = message?.handles.get(handle) ?? Number.NEGATIVE_INFINITY;
    if (message === undefined || untilMs <= this.#clock.monotonicMs()) {
      throw queueError("queue-handle-expired");
    }
    return message;
  }
}

/** The export tasks that messages are about. */
export function idsOf(messages: readonly Pick<QueuedMessage, "body">[]): ReadonlySet<string> {
  const parsed = messages.map(({ body }) => parseBody(body));
  return new Set(parsed.flatMap((one) => (one.kind === "task" ? [one.message.exportTaskId] : [])));
}
