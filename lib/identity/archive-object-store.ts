import { mapTexts, parseDocumentJson } from "../domain/json.ts";
import { isForPeople } from "../domain/key-layout.ts";
import type {
  FoundAbilities,
  ListedObject,
  ObjectInfo,
  ObjectStore,
  OpenUploadOptions,
  ReadOptions,
  StoreAbilities,
  StoredDocument,
  StoredObject,
  Upload,
  WriteCondition,
} from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { jsonText } from "../records/create-once.ts";
import {
  type IdentityPorts,
  type IdentitySettings,
  type OpenedArchive,
  openArchive,
} from "./open-archive.ts";
import { storeAbilities } from "./store-abilities.ts";

export interface ArchiveStorePorts extends Omit<IdentityPorts, "store"> {
  /** A text as it may be kept: without the secrets that are known. */
  readonly redact: (text: string) => string;
}

interface Opening {
  readonly signal: AbortSignal;
  readonly archive: Promise<OpenedArchive>;
}

/**
 * The store of an archive: whatever is asked of it, the archive is opened first, once. Who holds one cannot forget
 * to. Every method also throws what {@link openArchive} throws.
 */
export class ArchiveObjectStore<Store extends ObjectStore = ObjectStore> implements ObjectStore {
  readonly #store: Store;
  readonly #ports: IdentityPorts;
  readonly #redact: ArchiveStorePorts["redact"];
  readonly #settings: IdentitySettings;
  #opening: Opening | undefined;

  constructor(store: Store, { redact, ...ports }: ArchiveStorePorts, settings: IdentitySettings) {
    this.#store = store;
    this.#ports = { ...ports, store };
    this.#redact = redact;
    this.#settings = settings;
  }

  /** Opens the archive and says which one it is. */
  async archive({ signal }: CallOptions): Promise<OpenedArchive> {
    for (;;) {
      signal.throwIfAborted();
      this.#opening ??= { signal, archive: openArchive(this.#ports, this.#settings, { signal }) };
      const opening = this.#opening;
      try {
        return await opening.archive;
      } catch (error) {
        if (this.#opening === opening) {
          this.#opening = undefined;
        }
        // Another caller gave up its own opening: that says nothing about the archive.
        if (opening.signal === signal || !opening.signal.aborted) {
          throw error;
        }
      }
    }
  }

  /** What the store can do, as found within the last day or tried out now, and which archive it is. */
  async preflight(options: CallOptions): Promise<StoreAbilities> {
    const { marker } = await this.archive(options);
    const { clock } = this.#ports;
    const { storeSettings } = this.#settings;
    const abilities = await storeAbilities({ store: this.#store, clock, storeSettings }, options);
    return marker === undefined ? abilities : { ...abilities, archiveId: marker.archiveId };
  }

  assume(found: FoundAbilities): StoreAbilities {
    return this.#store.assume(found);
  }

  async readClockMs(options: CallOptions): Promise<number> {
    return await (await this.opened(options)).readClockMs(options);
  }

  async openUpload(key: string, options: OpenUploadOptions): Promise<Upload> {
    return await (await this.opened(options)).openUpload(key, options);
  }

  async head(key: string, options: CallOptions): Promise<ObjectInfo | undefined> {
    return await (await this.opened(options)).head(key, options);
  }

  async confirmStored(object: StoredObject, options: CallOptions): Promise<void> {
    await (await this.opened(options)).confirmStored(object, options);
  }

  async *read(key: string, options: ReadOptions): AsyncGenerator<Uint8Array> {
    yield* (await this.opened(options)).read(key, options);
  }

  async *list(prefix: string, options: CallOptions): AsyncGenerator<ListedObject> {
    yield* (await this.opened(options)).list(prefix, options);
  }

  async abortUploadsUnder(prefix: string, options: CallOptions): Promise<number> {
    return await (await this.opened(options)).abortUploadsUnder(prefix, options);
  }

  async getDocument(key: string, options: CallOptions): Promise<StoredDocument | undefined> {
    return await (await this.opened(options)).getDocument(key, options);
  }

  /** What is there for people is written without secrets that others have planted. */
  async putDocument(
    key: string,
    text: string,
    condition: WriteCondition,
    options: CallOptions,
  ): Promise<{ readonly etag: string } | "conflict"> {
    return await (await this.opened(options)).putDocument(
      key,
      isForPeople(key) ? this.#redacted(text) : text,
      condition,
      options,
    );
  }

  /** Each text on its own: the document stays one. */
  #redacted(text: string): string {
    const document = parseDocumentJson(text);
    return typeof document === "object" && document !== null
      ? jsonText(mapTexts(document, this.#redact))
      : this.#redact(text);
  }

  /** The store itself, once the archive is open. */
  protected async opened(options: CallOptions): Promise<Store> {
    await this.archive(options);
    return this.#store;
  }
}
