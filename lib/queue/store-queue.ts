import { ArchiverError } from "../domain/errors.ts";
import { queuedMessageKey, queueEntryName } from "../domain/queue-layout.ts";
import type { TaskMessage } from "../domain/task-message.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { StoreAbilities } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import {
  type DeadLetter,
  type DeadLetterQueue,
  type HeldDeadLetter,
  type QueueDepth,
  QueueError,
  type ReceivedMessage,
  type SendOptions,
  type TaskQueue,
} from "../ports/task-queue.ts";
import { withTimeLimit } from "../run/deadline.ts";
import { encodeMessage, parseBody } from "./message-codec.ts";
import { HANDLE_EXPIRED } from "./queue-errors.ts";
import { type QueueStore, StoreTime } from "./queue-store.ts";
import { messageText } from "./queued-message.ts";
import { RunLease } from "./run-lease.ts";
import { StoreDeadLetters } from "./store-dead-letters.ts";
import { type DueMessage, StoreMessages } from "./store-messages.ts";

export interface StoreQueueOptions {
  /** How long a received message stays hidden unless it is renewed. */
  readonly visibilityMs: number;
  /** How long {@link StoreQueue.receive} waits before it looks a second time. Default 1,000. */
  readonly longPollMs?: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Told once of each file among the messages that cannot be one: it is left alone. `problem` follows its key. */
  readonly onOddFile: (key: string, problem: string) => void;
  /** Told once when another runner has the messages, and until when unless it renews that. Epoch milliseconds. */
  readonly onLeasedToAnother: (untilMs: number) => void;
}

const DEFAULT_LONG_POLL_MS = 1_000;
const CLOSE_LIMIT_MS = 5_000;

/**
 * A task queue of documents in the archive's own store: one for each message, and one for each dead letter. Messages
 * are handed out in the order in which they are due. Delays may be of any length. Time is the store's.
 *
 * Where the store has compare-and-swap any number of runners may receive. Elsewhere one does, who holds the
 * {@link RunLease}; the others find nothing. Every method throws what the store throws, or the signal's reason.
 */
export class StoreQueue implements TaskQueue, DeadLetterQueue {
  readonly visibilityMs: number;
  readonly #store: QueueStore;
  readonly #longPollMs: number;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #time: StoreTime;
  readonly #messages: StoreMessages;
  readonly #letters: StoreDeadLetters;
  readonly #lease: RunLease;
  readonly #onLeasedToAnother: StoreQueueOptions["onLeasedToAnother"];
  #abilities: StoreAbilities | undefined;
  /** Handles of messages that this runner received and has not settled. */
  readonly #unsettled = new Set<string>();
  /** The receives of one runner take turns. */
  #lastLook: Promise<unknown> = Promise.resolve();
  #sequence = 0;
  #isLeaseTold = false;

  /** Asks nothing yet. */
  constructor(store: QueueStore, options: StoreQueueOptions) {
    const { visibilityMs, longPollMs = DEFAULT_LONG_POLL_MS, clock, random } = options;
    this.visibilityMs = visibilityMs;
    this.#store = store;
    this.#longPollMs = longPollMs;
    this.#clock = clock;
    this.#random = random;
    this.#time = new StoreTime(store, clock);
    this.#onLeasedToAnother = options.onLeasedToAnother;
    const parts = { store, time: this.#time, visibilityMs, onOddFile: options.onOddFile };
    this.#messages = new StoreMessages({ ...parts, canSwap: (call) => this.#canSwap(call) });
    this.#letters = new StoreDeadLetters(store);
    const holder = random.hex(16);
    this.#lease = new RunLease({ store, time: this.#time, clock, holder, leaseMs: visibilityMs });
  }

  async receive(options: CallOptions): Promise<ReceivedMessage | undefined> {
    const received = await this.#look(options);
    if (received !== undefined) {
      return received;
    }
    await this.#clock.sleep(this.#longPollMs, options.signal);
    return await this.#look(options);
  }

  #look(options: CallOptions): Promise<ReceivedMessage | undefined> {
    const before = this.#lastLook;
    const look = before.then(() => this.#lookAlone(options));
    this.#lastLook = look.catch(() => undefined);
    return look;
  }

  async #lookAlone(options: CallOptions): Promise<ReceivedMessage | undefined> {
    options.signal.throwIfAborted();
    const due = await this.#messages.due(options);
    for (const message of due) {
      if (!(await this.#mayReceive(options))) {
        return undefined;
      }
      const received = await this.#claim(message, options);
      if (received !== undefined) {
        return received;
      }
    }
    await this.#giveUpLease(options);
    return undefined;
  }

  async #mayReceive(options: CallOptions): Promise<boolean> {
    if ((await this.#canSwap(options)) || (await this.#lease.take(options))) {
      return true;
    }
    const { othersUntilMs } = this.#lease;
    if (othersUntilMs !== undefined && !this.#isLeaseTold) {
      this.#isLeaseTold = true;
      this.#onLeasedToAnother(await this.#time.toWallMs(othersUntilMs, options));
    }
    return false;
  }

  async #claim(message: DueMessage, options: CallOptions): Promise<ReceivedMessage | undefined> {
    const handle = this.#random.hex(16);
    const claimed = await this.#messages.claim(message, handle, options);
    // A process that stood still meanwhile is not alone any more.
    if (claimed === undefined || !((await this.#canSwap(options)) || this.#lease.isHeld)) {
      return undefined;
    }
    this.#unsettled.add(handle);
    const { body, receiveCount } = claimed;
    return { handle: `${handle}:${message.key}`, receiveCount, body, parsed: parseBody(body) };
  }

  async renew(received: ReceivedMessage, options: CallOptions): Promise<void> {
    const [handle, key] = splitHandle(received);
    const isAlone = (await this.#canSwap(options)) || (await this.#lease.keep(options));
    if (!(isAlone && (await this.#messages.renew(key, handle, options)))) {
      throw new QueueError(HANDLE_EXPIRED);
    }
  }

  /**
   * Removes the message. A handle whose visibility ran out still serves as long as no other runner received
   * the message.
   */
  async acknowledge(received: ReceivedMessage, options: CallOptions): Promise<void> {
    await this.#settle(received, options, async () => undefined);
  }

  async requeue(received: ReceivedMessage, successor: TaskMessage, options: SendOptions): Promise<void> {
    await this.#settle(received, options, () => this.sendBodies([encodeMessage(successor)], options));
  }

  async release(received: ReceivedMessage, options: SendOptions): Promise<void> {
    await this.#settle(received, options, () => this.sendBodies([received.body], options));
  }

  /** Does `first` while the message is still ours, then removes it. */
  async #settle(received: ReceivedMessage, options: CallOptions, first: () => Promise<void>): Promise<void> {
    const [handle, key] = splitHandle(received);
    const isOurs = await this.#messages.isHeldBy(key, handle, options);
    if (isOurs) {
      await first();
      await this.#store.removeObject(key, options);
    }
    this.#unsettled.delete(handle);
    if (!isOurs) {
      throw new QueueError(HANDLE_EXPIRED);
    }
  }

  async send(messages: readonly TaskMessage[], options: SendOptions): Promise<void> {
    await this.sendBodies(messages.map(encodeMessage), options);
  }

  /** Sends bodies as they are, readable or not, as other programs do. */
  async sendBodies(bodies: readonly string[], { delayMs, signal }: SendOptions): Promise<void> {
    if (bodies.length === 0) {
      return;
    }
    const dueAtMs = (await this.#time.nowMs({ signal })) + Math.max(0, delayMs);
    const documents = bodies.map((body) => ({
      newKey: () => queuedMessageKey(this.#newName(dueAtMs)),
      text: messageText({ body }),
    }));
    await this.#messages.write(documents, { signal });
  }

  async deadLetter(letter: DeadLetter, options: CallOptions): Promise<void> {
    const atMs = await this.#time.nowMs(options);
    const document = this.#letters.documentOf(letter, atMs, () => this.#newName(atMs));
    await this.#messages.write([document], options);
  }

  async depth(options: CallOptions): Promise<QueueDepth> {
    const { nextDueAtMs, ...depth } = await this.#messages.depth(options);
    const { othersUntilMs } = this.#lease;
    // What this runner was refused is as good as in flight: it cannot have it before that lease ends.
    const refused = othersUntilMs !== undefined && depth.ready > 0 ? othersUntilMs : undefined;
    const times = [nextDueAtMs, refused].filter((atMs) => atMs !== undefined);
    return {
      ...depth,
      ready: refused === undefined ? depth.ready : 0,
      inFlight: depth.inFlight + (refused === undefined ? 0 : depth.ready),
      nextDueAtMs: times.length === 0 ? undefined : await this.#time.toWallMs(Math.min(...times), options),
    };
  }

  /** The oldest letters, oldest first. */
  async listDeadLetters({
    limit,
    signal,
  }: CallOptions & { readonly limit: number }): Promise<readonly HeldDeadLetter[]> {
    return await this.#letters.list(limit, { signal });
  }

  /** An interruption may leave a letter in both places, never in none. */
  async redrive(ids: readonly string[] | "all", options: CallOptions): Promise<readonly HeldDeadLetter[]> {
    return await this.#letters.move(ids, options, ({ body }) =>
      this.sendBodies([body], { ...options, delayMs: 0 }),
    );
  }

  /** An interruption may leave a letter that is noted, never lose one that is not. */
  async dismiss(
    ids: readonly string[],
    note: (letter: HeldDeadLetter) => Promise<void>,
    options: CallOptions,
  ): Promise<readonly HeldDeadLetter[]> {
    return await this.#letters.dismiss(ids, options, note);
  }

  /** Gives the run lease up; to be called once nothing is under way. Takes 5 s at most. */
  async close(): Promise<void> {
    this.#unsettled.clear();
    try {
      await withTimeLimit(this.#clock, CLOSE_LIMIT_MS, (signal) => this.#giveUpLease({ signal }));
    } catch (error) {
      // A courtesy to the next run: without it the lease runs out within a visibility timeout.
      if (!(error instanceof ArchiverError)) {
        throw error;
      }
    }
  }

  async #giveUpLease(options: CallOptions): Promise<void> {
    if (this.#lease.isHeld && this.#unsettled.size === 0) {
      await this.#lease.release(options);
    }
  }

  async #canSwap(options: CallOptions): Promise<boolean> {
    this.#abilities ??= await this.#store.preflight(options);
    return this.#abilities.compareAndSwap;
  }

  #newName(atMs: number): string {
    this.#sequence += 1;
    return queueEntryName(atMs, this.#sequence, this.#random.hex(8));
  }
}

function splitHandle({ handle }: ReceivedMessage): readonly [handle: string, key: string] {
  const end = handle.indexOf(":");
  return [handle.slice(0, end), handle.slice(end + 1)];
}
