import * as v from "valibot";
import type { S3StandIn } from "../../sandbox/s3/start.ts";
import type { AuditedStore } from "./archive-audit.ts";
import { markBucket } from "./archive-marker.ts";

/** Everything the archiver writes lies below this. */
const PREFIX = "nightly";

const archivedSchema = v.object({
  exportTaskId: v.string(),
  object: v.object({ key: v.string(), sizeBytes: v.number(), sha256: v.string() }),
  verification: v.object({ level: v.string(), container: v.string() }),
});

/** An `archived` record and the object it names, read again. */
export interface CloudCopy {
  readonly exportTaskId: string;
  readonly recordKey: string;
  readonly objectKey: string;
  /** Of the stored bytes, not what the record says. */
  readonly sha256: string;
  readonly recordedSha256: string;
  readonly verificationLevel: string;
}

/** The bucket, read past the program. Keys are below the prefix. */
export class CloudBucket implements AuditedStore {
  /**
   * S3 tells whole seconds, and a turn is found to 60 ms either way. The real interval leaves 500 ms for it (one
   * interval, less 1/62 and 30/31 of it), a compressed one next to nothing. `cloud-runners.exhaustive.test.ts` takes the
   * readings out and measures exactly.
   */
  readonly clockErrorMs = 120;
  readonly server: S3StandIn;

  constructor(server: S3StandIn) {
    this.server = server;
  }

  /** What to set `ARCHIVER_STORE` to. */
  get url(): string {
    return `s3://${this.server.bucket}/${PREFIX}`;
  }

  /** Makes an archive there, as `init` does. */
  async mark(archiveId?: string): Promise<void> {
    await markBucket(this.server, PREFIX, archiveId);
  }

  /** The key as the store has it: for fault rules. */
  keyOf(key: string): string {
    return `${PREFIX}/${key}`;
  }

  async keys(prefix: string): Promise<readonly string[]> {
    const { objects } = await this.server.control.state();
    return objects
      .map(({ key }) => key.slice(PREFIX.length + 1))
      .filter((key) => key.startsWith(prefix))
      .sort();
  }

  /** Keys of uploads that were neither completed nor aborted. */
  async openUploads(): Promise<readonly string[]> {
    return (await this.server.control.state()).openUploads.map(({ key }) => key);
  }

  async unfinished(): Promise<readonly string[]> {
    return await this.openUploads();
  }

  async json(key: string): Promise<unknown> {
    return JSON.parse((await this.server.control.content(this.keyOf(key))).toString("utf8"));
  }

  /** Every `archived` record, numbered ones included. */
  async archived(): Promise<readonly CloudCopy[]> {
    const keys = (await this.keys("records/")).filter((key) => /\/archived(-\d+)?\.json$/.test(key));
    const copies: CloudCopy[] = [];
    for (const recordKey of keys) {
      const { exportTaskId, object, verification } = v.parse(archivedSchema, await this.json(recordKey));
      copies.push({
        exportTaskId,
        recordKey,
        objectKey: object.key,
        sha256: await this.server.control.sha256(this.keyOf(object.key)),
        recordedSha256: object.sha256,
        verificationLevel: verification.level,
      });
    }
    return copies;
  }

  /** When a record of each task was first in the store; epoch milliseconds. */
  async firstRecordedAtMs(): Promise<ReadonlyMap<string, number>> {
    const first = new Map<string, number>();
    for (const { operation, key = "", status, endedAtMs } of await this.server.control.requests()) {
      const exportTaskId = /\/records\/[^/]+\/[^/]+\/([^/]+)\/[^/]+\/archived(?:-\d+)?\.json$/.exec(key)?.[1];
      if (
        operation === "PutObject" &&
        status === 200 &&
        exportTaskId !== undefined &&
        endedAtMs !== undefined
      ) {
        first.set(exportTaskId, Math.min(endedAtMs, first.get(exportTaskId) ?? Number.POSITIVE_INFINITY));
      }
    }
    return first;
  }
}
