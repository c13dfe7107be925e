import type { ArchiveSettings } from "../../lib/archive/settings.ts";
import { type DiscoverReport, discover } from "../../lib/discovery/discover.ts";
import { idempotencyKeyOf, revisionOf } from "../../lib/domain/export-task.ts";
import { DISCOVERED_STATE_KEY, type RecordName, recordKey } from "../../lib/domain/key-layout.ts";
import { parseBody } from "../../lib/queue/message-codec.ts";
import type { ArchivedRecord } from "../../lib/records/schemas.ts";
import { portsOf, settingsOf } from "../world/archive-run.ts";
import { ALWAYS } from "../world/example-archiver.ts";
import { World } from "../world/world.ts";

export const HOUR_MS = 3_600_000;

/** A platform with tasks, a store with what is known of them, and discover runs over both. */
export class DiscoveryScene {
  readonly world = new World();
  #runs = 0;

  /** One discover run, by a runner of its own as the timer starts it. */
  discover(settings: Partial<ArchiveSettings> = {}): Promise<DiscoverReport> {
    return this.world.run(() => this.startDiscover(settings));
  }

  /** The same inside a `world.run`. */
  startDiscover(settings: Partial<ArchiveSettings> = {}): Promise<DiscoverReport> {
    this.#runs += 1;
    const runner = this.world.startRunner(`discover-${this.#runs}`);
    return discover(portsOf(runner), settingsOf(this.world, settings), ALWAYS.signal);
  }

  wait(ms: number): Promise<void> {
    return this.world.run(() => this.world.clock.sleep(ms));
  }

  /** The messages in the queue, as the archive run will read them. */
  queued(): readonly unknown[] {
    return this.world.queue.messages.map(({ body }) => {
      const parsed = parseBody(body);
      return parsed.kind === "task" ? parsed.message : body;
    });
  }

  queuedIds(): readonly string[] {
    return this.queued().map((message) =>
      typeof message === "object" && message !== null && "exportTaskId" in message
        ? String(message.exportTaskId)
        : "",
    );
  }

  /** The revision that the list shows now. */
  revision(exportTaskId: string): string {
    const listed = this.world.platform.list().find(({ task }) => task.exportTaskId === exportTaskId);
    if (listed === undefined) {
      throw new Error(`${exportTaskId} is not on the platform`);
    }
    return revisionOf(listed.task);
  }

  /** Puts any file where a record of the listed revision has its place. */
  plantRecord(exportTaskId: string, name: RecordName, content: object | string, number = 1): void {
    const key = recordKey(this.world.scope, exportTaskId, this.revision(exportTaskId), name, number);
    this.plant(key, content);
  }

  /** Makes the listed revision an archived one, its object present. Returns the object's key. */
  plantArchived(exportTaskId: string, archivedAgoMs = 0): string {
    const { scope, clock } = this.world;
    const revision = this.revision(exportTaskId);
    const key = `exports/${scope.projectId}/default/undated/${exportTaskId}/${revision}-0a1b2c.zip`;
    this.plant(key, "PK");
    const at = new Date(clock.wallMs() - archivedAgoMs).toISOString();
    const record: ArchivedRecord = {
      schemaVersion: 1,
      idempotencyKey: idempotencyKeyOf(scope, exportTaskId, revision),
      projectId: scope.projectId,
      instanceId: null,
      exportTaskId,
      revision,
      object: { key, sizeBytes: 2, sha256: "a".repeat(64), etag: '"e"' },
      source: {},
      verification: { level: "read-back", container: "members" },
      downloadedAt: at,
      archivedAt: at,
      runId: "run-1",
      attempts: 0,
    };
    this.plantRecord(exportTaskId, "archived", record);
    return key;
  }

  plant(key: string, content: object | string): void {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    this.world.store.plantObject(key, Buffer.from(text));
  }

  /** The hint as it stands. */
  hint(): unknown {
    const text = this.world.store.textAt(DISCOVERED_STATE_KEY);
    return text === undefined ? undefined : JSON.parse(text);
  }
}
