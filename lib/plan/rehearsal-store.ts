import {
  type BodyProof,
  type ListedObject,
  type ObjectInfo,
  type ObjectStore,
  type ReadOptions,
  type StoreAbilities,
  type StoredDocument,
  type StoredObject,
  StoreError,
  type Upload,
  type WriteCondition,
} from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { RehearsalClock } from "./rehearsal-clock.ts";

/** All that a rehearsal asks of the real store: nothing here changes it. */
export type ReadableStore = Pick<ObjectStore, "head" | "read" | "list" | "getDocument" | "readClockMs">;

export interface RehearsalStoreParts {
  readonly real: ReadableStore;
  readonly clock: RehearsalClock;
  /** What a run would find the store to be able to do. */
  readonly abilities: StoreAbilities;
  /** Documents that the rehearsal does without although they are there. */
  readonly hidden: ReadonlySet<string>;
}

/** What the rehearsal wrote at a key. */
interface Written {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly modifiedAtMs: number;
}

/**
 * A store whose reads go to the real one and whose writes stay here, where later reads see them. The real store stands
 * still as long as the rehearsal goes on: what was read once is not asked for again.
 */
export class RehearsalStore implements ObjectStore {
  readonly #parts: RehearsalStoreParts;
  readonly #written = new Map<string, Written>();
  readonly #heads = new Map<string, Promise<ObjectInfo | undefined>>();
  readonly #documents = new Map<string, Promise<StoredDocument | undefined>>();
  readonly #lists = new Map<string, Promise<readonly ListedObject[]>>();
  #writes = 0;

  constructor(parts: RehearsalStoreParts) {
    this.#parts = parts;
  }

  async preflight({ signal }: CallOptions): Promise<StoreAbilities> {
    signal.throwIfAborted();
    return this.#parts.abilities;
  }

  assume(): StoreAbilities {
    return this.#parts.abilities;
  }

  async readClockMs(options: CallOptions): Promise<number> {
    return await this.#parts.clock.during(() => this.#parts.real.readClockMs(options));
  }

  async openUpload(key: string, { signal }: CallOptions): Promise<Upload> {
    signal.throwIfAborted();
    const chunks: Uint8Array[] = [];
    return {
      write: async (chunk) => {
        chunks.push(Uint8Array.from(chunk));
      },
      complete: async ({ sizeBytes }: BodyProof) => {
        const { etag } = this.#write(key, Buffer.concat(chunks));
        return { key, sizeBytes, etag };
      },
      abort: async () => undefined,
    };
  }

  async head(key: string, options: CallOptions): Promise<ObjectInfo | undefined> {
    options.signal.throwIfAborted();
    const written = this.#written.get(key);
    return written === undefined
      ? await this.#once(this.#heads, key, () => this.#parts.real.head(key, options))
      : { sizeBytes: written.bytes.length, etag: written.etag };
  }

  /** Only what the rehearsal itself has written is ever confirmed. */
  async confirmStored({ key, etag }: StoredObject, { signal }: CallOptions): Promise<void> {
    signal.throwIfAborted();
    if (this.#written.get(key)?.etag !== etag) {
      throw new StoreError(
        {
          code: "store-copy-differs",
          problem: "the rehearsal wrote no such object",
          scope: "task",
          retry: "never",
          hint: "This is a fault of the program.",
        },
        key,
      );
    }
  }

  async *read(key: string, options: ReadOptions): AsyncGenerator<Uint8Array> {
    options.signal.throwIfAborted();
    const written = this.#written.get(key);
    if (written !== undefined) {
      yield written.bytes.subarray(options.range?.startByte, options.range?.endByteExclusive);
      return;
    }
    // From the first byte to the last: whoever reads may work on a chunk meanwhile, on other threads too.
    const end = this.#parts.clock.beginCall();
    try {
      yield* this.#parts.real.read(key, options);
    } finally {
      end();
    }
  }

  async *list(prefix: string, options: CallOptions): AsyncGenerator<ListedObject> {
    options.signal.throwIfAborted();
    const real = await this.#once(this.#lists, prefix, () => this.#listReal(prefix, options));
    yield* real.filter(({ key }) => !this.#written.has(key));
    for (const [key, { bytes, modifiedAtMs }] of this.#written) {
      if (key.startsWith(prefix)) {
        yield { key, sizeBytes: bytes.length, modifiedAtMs };
      }
    }
  }

  /** Uploads that a dead run left open are not aborted. */
  async abortUploadsUnder(_prefix: string, { signal }: CallOptions): Promise<number> {
    signal.throwIfAborted();
    return 0;
  }

  async getDocument(key: string, options: CallOptions): Promise<StoredDocument | undefined> {
    options.signal.throwIfAborted();
    const written = this.#written.get(key);
    if (written !== undefined) {
      return { text: written.bytes.toString("utf8"), etag: written.etag };
    }
    return this.#parts.hidden.has(key)
      ? undefined
      : await this.#once(this.#documents, key, () => this.#parts.real.getDocument(key, options));
  }

  async putDocument(
    key: string,
    text: string,
    condition: WriteCondition,
    options: CallOptions,
  ): Promise<{ readonly etag: string } | "conflict"> {
    const standing = condition.kind === "always" ? undefined : await this.getDocument(key, options);
    const holds =
      condition.kind === "always" ||
      (condition.kind === "if-absent" ? standing === undefined : standing?.etag === condition.etag);
    return holds ? { etag: this.#write(key, Buffer.from(text)).etag } : "conflict";
  }

  async #listReal(prefix: string, options: CallOptions): Promise<readonly ListedObject[]> {
    const listed: ListedObject[] = [];
    for await (const object of this.#parts.real.list(prefix, options)) {
      listed.push(object);
    }
    return listed;
  }

  #write(key: string, bytes: Buffer): Written {
    this.#writes += 1;
    const written = { bytes, etag: `rehearsed-${this.#writes}`, modifiedAtMs: this.#parts.clock.wallMs() };
    this.#written.set(key, written);
    return written;
  }

  /** One that failed is asked again by the next call. */
  async #once<T>(known: Map<string, Promise<T>>, name: string, call: () => Promise<T>): Promise<T> {
    const asked = known.get(name) ?? this.#parts.clock.during(call);
    known.set(name, asked);
    try {
      return await asked;
    } catch (error) {
      known.delete(name);
      throw error;
    }
  }
}
