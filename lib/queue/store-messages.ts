import { compareTexts } from "../domain/compare-texts.ts";
import { inBatches } from "../domain/promises.ts";
import {
  parseQueueEntryTime,
  QUEUE_FOLDER,
  QUEUED_LETTERS_FOLDER,
  QUEUED_MESSAGES_FOLDER,
} from "../domain/queue-layout.ts";
import type { ListedObject, StoredDocument, WriteCondition } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { type QueueDepth, QueueError } from "../ports/task-queue.ts";
import { UNAVAILABLE } from "./queue-errors.ts";
import type { QueueStore, StoreTime } from "./queue-store.ts";
import { hiddenUntilMs, messageText, type QueuedMessage, readMessage } from "./queued-message.ts";

/** Requests of one call that are under way at once. */
const AT_ONCE = 8;
/** A receive looks at this many messages at most, those due first; more than the platform has exports. */
const MAX_CANDIDATES = 1_000;
/** Of messages that changed lately, this many are read to tell how many are in flight. */
const MAX_READ_FOR_DEPTH = 100;
/** Lists show times in whole seconds. */
const LISTED_TIME_ERROR_MS = 2_000;
/** Each time under a new name. */
const MAX_WRITES = 3;

/** A message that may be received now, as a list shows it. */
export type DueMessage = Pick<ListedObject, "key" | "modifiedAtMs" | "sizeBytes">;

interface StoreMessagesParts {
  readonly store: QueueStore;
  readonly time: StoreTime;
  readonly visibilityMs: number;
  readonly onOddFile: (key: string, problem: string) => void;
  /** Whether the store has compare-and-swap. */
  readonly canSwap: (options: CallOptions) => Promise<boolean>;
}

/** What was read of a message that somebody holds. */
interface Hidden extends Pick<ListedObject, "modifiedAtMs" | "sizeBytes"> {
  readonly untilMs: number;
}

export interface NewDocument {
  readonly text: string;
  /** Makes a key that no other document has. Called in the order of the documents, and again where one is taken. */
  readonly newKey: () => string;
}

/** The documents below `queue/messages/`: finding, claiming, renewing and writing them. */
export class StoreMessages {
  readonly #parts: StoreMessagesParts;
  /** By key: messages in flight, so that not each look reads them all again. */
  readonly #hidden = new Map<string, Hidden>();
  readonly #toldOf = new Set<string>();

  constructor(parts: StoreMessagesParts) {
    this.#parts = parts;
  }

  /** The messages that may be visible, those due first in front. One LIST. */
  async due(options: CallOptions): Promise<readonly DueMessage[]> {
    const nowMs = await this.#parts.time.nowMs(options);
    const due: DueMessage[] = [];
    const known = new Map(this.#hidden);
    for await (const object of this.#parts.store.list(QUEUED_MESSAGES_FOLDER, options)) {
      options.signal.throwIfAborted();
      if (!this.#isMessage(object)) {
        continue;
      }
      known.delete(object.key);
      if (dueAtMs(object) <= nowMs && !this.#isKnownHidden(object, nowMs)) {
        due.push(object);
        if (due.length >= 2 * MAX_CANDIDATES) {
          due.sort(byKey).splice(MAX_CANDIDATES);
        }
      }
    }
    for (const settled of known.keys()) {
      this.#hidden.delete(settled);
    }
    return due.sort(byKey).slice(0, MAX_CANDIDATES);
  }

  /**
   * Claims a message, unless it is hidden, settled or no message at all.
   *
   * @param handle random, of this receive.
   */
  async claim(
    { key, modifiedAtMs, sizeBytes }: DueMessage,
    handle: string,
    options: CallOptions,
  ): Promise<{ readonly body: string; readonly receiveCount: number } | undefined> {
    const { store, time, visibilityMs } = this.#parts;
    const document = await store.getDocument(key, options);
    if (document === undefined) {
      return undefined;
    }
    const found = readMessage(document);
    if (found.kind === "odd") {
      this.#tell(key, found.problem);
      return undefined;
    }
    const { message } = found;
    const nowMs = await time.nowMs(options);
    const untilMs = hiddenUntilMs(message, nowMs);
    if (untilMs !== undefined) {
      this.#hidden.set(key, { modifiedAtMs, sizeBytes, untilMs });
      return undefined;
    }
    const receiveCount = (message.claim?.receiveCount ?? 0) + 1;
    const visibleAt = new Date(nowMs + visibilityMs).toISOString();
    const claimed = { body: message.body, claim: { handle, visibleAt, receiveCount } };
    return (await this.#replace(key, document, claimed, options))
      ? { body: message.body, receiveCount }
      : undefined;
  }

  /** Starts the visibility timeout again. @returns false when it ran out, or another runner has the message. */
  async renew(key: string, handle: string, options: CallOptions): Promise<boolean> {
    const { store, time, visibilityMs } = this.#parts;
    const document = await store.getDocument(key, options);
    const message = messageHeldBy(document, handle);
    const nowMs = await time.nowMs(options);
    if (
      document === undefined ||
      message?.claim === undefined ||
      hiddenUntilMs(message, nowMs) === undefined
    ) {
      return false;
    }
    const claim = { ...message.claim, visibleAt: new Date(nowMs + visibilityMs).toISOString() };
    return await this.#replace(key, document, { body: message.body, claim }, options);
  }

  /** Whether the message is there and no other runner received it since. */
  async isHeldBy(key: string, handle: string, options: CallOptions): Promise<boolean> {
    return messageHeldBy(await this.#parts.store.getDocument(key, options), handle) !== undefined;
  }

  /** Writes new documents, several at a time. All are durable when it resolves. */
  async write(documents: readonly NewDocument[], options: CallOptions): Promise<void> {
    const named = documents.map((one) => ({ ...one, key: one.newKey() }));
    for await (const _written of inBatches(named, AT_ONCE, (one) => this.#writeNew(one, options))) {
      options.signal.throwIfAborted();
    }
  }

  /** What lies in the queue. Messages in flight are told by those that changed lately. */
  async depth(options: CallOptions): Promise<QueueDepth> {
    const { time, visibilityMs } = this.#parts;
    const nowMs = await time.nowMs(options);
    let ready = 0;
    let deadLetters = 0;
    const dueTimes: number[] = [];
    const changed: DueMessage[] = [];
    for await (const object of this.#parts.store.list(QUEUE_FOLDER, options)) {
      options.signal.throwIfAborted();
      if (object.key.startsWith(QUEUED_LETTERS_FOLDER) && object.oddity === undefined) {
        deadLetters += 1;
      } else if (!object.key.startsWith(QUEUED_MESSAGES_FOLDER) || !this.#isMessage(object)) {
        // The run lease, or what cannot be a message.
      } else if (dueAtMs(object) > nowMs) {
        dueTimes.push(dueAtMs(object));
      } else if (
        changed.length < MAX_READ_FOR_DEPTH &&
        nowMs - object.modifiedAtMs < visibilityMs + LISTED_TIME_ERROR_MS
      ) {
        changed.push(object);
      } else {
        ready += 1;
      }
    }
    const delayed = dueTimes.length;
    let inFlight = 0;
    for await (const untilMs of inBatches(changed, AT_ONCE, (one) => this.#readHidden(one, nowMs, options))) {
      if (untilMs === "ready") {
        ready += 1;
      } else if (untilMs !== "none") {
        inFlight += 1;
        dueTimes.push(untilMs);
      }
    }
    const nextDueAtMs = dueTimes.length === 0 ? undefined : least(dueTimes);
    return { ready, delayed, inFlight, deadLetters, nextDueAtMs };
  }

  async #readHidden(
    { key }: DueMessage,
    nowMs: number,
    options: CallOptions,
  ): Promise<number | "ready" | "none"> {
    const document = await this.#parts.store.getDocument(key, options);
    const found = document && readMessage(document);
    if (found?.kind !== "message") {
      return "none";
    }
    return hiddenUntilMs(found.message, nowMs) ?? "ready";
  }

  /** @returns whether the document is ours now; also where an answer was lost on the way. */
  async #replace(
    key: string,
    { etag }: StoredDocument,
    message: Omit<QueuedMessage, "schemaVersion">,
    options: CallOptions,
  ): Promise<boolean> {
    const { store, canSwap } = this.#parts;
    const text = messageText(message);
    const condition: WriteCondition = (await canSwap(options))
      ? { kind: "if-match", etag }
      : { kind: "always" };
    const isOurs = async () => (await store.getDocument(key, options))?.text === text;
    try {
      return (await store.putDocument(key, text, condition, options)) !== "conflict" || (await isOurs());
    } catch (error) {
      options.signal.throwIfAborted();
      if (await isOurs()) {
        return true;
      }
      throw error;
    }
  }

  async #writeNew(
    { key, text, newKey }: NewDocument & { readonly key: string },
    options: CallOptions,
  ): Promise<void> {
    const { store, canSwap } = this.#parts;
    const condition: WriteCondition = { kind: (await canSwap(options)) ? "if-absent" : "always" };
    let name = key;
    for (let count = 0; count < MAX_WRITES; count += 1) {
      const written = await store.putDocument(name, text, condition, options);
      // A conflict can only be with our own write, whose answer was lost: the name is random.
      if (written !== "conflict" || (await store.getDocument(name, options)) !== undefined) {
        return;
      }
      name = newKey();
    }
    throw new QueueError({
      ...UNAVAILABLE,
      problem: "the store refused new documents of the queue as if they were there",
      hint: "Run again later. If it happens again, look at the conditional writes of the store.",
    });
  }

  #isKnownHidden({ key, modifiedAtMs, sizeBytes }: ListedObject, nowMs: number): boolean {
    const hidden = this.#hidden.get(key);
    return (
      hidden !== undefined &&
      hidden.untilMs > nowMs &&
      hidden.modifiedAtMs === modifiedAtMs &&
      hidden.sizeBytes === sizeBytes
    );
  }

  #isMessage({ key, oddity }: ListedObject): boolean {
    this.#tell(key, oddity);
    return oddity === undefined;
  }

  #tell(key: string, problem: string | undefined): void {
    if (problem !== undefined && !this.#toldOf.has(key)) {
      this.#toldOf.add(key);
      this.#parts.onOddFile(key, problem);
    }
  }
}

function messageHeldBy(document: StoredDocument | undefined, handle: string): QueuedMessage | undefined {
  const found = document && readMessage(document);
  return found?.kind === "message" && found.message.claim?.handle === handle ? found.message : undefined;
}

function dueAtMs({ key }: Pick<ListedObject, "key">): number {
  return parseQueueEntryTime(key) ?? 0;
}

function byKey(a: DueMessage, b: DueMessage): number {
  return compareTexts(a.key, b.key);
}

function least(times: readonly number[]): number {
  return times.reduce((a, b) => Math.min(a, b));
}
