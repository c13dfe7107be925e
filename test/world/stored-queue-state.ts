import * as v from "valibot";
import type { ObjectStore } from "../../lib/ports/object-store.ts";
import type { StoreSweeper } from "../../lib/ports/store-sweeper.ts";
import type { HeldDeadLetter } from "../../lib/ports/task-queue.ts";
import { isNamedBy } from "../../lib/queue/message-codec.ts";
import { StoreQueue, type StoreQueueOptions } from "../../lib/queue/store-queue.ts";
import { idsOf, type JudgedQueue, type QueuedMessage, type QueueSettings } from "./queue-state.ts";
import type { StoreState } from "./store-state.ts";
import type { VirtualClock } from "./virtual-clock.ts";

const MESSAGES = "queue/messages/";
const LETTERS = "queue/dead-letters/";

const messageSchema = v.object({
  schemaVersion: v.literal(1),
  body: v.string(),
  claim: v.optional(v.object({ visibleAt: v.string(), receiveCount: v.number() })),
});
const letterSchema = v.object({
  body: v.string(),
  reason: v.string(),
  detail: v.string(),
  attempts: v.number(),
  runId: v.string(),
});

/** A queue of documents in the archive, read past the program. */
export class StoredQueueState implements JudgedQueue {
  readonly settings: QueueSettings;
  readonly #store: StoreState;
  readonly #clock: VirtualClock;
  readonly #idsEntered = new Set<string>();
  #planted = 0;

  constructor(settings: QueueSettings, store: StoreState, clock: VirtualClock) {
    this.settings = settings;
    this.#store = store;
    this.#clock = clock;
  }

  get messages(): readonly QueuedMessage[] {
    return this.#store.keysUnder(MESSAGES).map((key) => {
      const { body, claim } = messageOf(this.#store.textAt(key) ?? "");
      const visibleAtMs = claim === undefined ? 0 : Date.parse(claim.visibleAt);
      return { id: key, body, visibleAtMs, receiveCount: claim?.receiveCount ?? 0 };
    });
  }

  get deadLetters(): readonly HeldDeadLetter[] {
    return this.#store.keysUnder(LETTERS).map((key) => {
      const letter = v.parse(letterSchema, JSON.parse(this.#store.textAt(key) ?? ""));
      return { ...letter, id: key, deadLetteredAtMs: undefined };
    });
  }

  get idsEntered(): ReadonlySet<string> {
    return this.#idsEntered;
  }

  idsHeld(): ReadonlySet<string> {
    return idsOf(this.messages);
  }

  /** As other programs do: the body alone, under any name. A delay has to be in the name. */
  send(body: string, delayMs = 0): string {
    this.#planted += 1;
    const dueAt = new Date(this.#clock.wallMs() + this.#store.settings.clockSkewMs + delayMs);
    const time = dueAt.toISOString().replaceAll(/[-:.]/g, "");
    const nonce = String(this.#planted).padStart(16, "0");
    const key = `${MESSAGES}${delayMs > 0 ? `${time}-000000-${nonce}` : `planted-${nonce}`}.json`;
    this.#store.plantObject(key, Buffer.from(body, "utf8"));
    this.#enter(body);
    return key;
  }

  redrive(ids: readonly string[] | "all"): readonly HeldDeadLetter[] {
    const named = new Set(ids === "all" ? [] : ids);
    const chosen = this.deadLetters.filter((letter) => ids === "all" || isNamedBy(named, letter));
    for (const { id, body } of chosen) {
      this.send(body);
      this.#store.removeObject(id);
    }
    return chosen;
  }

  documentWritten(key: string, text: string): void {
    if (key.startsWith(MESSAGES)) {
      this.#enter(messageOf(text).body);
    }
  }

  #enter(body: string): void {
    for (const id of idsOf([{ body }])) {
      this.#idsEntered.add(id);
    }
  }
}

function messageOf(text: string): Pick<v.InferOutput<typeof messageSchema>, "body" | "claim"> {
  const json: unknown = text.startsWith("{") ? JSON.parse(text) : undefined;
  const parsed = v.safeParse(messageSchema, json);
  return parsed.success ? parsed.output : { body: text };
}

type Parts = Pick<StoreQueueOptions, "visibilityMs" | "clock" | "random"> & { readonly longPollMs: number };

/** The adapter under test, on the store as a runner's programs open it. */
export function queueInStore(store: ObjectStore, parts: Parts): StoreQueue {
  if (!hasRemoval(store)) {
    throw new TypeError("a queue in the store removes messages, and this store removes nothing");
  }
  return new StoreQueue(store, {
    ...parts,
    onOddFile: () => undefined,
    onLeasedToAnother: () => undefined,
  });
}

function hasRemoval(store: ObjectStore): store is ObjectStore & Pick<StoreSweeper, "removeObject"> {
  return "removeObject" in store;
}
