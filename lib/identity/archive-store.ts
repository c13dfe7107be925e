import { mapTexts, parseDocumentJson } from "../domain/json.ts";
import { isForPeople } from "../domain/key-layout.ts";
import type { ListedObject, ObjectStore, ReadOptions, StoreAbilities } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { ObjectVersion, RetentionStore } from "../ports/retention-store.ts";
import type { OpenUpload, StoreSweeper } from "../ports/store-sweeper.ts";
import { jsonText } from "../records/create-once.ts";
import {
  type IdentityPorts,
  type IdentitySettings,
  type OpenedArchive,
  openArchive,
} from "./open-archive.ts";
import { storeAbilities, type ToldAbilities, toldAbilities } from "./store-abilities.ts";

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

  /** The same as far as it is known without a write. */
  async look(options: CallOptions): Promise<ToldAbilities> {
    const { marker } = await this.archive(options);
    const { clock } = this.#ports;
    const { storeSettings } = this.#settings;
    const told = await toldAbilities({ store: this.#store, clock, storeSettings }, options);
    return marker === undefined
      ? told
      : { ...told, abilities: { ...told.abilities, archiveId: marker.archiveId } };
  }

  // Asked of the store itself, once the archive is open.
  readonly assume: ObjectStore["assume"] = (found) => this.#store.assume(found);
  readonly readClockMs: ObjectStore["readClockMs"] = async (call) =>
    (await this.opened(call)).readClockMs(call);
  readonly openUpload: ObjectStore["openUpload"] = async (key, call) =>
    (await this.opened(call)).openUpload(key, call);
  readonly head: ObjectStore["head"] = async (key, call) => (await this.opened(call)).head(key, call);
  readonly confirmStored: ObjectStore["confirmStored"] = async (object, call) =>
    (await this.opened(call)).confirmStored(object, call);
  readonly abortUploadsUnder: ObjectStore["abortUploadsUnder"] = async (prefix, call) =>
    (await this.opened(call)).abortUploadsUnder(prefix, call);
  readonly getDocument: ObjectStore["getDocument"] = async (key, call) =>
    (await this.opened(call)).getDocument(key, call);

  /** What is there for people is written without secrets that others have planted. */
  readonly putDocument: ObjectStore["putDocument"] = async (key, text, condition, call) => {
    const store = await this.opened(call);
    return await store.putDocument(key, isForPeople(key) ? this.#redacted(text) : text, condition, call);
  };

  async *read(key: string, options: ReadOptions): AsyncGenerator<Uint8Array> {
    yield* (await this.opened(options)).read(key, options);
  }

  async *list(prefix: string, options: CallOptions): AsyncGenerator<ListedObject> {
    yield* (await this.opened(options)).list(prefix, options);
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

/** {@link ArchiveObjectStore} with all that sweeping and retention need. */
export class ArchiveStore
  extends ArchiveObjectStore<ObjectStore & StoreSweeper & RetentionStore>
  implements StoreSweeper, RetentionStore
{
  readonly abortUpload: StoreSweeper["abortUpload"] = async (key, uploadId, call) =>
    (await this.opened(call)).abortUpload(key, uploadId, call);
  readonly removeObject: StoreSweeper["removeObject"] = async (key, call) =>
    (await this.opened(call)).removeObject(key, call);
  readonly retentionAbilities: RetentionStore["retentionAbilities"] = async (call) =>
    (await this.opened(call)).retentionAbilities(call);
  readonly readProtection: RetentionStore["readProtection"] = async (version, call) =>
    (await this.opened(call)).readProtection(version, call);
  readonly lockVersion: RetentionStore["lockVersion"] = async (version, lock, call) =>
    (await this.opened(call)).lockVersion(version, lock, call);
  readonly tagVersion: RetentionStore["tagVersion"] = async (version, tags, call) =>
    (await this.opened(call)).tagVersion(version, tags, call);
  readonly removeVersion: RetentionStore["removeVersion"] = async (version, call) =>
    (await this.opened(call)).removeVersion(version, call);

  async *listUploads(prefix: string, options: CallOptions): AsyncGenerator<OpenUpload> {
    yield* (await this.opened(options)).listUploads(prefix, options);
  }

  async *readVersion(version: ObjectVersion, options: CallOptions): AsyncGenerator<Uint8Array> {
    yield* (await this.opened(options)).readVersion(version, options);
  }
}
