import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import type {
  ObjectVersion,
  RetentionAbilities,
  RetentionStore,
  VersionLock,
  VersionProtection,
} from "../ports/retention-store.ts";
import type { OpenUpload, StoreSweeper } from "../ports/store-sweeper.ts";
import { ArchiveObjectStore } from "./archive-object-store.ts";

/** {@link ArchiveObjectStore} with all that sweeping and retention need. */
export class ArchiveStore
  extends ArchiveObjectStore<ObjectStore & StoreSweeper & RetentionStore>
  implements StoreSweeper, RetentionStore
{
  async *listUploads(prefix: string, options: CallOptions): AsyncGenerator<OpenUpload> {
    yield* (await this.opened(options)).listUploads(prefix, options);
  }

  async abortUpload(key: string, uploadId: string, options: CallOptions): Promise<boolean> {
    return await (await this.opened(options)).abortUpload(key, uploadId, options);
  }

  async removeObject(key: string, options: CallOptions): Promise<void> {
    await (await this.opened(options)).removeObject(key, options);
  }

  async retentionAbilities(options: CallOptions): Promise<RetentionAbilities> {
    return await (await this.opened(options)).retentionAbilities(options);
  }

  async readProtection(version: ObjectVersion, options: CallOptions): Promise<VersionProtection | undefined> {
    return await (await this.opened(options)).readProtection(version, options);
  }

  async lockVersion(version: ObjectVersion, lock: VersionLock, options: CallOptions): Promise<void> {
    await (await this.opened(options)).lockVersion(version, lock, options);
  }

  async tagVersion(
    version: ObjectVersion,
    tags: Readonly<Record<string, string>>,
    options: CallOptions,
  ): Promise<void> {
    await (await this.opened(options)).tagVersion(version, tags, options);
  }

  async *readVersion(version: ObjectVersion, options: CallOptions): AsyncGenerator<Uint8Array> {
    yield* (await this.opened(options)).readVersion(version, options);
  }

  async removeVersion(version: ObjectVersion, options: CallOptions): Promise<void> {
    await (await this.opened(options)).removeVersion(version, options);
  }
}
