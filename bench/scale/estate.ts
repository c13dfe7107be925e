// The archive that bench:scale works on: exports of many nights, as archive runs, deletions and retention leave them.
import { createHash } from "node:crypto";
import { revisionOf } from "../../lib/domain/export-task.ts";
import { catalogueKey, exportFolder, exportObjectKey, recordKey } from "../../lib/domain/key-layout.ts";
import type { RetentionAbilities } from "../../lib/ports/retention-store.ts";
import {
  type CatalogueLine,
  compareLines,
  formatLine,
  lineOf,
  monthOf,
  recordsTagOf,
} from "../../lib/records/catalogue-line.ts";
import type { ArchivedRecord, DeletedRecord, RetainedRecord } from "../../lib/records/schemas.ts";
import { factsOf } from "../../lib/retention/retain-verdict.ts";
import { termsOf } from "../../lib/retention/terms.ts";

export const SCOPE = { projectId: "0123456789abcdef0123456789abcdef", instanceId: undefined } as const;
export const EXPORTS_PER_NIGHT = 50;
const DAY_MS = 86_400_000;
const RUN_ID = "20261122T010000000Z-0a1b2c3d";

/** Something that lies in the store. */
export interface Planted {
  readonly key: string;
  readonly text: string;
  readonly modifiedAtMs: number;
}

/** One export of the estate. */
interface EstateExport {
  /** Its object and its records. The object is small: no listing depends on its size. */
  readonly files: readonly Planted[];
  readonly line: CatalogueLine;
}

/** Fifty exports a night, the last of them in the night before `untilMs`. */
export class Estate {
  readonly exports: number;
  readonly abilities: RetentionAbilities;
  readonly #untilMs: number;

  /** @param abilities of the store, as retention has recorded them. */
  constructor(exports: number, abilities: RetentionAbilities, untilMs: number) {
    this.exports = exports;
    this.abilities = abilities;
    this.#untilMs = untilMs;
  }

  /** For how many days an export is kept, so that those of the oldest night are due. */
  get keepDays(): number {
    return Math.ceil(this.exports / EXPORTS_PER_NIGHT) - 1;
  }

  /** @param index from 0; from `exports` on those of the next night. */
  at(index: number): EstateExport {
    const nightsAgo = Math.floor((this.exports - 1 - index) / EXPORTS_PER_NIGHT) + 1;
    const archivedAtMs = this.#untilMs - nightsAgo * DAY_MS + (index % EXPORTS_PER_NIGHT) * 31_000;
    return exportOf(index, archivedAtMs, this);
  }

  /** The catalogue and the state that an inventory of the day before has left. */
  *catalogue(): Generator<Planted> {
    const months = new Map<string, CatalogueLine[]>();
    for (let index = 0; index < this.exports; index += 1) {
      const { line } = this.at(index);
      const lines = months.get(monthOf(line)) ?? [];
      months.set(monthOf(line), lines);
      lines.push(line);
    }
    for (const [month, lines] of months) {
      const text = lines
        .sort(compareLines)
        .map((line) => `${formatLine(line)}\n`)
        .join("");
      yield { key: catalogueKey(SCOPE, month), text, modifiedAtMs: this.#untilMs };
    }
  }
}

function exportOf(
  index: number,
  archivedAtMs: number,
  { keepDays, abilities }: Pick<Estate, "keepDays" | "abilities">,
): EstateExport {
  const exportTaskId = sha256(`export ${index}`).slice(0, 24);
  const createTime = new Date(archivedAtMs - 3_600_000).toISOString();
  const endTime = new Date(archivedAtMs - 3_000_000).toISOString();
  const revision = revisionOf({ exportTaskId, endTime, exportCount: 1_000 });
  const text = `rows of ${exportTaskId}\n`.repeat(8);
  const folder = exportFolder(SCOPE, { exportTaskId, createTime });
  const key = exportObjectKey(folder, revision, sha256(exportTaskId).slice(0, 6));
  const base = {
    schemaVersion: 1,
    idempotencyKey: `iotda:${SCOPE.projectId}:default:${exportTaskId}:${revision}`,
  };
  const archivedAt = new Date(archivedAtMs).toISOString();
  const etag = createHash("md5").update(text).digest("hex");
  const archived: ArchivedRecord = {
    ...base,
    projectId: SCOPE.projectId,
    instanceId: null,
    exportTaskId,
    revision,
    object: { key, sizeBytes: Buffer.byteLength(text), sha256: sha256(text), etag },
    source: {
      export_task_id: exportTaskId,
      resource_type: "BatchTask",
      resource_condition: { task_id: `batch-${index % 97}` },
      app_type: "AGENT",
      app_id: `app-${index % 13}`,
      status: "Success",
      export_count: 1_000,
      create_time: createTime,
      end_time: endTime,
    },
    verification: { level: "read-back", container: "members" },
    downloadedAt: archivedAt,
    archivedAt,
    runId: RUN_ID,
    attempts: 0,
  };
  const deletedAt = new Date(archivedAtMs + 2_000).toISOString();
  const deleted: DeletedRecord = {
    ...base,
    deletedAt,
    confirmedAt: deletedAt,
    runId: RUN_ID,
    outcome: "deleted",
  };
  const rule = { name: "default", keepDays, lock: "none" } as const;
  const retained: RetainedRecord = {
    ...base,
    ...factsOf(archived, termsOf(rule, archived), undefined, abilities),
    retainedAt: deletedAt,
    runId: RUN_ID,
  };
  const record = (name: "archived" | "deleted" | "retained", document: object): Planted => ({
    key: recordKey(SCOPE, exportTaskId, revision, name, 1),
    text: `${JSON.stringify(document, null, 2)}\n`,
    modifiedAtMs: archivedAtMs,
  });
  const records = [record("archived", archived), record("deleted", deleted), record("retained", retained)];
  const tag = recordsTagOf(records.map((one) => ({ ...one, sizeBytes: Buffer.byteLength(one.text) })));
  const numbers = { archived: 1, deleted: 1, retained: 1, expired: 0, "dead-letter": 0 };
  const known = {
    exportTaskId,
    revision,
    numbers,
    archived: [archived],
    retained,
    deleted,
    expired: undefined,
  } as const;
  const line = lineOf(known, tag);
  if (line === undefined) {
    throw new Error("the export of the estate has no line");
  }
  return { files: [{ key, text, modifiedAtMs: archivedAtMs }, ...records], line };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
