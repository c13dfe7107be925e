import type { TaskMessage } from "../domain/task-message.ts";
import type { CallOptions } from "../ports/platform.ts";
import type {
  DeadLetter,
  DeadLetterOptions,
  DeadLetterQueue,
  HeldDeadLetter,
  QueueDepth,
  ReceivedMessage,
  SendOptions,
  TaskQueue,
} from "../ports/task-queue.ts";

type Queue = TaskQueue & DeadLetterQueue;

export interface ArchiveQueueParts {
  readonly visibilityMs: number;
  /** Opens the archive; throws when the store is not the archive that is meant. */
  readonly archive: (options: CallOptions) => Promise<unknown>;
  /** A text as a dead letter may keep it: without the secrets that are known. */
  readonly redact: (text: string) => string;
  /** Opens the queue, which may make its file. */
  readonly open: () => Promise<Queue>;
}

/**
 * The queue of an archive: whatever is asked of it, the archive is opened first, and only then the queue. So no queue
 * is made, and no message sent, on behalf of the wrong place. Every method also throws what opening either throws.
 */
export class ArchiveQueue implements TaskQueue, DeadLetterQueue {
  readonly visibilityMs: number;
  readonly #parts: ArchiveQueueParts;
  #queue: Promise<Queue> | undefined;

  constructor(parts: ArchiveQueueParts) {
    this.visibilityMs = parts.visibilityMs;
    this.#parts = parts;
  }

  async receive(options: CallOptions): Promise<ReceivedMessage | undefined> {
    return await (await this.#opened(options)).receive(options);
  }

  async renew(received: ReceivedMessage, options: CallOptions): Promise<void> {
    await (await this.#opened(options)).renew(received, options);
  }

  async send(messages: readonly TaskMessage[], options: SendOptions): Promise<void> {
    await (await this.#opened(options)).send(messages, options);
  }

  async acknowledge(received: ReceivedMessage, options: CallOptions): Promise<void> {
    await (await this.#opened(options)).acknowledge(received, options);
  }

  async requeue(received: ReceivedMessage, successor: TaskMessage, options: SendOptions): Promise<void> {
    await (await this.#opened(options)).requeue(received, successor, options);
  }

  async release(received: ReceivedMessage, options: SendOptions): Promise<void> {
    await (await this.#opened(options)).release(received, options);
  }

  async deadLetter(letter: DeadLetter, options: DeadLetterOptions): Promise<void> {
    const { redact } = this.#parts;
    const shown = { ...letter, body: redact(letter.body), detail: redact(letter.detail) };
    await (await this.#opened(options)).deadLetter(shown, options);
  }

  async depth(options: CallOptions): Promise<QueueDepth> {
    return await (await this.#opened(options)).depth(options);
  }

  async listDeadLetters(
    options: CallOptions & { readonly limit: number },
  ): Promise<readonly HeldDeadLetter[]> {
    return await (await this.#opened(options)).listDeadLetters(options);
  }

  async redrive(ids: readonly string[] | "all", options: CallOptions): Promise<readonly HeldDeadLetter[]> {
    return await (await this.#opened(options)).redrive(ids, options);
  }

  async dismiss(
    ids: readonly string[],
    note: (letter: HeldDeadLetter) => Promise<void>,
    options: CallOptions,
  ): Promise<readonly HeldDeadLetter[]> {
    return await (await this.#opened(options)).dismiss(ids, note, options);
  }

  /** The queue, once the archive is open. One that could not be opened is tried again by the next call. */
  async #opened(options: CallOptions): Promise<Queue> {
    await this.#parts.archive(options);
    this.#queue ??= this.#parts.open();
    const opening = this.#queue;
    try {
      return await opening;
    } catch (error) {
      if (this.#queue === opening) {
        this.#queue = undefined;
      }
      throw error;
    }
  }
}
