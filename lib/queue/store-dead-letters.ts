import * as v from "valibot";
import { compareTexts } from "../domain/compare-texts.ts";
import { inBatches } from "../domain/promises.ts";
import { QUEUED_LETTERS_FOLDER, queuedLetterKey } from "../domain/queue-layout.ts";
import type { ListedObject, StoredDocument } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { DeadLetter, HeldDeadLetter } from "../ports/task-queue.ts";
import { jsonText } from "../records/create-once.ts";
import { isoTime, parseRecord, SCHEMA_VERSION, schemaVersion } from "../records/schemas.ts";
import { isNamedBy, MAX_BODY_BYTES, withoutProgress } from "./message-codec.ts";
import type { QueueStore } from "./queue-store.ts";
import type { NewDocument } from "./store-messages.ts";

/** Letters that are read at once. */
const AT_ONCE = 8;
const UNKNOWN = "unknown";

const letterSchema = v.object({
  schemaVersion,
  body: v.string(),
  reason: v.string(),
  detail: v.string(),
  attempts: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  runId: v.string(),
  deadLetteredAt: isoTime,
});

interface FoundLetter {
  readonly key: string;
  readonly held: HeldDeadLetter;
  /** Whether its body fits into a message. */
  readonly canMove: boolean;
}

/** The dead letters below `queue/dead-letters/`, one document each. A letter's id is the name of its file. */
export class StoreDeadLetters {
  readonly #store: QueueStore;

  constructor(store: QueueStore) {
    this.#store = store;
  }

  /** The document of a letter. @param newName is asked for a name that no other letter has. */
  documentOf(letter: DeadLetter, atMs: number, newName: () => string): NewDocument {
    const { body, reason, detail, attempts, runId } = letter;
    const deadLetteredAt = new Date(atMs).toISOString();
    const text = jsonText({
      ...{ schemaVersion: SCHEMA_VERSION, body: withoutProgress(body) },
      ...{ reason, detail, attempts, runId, deadLetteredAt },
    });
    return { newKey: () => queuedLetterKey(newName()), text };
  }

  /** Up to `limit` letters, oldest first. */
  async list(limit: number, options: CallOptions): Promise<readonly HeldDeadLetter[]> {
    const letters: HeldDeadLetter[] = [];
    const objects = (await this.#objects(options)).slice(0, Math.max(0, limit));
    for await (const letter of inBatches(objects, AT_ONCE, (one) => this.#read(one, options))) {
      letters.push(...(letter === undefined ? [] : [letter.held]));
    }
    return letters;
  }

  /** Removes the letters that are named and can be a message, each once `send` is done with it. Oldest first. */
  async move(
    ids: readonly string[] | "all",
    options: CallOptions,
    send: (letter: HeldDeadLetter) => Promise<void>,
  ): Promise<readonly HeldDeadLetter[]> {
    const named = new Set(ids === "all" ? [] : ids);
    const isNamed = (held: HeldDeadLetter) => ids === "all" || isNamedBy(named, held);
    return await this.#take(({ held, canMove }) => canMove && isNamed(held), options, send);
  }

  /** Removes the letters that are named, each once `note` is done with it. Oldest first. */
  async dismiss(
    ids: readonly string[],
    options: CallOptions,
    note: (letter: HeldDeadLetter) => Promise<void>,
  ): Promise<readonly HeldDeadLetter[]> {
    const named = new Set(ids);
    return await this.#take(({ held }) => isNamedBy(named, held), options, note);
  }

  async #take(
    isMeant: (letter: FoundLetter) => boolean,
    options: CallOptions,
    before: (letter: HeldDeadLetter) => Promise<void>,
  ): Promise<readonly HeldDeadLetter[]> {
    const taken: HeldDeadLetter[] = [];
    const objects = await this.#objects(options);
    for await (const letter of inBatches(objects, AT_ONCE, (one) => this.#read(one, options))) {
      options.signal.throwIfAborted();
      if (letter !== undefined && isMeant(letter)) {
        await before(letter.held);
        await this.#store.removeObject(letter.key, options);
        taken.push(letter.held);
      }
    }
    return taken;
  }

  async #objects(options: CallOptions): Promise<readonly ListedObject[]> {
    options.signal.throwIfAborted();
    const objects: ListedObject[] = [];
    for await (const object of this.#store.list(QUEUED_LETTERS_FOLDER, options)) {
      if (object.oddity === undefined) {
        objects.push(object);
      }
    }
    return objects.sort((a, b) => compareTexts(a.key, b.key));
  }

  /** `undefined` when somebody took the letter away meanwhile. */
  async #read(object: ListedObject, options: CallOptions): Promise<FoundLetter | undefined> {
    const document = await this.#store.getDocument(object.key, options);
    if (document === undefined) {
      return undefined;
    }
    const held = heldLetter(object, document);
    const canMove = document.text !== undefined && Buffer.byteLength(held.body, "utf8") <= MAX_BODY_BYTES;
    return { key: object.key, held, canMove };
  }
}

/** What no run of this program wrote is shown too, as far as it can be. */
function heldLetter({ key, modifiedAtMs }: ListedObject, document: StoredDocument): HeldDeadLetter {
  const id = key.slice(QUEUED_LETTERS_FOLDER.length).replace(/\.json$/, "");
  const letter = parseRecord(letterSchema, document);
  if (letter === undefined) {
    return {
      ...{ id, body: document.text ?? "", reason: UNKNOWN, attempts: 0, runId: UNKNOWN },
      detail: "This file is not a dead letter as the archiver writes them.",
      deadLetteredAtMs: modifiedAtMs,
    };
  }
  const { body, reason, detail, attempts, runId, deadLetteredAt } = letter;
  return { id, body, reason, detail, attempts, runId, deadLetteredAtMs: Date.parse(deadLetteredAt) };
}
