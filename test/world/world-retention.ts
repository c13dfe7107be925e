import type { CallOptions } from "../../lib/ports/platform.ts";
import type {
  ObjectVersion,
  RetentionAbilities,
  RetentionStore,
  VersionLock,
  VersionProtection,
} from "../../lib/ports/retention-store.ts";
import type { Site } from "./faults.ts";
import type { RemovalWatch, RetentionState } from "./retention-state.ts";
import { WorldStore, type WorldStoreParts } from "./world-store.ts";

/** The calls of retention. They are not part of `Site`: an archive run never makes one, so its stories need no row for them. */
export type RetentionSite =
  | "store.retentionAbilities"
  | "store.readProtection"
  | "store.lockVersion"
  | "store.tagVersion"
  | "store.removeVersion";

/** A retention site where the world asks for one of its own. */
export function retentionSite(site: RetentionSite): Site {
  return site as string as Site;
}

/** The object store as a runner that retains and expires reaches it. */
export class WorldRetentionStore extends WorldStore implements RetentionStore {
  readonly #parts: WorldStoreParts;
  readonly #retention: RetentionState;
  readonly #watch: RemovalWatch;
  readonly #startedAtMs: number;

  constructor(parts: WorldStoreParts, retention: RetentionState, watch: RemovalWatch) {
    super(parts);
    this.#parts = parts;
    this.#retention = retention;
    this.#watch = watch;
    this.#startedAtMs = parts.clock.wallMs();
  }

  retentionAbilities({ signal }: CallOptions): Promise<RetentionAbilities> {
    return this.#act("store.retentionAbilities", "", signal, () => ({ ...this.#retention.abilities }));
  }

  readProtection({ key, versionId }: ObjectVersion, { signal }: CallOptions) {
    return this.#act("store.readProtection", key, signal, (): VersionProtection | undefined => {
      const found = this.#retention.protectionOf(key, versionId);
      return found && { ...found };
    });
  }

  lockVersion({ key, versionId }: ObjectVersion, lock: VersionLock, { signal }: CallOptions): Promise<void> {
    return this.#act("store.lockVersion", key, signal, () => this.#retention.lock(key, versionId, lock));
  }

  tagVersion(
    { key, versionId }: ObjectVersion,
    tags: Readonly<Record<string, string>>,
    { signal }: CallOptions,
  ): Promise<void> {
    return this.#act("store.tagVersion", key, signal, () => this.#retention.tag(key, versionId, tags));
  }

  async *readVersion({ key }: ObjectVersion, options: CallOptions): AsyncGenerator<Uint8Array> {
    yield* this.read(key, options);
  }

  removeVersion({ key, versionId }: ObjectVersion, { signal }: CallOptions): Promise<void> {
    return this.#act("store.removeVersion", key, signal, () => {
      this.#watch(key, this.#startedAtMs);
      this.#retention.remove(key, versionId);
    });
  }

  #act<T>(site: RetentionSite, subject: string, signal: AbortSignal, effect: () => T): Promise<T> {
    const { runner, state } = this.#parts;
    const latency = state().settings.callLatency;
    return runner.outside({ site: retentionSite(site), subject, signal, latency, effect });
  }
}
