import type { ArchivedRecord } from "../schemas.ts";

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
