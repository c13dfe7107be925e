import type { Clock } from "../ports/clock.ts";
import type { CallOptions } from "../ports/platform.ts";
import { type DeadLetterQueue, type HeldDeadLetter, QueueError } from "../ports/task-queue.ts";
import { isNamedBy } from "./message-codec.ts";
import type { SqsCaller } from "./sqs-caller.ts";
import { messageOfLetter, readLetter, type SqsReceived } from "./sqs-messages.ts";
import {
  deleteMessage,
  MAX_MESSAGES_OF_REQUEST,
  receiveMessages,
  sendAll,
  showAgain,
} from "./sqs-requests.ts";

interface SqsDeadLettersOptions {
  readonly letters: SqsCaller;
  readonly tasks: SqsCaller;
  readonly clock: Clock;
  readonly waitSeconds: number;
}

/** How long a letter that was looked at stays hidden if the program dies before it shows it again. */
const LOOK_VISIBILITY_SECONDS = 30;
/** An empty long poll has asked every server of the queue; a short one is enough with few letters. */
const MAX_WAIT_SECONDS = 2;
/** The most letters of one listing or redrive; in redrives it also ends a loop of letters that come right back. */
const MAX_LETTERS = 10_000;
/** A queue with many letters hands some out twice while others were not shown yet. */
const MAX_RECEIVES_WITHOUT_NEWS = 3;
const SHOW_AGAIN_LIMIT_MS = 5_000;

/**
 * The dead-letter queue for an operator. SQS has no way to look without receiving: letters are received,
 * hidden for a moment, and shown again at the end.
 */
export class SqsDeadLetters implements DeadLetterQueue {
  readonly #letters: SqsCaller;
  readonly #tasks: SqsCaller;
  readonly #clock: Clock;
  readonly #waitSeconds: number;

  constructor({ letters, tasks, clock, waitSeconds }: SqsDeadLettersOptions) {
    this.#letters = letters;
    this.#tasks = tasks;
    this.#clock = clock;
    this.#waitSeconds = Math.min(waitSeconds, MAX_WAIT_SECONDS);
  }

  /** Up to `limit` letters (at most 10,000), those of them sent first before the others. Ids are SQS message ids. */
  async listDeadLetters({
    limit,
    signal,
  }: CallOptions & { readonly limit: number }): Promise<readonly HeldDeadLetter[]> {
    const seen: SqsReceived[] = [];
    await this.#walk(signal, {
      wanted: () => limit - seen.length,
      visit: async (letter) => {
        seen.push(letter);
        return "left";
      },
    });
    return seen.toSorted((one, other) => (one.sentAtMs ?? 0) - (other.sentAtMs ?? 0)).map(readLetter);
  }

  /** At most 10,000 letters at a time. An interruption may leave a letter in both queues, never in none. */
  async redrive(ids: readonly string[] | "all", { signal }: CallOptions): Promise<readonly HeldDeadLetter[]> {
    return await this.#take(ids, signal, (letter) =>
      sendAll(this.#tasks, this.#clock, [messageOfLetter(letter)], { signal, delayMs: 0 }),
    );
  }

  /** At most 10,000 letters at a time. An interruption may leave a letter that is noted, never lose one that is not. */
  async dismiss(
    ids: readonly string[],
    note: (letter: HeldDeadLetter) => Promise<void>,
    { signal }: CallOptions,
  ): Promise<readonly HeldDeadLetter[]> {
    return await this.#take(ids, signal, (letter) => note(readLetter(letter)));
  }

  /** Removes the letters that are named, each once `before` is done with it. */
  async #take(
    ids: readonly string[] | "all",
    signal: AbortSignal,
    before: (letter: SqsReceived) => Promise<void>,
  ): Promise<readonly HeldDeadLetter[]> {
    const named = new Set(ids === "all" ? [] : ids);
    // Of an export task there may always be one letter more; of a letter's own id there is one.
    const open = new Set(named);
    const taken: HeldDeadLetter[] = [];
    await this.#walk(signal, {
      wanted: () => (ids === "all" || open.size > 0 ? MAX_LETTERS : 0),
      visit: async (letter) => {
        const held = readLetter(letter);
        if (ids !== "all" && !isNamedBy(named, held)) {
          return "left";
        }
        await before(letter);
        await deleteMessage(this.#letters, letter.handle, { signal });
        open.delete(held.id);
        taken.push(held);
        return "removed";
      },
    });
    return taken;
  }

  /** Receives letters, each visited once, until no more are wanted or no new ones come; shows again what is left. */
  async #walk(
    signal: AbortSignal,
    { wanted, visit }: { wanted: () => number; visit: (letter: SqsReceived) => Promise<"left" | "removed"> },
  ): Promise<void> {
    signal.throwIfAborted();
    const visited = new Set<string>();
    const hidden = new Map<string, string>();
    let receivesWithoutNews = 0;
    try {
      while (visited.size < MAX_LETTERS && receivesWithoutNews < MAX_RECEIVES_WITHOUT_NEWS) {
        const maxMessages = Math.min(MAX_MESSAGES_OF_REQUEST, Math.floor(wanted()));
        const batch = maxMessages < 1 ? [] : await this.#receive(maxMessages, signal);
        if (batch.length === 0) {
          return;
        }
        for (const { messageId, handle } of batch) {
          hidden.set(messageId, handle);
        }
        const news = batch.filter(({ messageId }) => !visited.has(messageId));
        receivesWithoutNews = news.length === 0 ? receivesWithoutNews + 1 : 0;
        for (const letter of news) {
          visited.add(letter.messageId);
          if ((await visit(letter)) === "removed") {
            hidden.delete(letter.messageId);
          }
        }
      }
    } finally {
      await this.#showAgain([...hidden.values()]);
    }
  }

  async #receive(maxMessages: number, signal: AbortSignal): Promise<readonly SqsReceived[]> {
    return await receiveMessages(this.#letters, {
      maxMessages,
      visibilitySeconds: LOOK_VISIBILITY_SECONDS,
      waitSeconds: this.#waitSeconds,
      signal,
    });
  }

  /** Goes on while the walk is being stopped, so it has a signal of its own. */
  async #showAgain(handles: readonly string[]): Promise<void> {
    const signal = AbortSignal.timeout(SHOW_AGAIN_LIMIT_MS);
    try {
      for (let start = 0; start < handles.length; start += MAX_MESSAGES_OF_REQUEST) {
        await showAgain(this.#letters, handles.slice(start, start + MAX_MESSAGES_OF_REQUEST), { signal });
      }
    } catch (thrown) {
      // A courtesy to the next listing: without it the letters come back by themselves, after 30 s.
      if (!(thrown instanceof QueueError) && !signal.aborted) {
        throw thrown;
      }
    }
  }
}
