import type { Clock } from "../../ports/clock.ts";
import type {
  ListedObject,
  StoreAbilities,
  StoredDocument,
  WriteCondition,
} from "../../ports/object-store.ts";
import type { CallOptions } from "../../ports/platform.ts";
import type { QueueStore } from "../queue-store.ts";

/** What every memory store of a test shares: the content of one store. */
export type Documents = Map<
  string,
  { readonly text: string | undefined; readonly version: number; readonly atMs: number }
>;

/** The name of a call, and the key or prefix it is about. */
export type StoreCall = readonly [method: keyof QueueStore, subject: string];

/** A store in memory, with or without conditional writes. */
export class MemoryStore implements QueueStore {
  readonly calls: StoreCall[] = [];
  /** What the store's clock is ahead of the runner's. */
  skewMs = 0;
  /** Called before each call; what it throws is the answer. */
  before: (call: StoreCall) => void | Promise<void> = () => undefined;
  /** Called after each call has had its effect; what it throws is the answer. */
  after: (call: StoreCall) => void | Promise<void> = () => undefined;
  readonly #documents: Documents;
  readonly #clock: Clock;
  readonly #canSwap: boolean;

  constructor(documents: Documents, clock: Clock, canSwap: boolean) {
    this.#documents = documents;
    this.#clock = clock;
    this.#canSwap = canSwap;
  }

  preflight(options: CallOptions): Promise<StoreAbilities> {
    return this.#call(["preflight", ""], options, () => ({
      createOnce: this.#canSwap,
      compareAndSwap: this.#canSwap,
      verification: "read-back",
    }));
  }

  readClockMs(options: CallOptions): Promise<number> {
    return this.#call(["readClockMs", ""], options, () => this.#nowMs());
  }

  async *list(prefix: string, options: CallOptions): AsyncGenerator<ListedObject> {
    const found = await this.#call(["list", prefix], options, () =>
      [...this.#documents].filter(([key]) => key.startsWith(prefix)),
    );
    // In no order, as the port says.
    for (const [key, { text = "", atMs }] of found.reverse()) {
      yield {
        ...{ key, sizeBytes: text.length, modifiedAtMs: atMs },
        ...(key.endsWith("/") ? { oddity: "is a folder marker" } : {}),
      };
    }
  }

  getDocument(key: string, options: CallOptions): Promise<StoredDocument | undefined> {
    return this.#call(["getDocument", key], options, () => {
      const found = this.#documents.get(key);
      return found && { text: found.text, etag: String(found.version) };
    });
  }

  putDocument(
    key: string,
    text: string,
    condition: WriteCondition,
    options: CallOptions,
  ): Promise<{ readonly etag: string } | "conflict"> {
    return this.#call(["putDocument", key], options, () => {
      const found = this.#documents.get(key);
      if (condition.kind !== "always" && !this.#canSwap) {
        throw new Error("this store ignores conditions of writes");
      }
      const holds =
        condition.kind === "always" ||
        (condition.kind === "if-absent" ? found === undefined : String(found?.version) === condition.etag);
      if (!holds) {
        return "conflict" as const;
      }
      return { etag: String(this.plant(key, text)) };
    });
  }

  removeObject(key: string, options: CallOptions): Promise<void> {
    return this.#call(["removeObject", key], options, () => {
      this.#documents.delete(key);
    });
  }

  /** Puts a document there as somebody else does. `undefined`: bytes that make up no text. */
  plant(key: string, text: string | undefined): number {
    const version = (this.#documents.get(key)?.version ?? 0) + 1;
    this.#documents.set(key, { text, version, atMs: this.#nowMs() });
    return version;
  }

  async #call<T>(call: StoreCall, { signal }: CallOptions, effect: () => T): Promise<T> {
    signal.throwIfAborted();
    this.calls.push(call);
    await this.before(call);
    const answer = effect();
    await this.after(call);
    signal.throwIfAborted();
    return answer;
  }

  #nowMs(): number {
    return this.#clock.wallMs() + this.skewMs;
  }
}
