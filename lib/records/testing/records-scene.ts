import { ALWAYS } from "../../../test/world/example-archiver.ts";
import { type Runner, World } from "../../../test/world/world.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { StoreSweeper } from "../../ports/store-sweeper.ts";
import { Records } from "../records.ts";
import type { ArchivedRecord } from "../schemas.ts";
import { type RevisionRecords, recordsOfRevision } from "../task-records.ts";

export const ID = "5f2d9c3a1b2c3d4e5f6a7b8c";
export const REVISION = "fe8e44f7";
export const FOLDER = `records/project-1/default/${ID}/`;

/** A record as an archive run writes it. */
export function recordOf(nonce: string, changes: Partial<ArchivedRecord> = {}): ArchivedRecord {
  return {
    schemaVersion: 1,
    idempotencyKey: `iotda:project-1:default:${ID}:${REVISION}`,
    projectId: "project-1",
    instanceId: null,
    exportTaskId: ID,
    revision: REVISION,
    object: {
      key: `exports/project-1/default/2026/11/22/${ID}/${REVISION}-${nonce}.zip`,
      versionId: "v1",
      sizeBytes: 10,
      sha256: "a".repeat(64),
      etag: '"e"',
    },
    source: { export_task_id: ID, status: "Success", unheard_of: [1] },
    verification: { level: "read-back", container: "members" },
    downloadedAt: "2026-11-22T01:00:00.000Z",
    archivedAt: "2026-11-22T01:00:05.000Z",
    runId: "run-1",
    attempts: 0,
    ...changes,
  };
}

/** A store, and the records in it as one runner sees them. */
export interface Scene {
  readonly world: World;
  readonly records: Records;
  readonly store: ObjectStore & StoreSweeper;
  /** Puts a file there as somebody else would. */
  readonly plant: (key: string, content: string | object) => void;
  readonly read: (key: string) => unknown;
}

/** An empty store that can, or cannot, create once. */
export function sceneOf(createOnce = true): Scene {
  const world = new World({ store: { createOnce } });
  const runner = world.startRunner("a");
  return {
    world,
    records: recordsAt(world, runner),
    store: runner.store,
    plant: (key, content) =>
      world.store.plantObject(
        key,
        Buffer.from(typeof content === "string" ? content : JSON.stringify(content)),
      ),
    read: (key) => {
      const text = world.store.textAt(key);
      return text === undefined ? undefined : JSON.parse(text);
    },
  };
}

/** The records as this runner sees them, after a probe of the store. */
export function recordsAt(world: World, runner: Runner): Records {
  return new Records(runner.store, world.scope, world.store.settings);
}

/** What is found of a revision. */
export async function revisionRecords(
  { world, records }: Scene,
  revision = REVISION,
): Promise<RevisionRecords> {
  return recordsOfRevision(await world.run(() => records.ofTask(ID, ALWAYS)), revision);
}
