import type { PlatformScope } from "../domain/export-task.ts";
import { ArchiveStore } from "../identity/archive-store.ts";
import type { IdentityPorts, IdentitySettings } from "../identity/open-archive.ts";
import type { ResultRedactor, SecretLearner } from "../observability/redact.ts";
import type { ArchiveMemory } from "../ports/archive-memory.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { RetentionStore } from "../ports/retention-store.ts";
import type { StoreSweeper } from "../ports/store-sweeper.ts";
import { SqliteArchiveMemory } from "../queue/sqlite-archive-memory.ts";
import { LookingArchiveMemory } from "../queue/sqlite-look.ts";
import { FileStore } from "../store/file-store.ts";
import { AccessKeys } from "./access-keys.ts";
import { type Configuration, settingsOfProxy } from "./configuration.ts";
import type { StoreConfiguration } from "./rules.ts";
import { loadS3Store } from "./sdk-adapters.ts";
import { systemClock, systemRandom } from "./system.ts";

/** How the archive in a store is opened. */
export interface StoreWiring {
  readonly configuration: Configuration<"store">;
  readonly scope: PlatformScope;
  /**
   * Shared with the platform's client. Without them, or where the store takes other ones, a store that takes Huawei's
   * keys has its own, and closes them.
   */
  readonly keys?: AccessKeys;
  /**
   * `work` is discovering and archiving: it takes an archive from before markers over, and begins a new one where
   * nothing is deleted. `use` is everything else: it writes no marker.
   */
  readonly purpose: "use" | "work";
  /** Takes the known secrets out of what is written for people, and learns those that are read from a secret. */
  readonly redactor: ResultRedactor;
  /** Hears what was decided about the archive. */
  readonly say?: IdentityPorts["say"];
}

/** An archive's store, and how to end its connections. */
export interface WiredStore {
  readonly store: ArchiveStore;
  readonly close: () => void;
}

/** The store of the archive. Nothing is asked of it here: its first call opens the archive. */
export async function wireStore({
  configuration,
  scope,
  keys,
  purpose,
  redactor,
  say = () => undefined,
}: StoreWiring): Promise<WiredStore> {
  const { store, close } = await wireBareStore(configuration, redactor, keys);
  const begins = purpose === "work" && configuration.archive.deletion === "never";
  const archive = new ArchiveStore(
    store,
    {
      memory: memoryOf(configuration),
      clock: systemClock,
      random: systemRandom,
      say,
      redact: (text) => redactor.result(text),
    },
    { ...identityOf(configuration), scope, purpose: begins ? "begin" : purpose },
  );
  return { store: archive, close };
}

/**
 * The store for one who changes nothing: what is asked of it opens the archive, and the queue remembers nothing more.
 *
 * @param foresees whether an empty place counts as the archive that a run without deletion will begin there.
 */
export async function wireLookedAtStore(
  { configuration, scope, keys, redactor }: Omit<StoreWiring, "purpose" | "say">,
  { foresees }: { readonly foresees: boolean },
): Promise<WiredStore> {
  const { store, close } = await wireBareStore(configuration, redactor, keys);
  const { queueFile } = configuration.identity;
  const memory = queueFile === undefined ? undefined : new LookingArchiveMemory(queueFile);
  const redact = (text: string) => redactor.result(text);
  const ports = { memory, clock: systemClock, random: systemRandom, say: () => undefined, redact };
  const purpose = foresees && configuration.archive.deletion === "never" ? "foresee" : "use";
  const archive = new ArchiveStore(store, ports, { ...identityOf(configuration), scope, purpose });
  return { store: archive, close };
}

/** What `init` works with: the store as it is, before there is an archive in it. */
export interface WiredInit {
  readonly ports: Omit<IdentityPorts, "say">;
  readonly settings: Pick<IdentitySettings, "archiveId" | "storeSettings">;
  readonly close: () => void;
}

export async function wireInit(
  configuration: Configuration<"store">,
  redactor: SecretLearner,
): Promise<WiredInit> {
  const { store, close } = await wireBareStore(configuration, redactor);
  const ports = { store, memory: memoryOf(configuration), clock: systemClock, random: systemRandom };
  return { ports, settings: identityOf(configuration), close };
}

type BareStore = ObjectStore & StoreSweeper & RetentionStore;

/** Not for anybody else: what is asked of it is asked without knowing which archive it is. */
async function wireBareStore(
  { store: place, proxy }: Configuration<"store">,
  redactor: SecretLearner,
  shared?: AccessKeys,
): Promise<{ readonly store: BareStore; readonly close: () => void }> {
  const parts = { clock: systemClock, random: systemRandom };
  switch (place.kind) {
    case "file":
      return { store: new FileStore(place.folder, parts), close: () => undefined };
    case "s3": {
      const S3Store = await loadS3Store();
      const { credentials } = place;
      const isShared = credentials.kind === "huawei" && shared?.hasThoseOf(credentials.keys) === true;
      const own =
        credentials.kind === "huawei" && !isShared
          ? new AccessKeys(credentials.keys, redactor, proxy)
          : undefined;
      const keys = isShared ? shared : own;
      const store = new S3Store(place, {
        ...parts,
        ...(keys === undefined ? {} : { huaweiCredentials: (refresh: boolean) => keys.get(refresh) }),
        proxy: settingsOfProxy(proxy),
      });
      return {
        store,
        close() {
          store.close();
          own?.close();
        },
      };
    }
  }
}

/** The SQLite queue remembers the archive, whether the command works with the queue or not. */
function memoryOf({ identity }: Configuration<never>): ArchiveMemory | undefined {
  const { queueFile } = identity;
  return queueFile === undefined
    ? undefined
    : new SqliteArchiveMemory(queueFile, { clock: systemClock, random: systemRandom });
}

function identityOf({
  identity,
  store,
}: Configuration<"store">): Pick<IdentitySettings, "archiveId" | "storeSettings"> {
  return { archiveId: identity.archiveId, storeSettings: settingsInWords(store) };
}

/** What decides about the abilities of a store; changed, it is tried out again. */
function settingsInWords(place: StoreConfiguration): string {
  if (place.kind === "file") {
    return "file";
  }
  const { profile, endpoint, pathStyle, sse, kmsKeyId, storageClass } = place;
  return JSON.stringify({ profile, endpoint: endpoint?.href, pathStyle, sse, kmsKeyId, storageClass });
}
