import type { CallOptions } from "../ports/platform.ts";
import type { DeadLetterQueue, TaskQueue } from "../ports/task-queue.ts";

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

  // Asked of the queue itself, once it is open.
  readonly receive: Queue["receive"] = async (call) => (await this.#opened(call)).receive(call);
  readonly renew: Queue["renew"] = async (received, call) => (await this.#opened(call)).renew(received, call);
  readonly send: Queue["send"] = async (messages, call) => (await this.#opened(call)).send(messages, call);
  readonly acknowledge: Queue["acknowledge"] = async (received, call) =>
    (await this.#opened(call)).acknowledge(received, call);
  readonly requeue: Queue["requeue"] = async (received, successor, call) =>
    (await this.#opened(call)).requeue(received, successor, call);
  readonly release: Queue["release"] = async (received, call) =>
    (await this.#opened(call)).release(received, call);
  readonly depth: Queue["depth"] = async (call) => (await this.#opened(call)).depth(call);
  readonly listDeadLetters: Queue["listDeadLetters"] = async (call) =>
    (await this.#opened(call)).listDeadLetters(call);
  readonly redrive: Queue["redrive"] = async (ids, call) => (await this.#opened(call)).redrive(ids, call);
  readonly dismiss: Queue["dismiss"] = async (ids, note, call) =>
    (await this.#opened(call)).dismiss(ids, note, call);

  /** A dead letter is kept without secrets that others have planted. */
  readonly deadLetter: Queue["deadLetter"] = async (letter, call) => {
    const { redact } = this.#parts;
    const shown = { ...letter, body: redact(letter.body), detail: redact(letter.detail) };
    await (await this.#opened(call)).deadLetter(shown, call);
  };

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
