import type { CallOptions } from "./platform.ts";

/** One stored version of an object, as its `archived` record names it. */
export interface ObjectVersion {
  readonly key: string;
  /** Missing where the bucket kept no versions when the object was written. */
  readonly versionId?: string | undefined;
}

/** How strictly a store refuses to remove a version: `governance` can be lifted with a permission of its own. */
export type LockMode = "governance" | "compliance";

export interface VersionLock {
  readonly mode: LockMode;
  readonly untilMs: number;
}

/** What protects a version from removal, and what is written on it. */
export interface VersionProtection {
  readonly lock: VersionLock | undefined;
  /** Held in the store itself, without an end. */
  readonly legalHold: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

/** What the store can do for retention. Where it can do neither, the records alone say how long objects are kept. */
export interface RetentionAbilities {
  readonly canLock: boolean;
  readonly canTag: boolean;
}

/**
 * What retention needs of a store, and nothing else does. Every method is about exactly one version, never
 * about "the newest". Errors are `StoreError`s; an error is never "not protected" and never "not there".
 */
export interface RetentionStore {
  retentionAbilities(options: CallOptions): Promise<RetentionAbilities>;
  /** `undefined` when there is no such version. */
  readProtection(version: ObjectVersion, options: CallOptions): Promise<VersionProtection | undefined>;
  /** Locks a version or extends its lock. The store itself refuses to shorten one. Only where it can lock. */
  lockVersion(version: ObjectVersion, lock: VersionLock, options: CallOptions): Promise<void>;
  /** Replaces the whole set of tags. Only where the store can tag. */
  tagVersion(
    version: ObjectVersion,
    tags: Readonly<Record<string, string>>,
    options: CallOptions,
  ): Promise<void>;
  /** The bytes of a version. Throws `store-copy-differs` when there is none, `store-object-cold` where they lie in an archive. */
  readVersion(version: ObjectVersion, options: CallOptions): AsyncIterable<Uint8Array>;
  /**
   * Removes one version for good, and no other; never past a lock. That there is none is as good. Sent again
   * when the answer was lost: keys are never used twice.
   */
  removeVersion(version: ObjectVersion, options: CallOptions): Promise<void>;
}
