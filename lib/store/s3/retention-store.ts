import { StoreError } from "../../ports/object-store.ts";
import type { CallOptions } from "../../ports/platform.ts";
import type {
  ObjectVersion,
  RetentionAbilities,
  RetentionStore,
  VersionLock,
  VersionProtection,
} from "../../ports/retention-store.ts";
import { misuse, requireExport } from "../store-errors.ts";
import type { S3Context } from "./client.ts";
import { readObject } from "./objects.ts";
import { PROBE_KEY } from "./preflight.ts";
import {
  deleteVersion,
  digestXmlBodies,
  getLock,
  getTags,
  hasObjectLock,
  headVersion,
  knowsTags,
  putLock,
  putTags,
  type S3Version,
} from "./retention-requests.ts";

/** Locks, tags and removals of single versions in a bucket. */
export class S3RetentionStore implements RetentionStore {
  readonly #context: S3Context;
  #abilities: RetentionAbilities | undefined;

  constructor(context: S3Context) {
    this.#context = context;
    if (context.profile.bodyDigest === "content-md5") {
      digestXmlBodies(context.client);
    }
  }

  async retentionAbilities({ signal }: CallOptions): Promise<RetentionAbilities> {
    const { objectLock } = this.#context.profile;
    this.#abilities ??= {
      canLock: objectLock === "probed" && (await hasObjectLock(this.#context, signal)),
      canTag: await knowsTags(this.#context, PROBE_KEY, signal),
    };
    return this.#abilities;
  }

  async readProtection(version: ObjectVersion, options: CallOptions): Promise<VersionProtection | undefined> {
    const { canLock, canTag } = await this.retentionAbilities(options);
    const found = await this.#find(version, options.signal);
    if (found === undefined) {
      return undefined;
    }
    return {
      lock: canLock ? await getLock(this.#context, found, options.signal) : undefined,
      legalHold: found.legalHold,
      tags: canTag ? await getTags(this.#context, found, options.signal) : {},
    };
  }

  async lockVersion(version: ObjectVersion, lock: VersionLock, options: CallOptions): Promise<void> {
    if (!(await this.retentionAbilities(options)).canLock) {
      throw new StoreError(misuse("this store cannot lock objects"));
    }
    await putLock(this.#context, versionOf(version), lock, options.signal);
  }

  async tagVersion(
    version: ObjectVersion,
    tags: Readonly<Record<string, string>>,
    options: CallOptions,
  ): Promise<void> {
    if (!(await this.retentionAbilities(options)).canTag) {
      throw new StoreError(misuse("this store cannot tag objects"));
    }
    await putTags(this.#context, versionOf(version), tags, options.signal);
  }

  async *readVersion({ key, versionId }: ObjectVersion, { signal }: CallOptions): AsyncGenerator<Uint8Array> {
    yield* readObject(this.#context, key, { signal }, versionId);
  }

  async removeVersion(version: ObjectVersion, { signal }: CallOptions): Promise<void> {
    requireExport(version);
    const found = await this.#find(version, signal);
    if (found !== undefined) {
      await deleteVersion(this.#context, found, signal);
    }
  }

  /**
   * The version a record means. One that was written before the bucket kept versions has the id `null` now:
   * removed without its id it would only be hidden. Any other id is another object than the recorded one.
   */
  async #find(
    version: ObjectVersion,
    signal: AbortSignal,
  ): Promise<(S3Version & { readonly legalHold: boolean }) | undefined> {
    const head = await headVersion(this.#context, versionOf(version), signal);
    if (head === undefined) {
      return undefined;
    }
    const { legalHold } = head;
    if (version.versionId !== undefined) {
      return { key: version.key, versionId: version.versionId, legalHold };
    }
    if (head.versionId !== undefined && head.versionId !== "null") {
      throw otherVersionError(version.key);
    }
    return { key: version.key, versionId: head.versionId, legalHold };
  }
}

function versionOf({ key, versionId }: ObjectVersion): S3Version {
  return { key, versionId };
}

function otherVersionError(key: string): StoreError {
  return new StoreError(
    {
      code: "store-copy-differs",
      scope: "task",
      retry: "never",
      problem: "the record names no version, and the object has one",
      hint: "The object was written again after the bucket began to keep versions: look who wrote it. It is left alone.",
    },
    key,
  );
}
