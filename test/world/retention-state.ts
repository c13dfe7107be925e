import type { RetentionAbilities, VersionLock } from "../../lib/ports/retention-store.ts";
import { storeError } from "./port-errors.ts";
import type { StoreState } from "./store-state.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** What protects one object of a world. A key is written once, so it names a version. */
export interface WorldProtection {
  lock: VersionLock | undefined;
  legalHold: boolean;
  tags: Readonly<Record<string, string>>;
}

/** Asked right before an object goes for good. */
export type RemovalWatch = (key: string, runnerStartedAtMs: number) => void;

/** Locks and tags of a world's store, beside its objects. */
export class RetentionState {
  readonly abilities: { canLock: boolean; canTag: boolean };
  readonly #store: StoreState;
  readonly #clock: VirtualClock;
  readonly #protections = new Map<string, WorldProtection>();
  readonly removed: string[] = [];
  /** How often each lock and each set of tags was written. */
  readonly writes = new Map<string, number>();

  constructor(store: StoreState, clock: VirtualClock, abilities: RetentionAbilities) {
    this.#store = store;
    this.#clock = clock;
    this.abilities = { ...abilities };
  }

  /** `undefined` when there is no object; another version than the named one is not such an object. */
  protectionOf(key: string, versionId: string | undefined): WorldProtection | undefined {
    const entry = this.#store.entries.get(key);
    if (entry === undefined || (versionId !== undefined && entry.versionId !== versionId)) {
      return undefined;
    }
    const found = this.#protections.get(key) ?? { lock: undefined, legalHold: false, tags: {} };
    this.#protections.set(key, found);
    return found;
  }

  /** Grows a lock as S3 does: neither shorter nor of another kind while it holds, and never into the past. */
  lock(key: string, versionId: string | undefined, lock: VersionLock): void {
    const protection = this.#require(key, versionId);
    const standing = this.isLocked(key) ? protection.lock : undefined;
    if (
      lock.untilMs <= this.#nowMs() ||
      (standing !== undefined && (lock.untilMs < standing.untilMs || lock.mode !== standing.mode))
    ) {
      throw storeError("store-forbidden", "object lock refuses");
    }
    protection.lock = lock;
    this.#count(`lock ${key}`);
  }

  tag(key: string, versionId: string | undefined, tags: Readonly<Record<string, string>>): void {
    this.#require(key, versionId).tags = tags;
    this.#count(`tags ${key}`);
  }

  isLocked(key: string): boolean {
    const protection = this.#protections.get(key);
    return protection?.legalHold === true || (protection?.lock?.untilMs ?? 0) > this.#nowMs();
  }

  remove(key: string, versionId: string | undefined): void {
    if (this.protectionOf(key, versionId) === undefined) {
      return;
    }
    if (this.isLocked(key)) {
      throw storeError("store-forbidden", "object lock refuses");
    }
    this.#store.removeObject(key);
    this.removed.push(key);
  }

  #require(key: string, versionId: string | undefined): WorldProtection {
    const protection = this.protectionOf(key, versionId);
    if (protection === undefined) {
      throw storeError("store-copy-differs", `there is no object ${key}`);
    }
    return protection;
  }

  #count(what: string): void {
    this.writes.set(what, (this.writes.get(what) ?? 0) + 1);
  }

  #nowMs(): number {
    return this.#clock.wallMs() + this.#store.settings.clockSkewMs;
  }
}
