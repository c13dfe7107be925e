import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import * as v from "valibot";
import type { AuditedStore } from "./archive-audit.ts";

const archivedSchema = v.object({
  idempotencyKey: v.string(),
  exportTaskId: v.string(),
  revision: v.string(),
  object: v.object({ key: v.string(), sizeBytes: v.number(), sha256: v.string() }),
  archivedAt: v.string(),
});

/** An `archived` record and the file it names, read again. */
export interface ArchivedExport {
  readonly recordKey: string;
  readonly exportTaskId: string;
  readonly revision: string;
  readonly objectKey: string;
  /** Of the file's own bytes, not what the record says. */
  readonly sha256: string;
  readonly recordedSha256: string;
  /** The later of what the record says and when its file was written; epoch milliseconds. */
  readonly archivedAtMs: number;
}

/** The folder store, read past the program. */
export class StoreFolder implements AuditedStore {
  /** One machine, one clock. */
  readonly clockErrorMs = 0;
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Every file below a prefix, hidden ones included, as keys. None when there is no such folder. */
  async keys(prefix: string): Promise<readonly string[]> {
    try {
      const found = await readdir(join(this.path, prefix), { recursive: true, withFileTypes: true });
      return found
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(this.path.length + 1))
        .sort();
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") {
        return [];
      }
      throw error;
    }
  }

  /** Unfinished uploads: hidden files among the exports. */
  async unfinishedUploads(): Promise<readonly string[]> {
    return (await this.keys("exports")).filter((key) => basename(key).startsWith("."));
  }

  /** Unfinished uploads, a document's draft, a preflight's probe. */
  async unfinished(): Promise<readonly string[]> {
    const isUnfinished = (name: string) => name.startsWith(".") || name.startsWith("preflight-");
    return (await this.keys("")).filter((key) => isUnfinished(basename(key)));
  }

  async json(key: string): Promise<unknown> {
    return JSON.parse(await readFile(join(this.path, key), "utf8"));
  }

  /** Every `archived` record, numbered ones included. */
  async archived(): Promise<readonly ArchivedExport[]> {
    const keys = (await this.keys("records")).filter((key) => /\/archived(-\d+)?\.json$/.test(key));
    return await Promise.all(
      keys.map(async (recordKey) => {
        const record = v.parse(archivedSchema, await this.json(recordKey));
        const { mtimeMs } = await stat(join(this.path, recordKey));
        return {
          recordKey,
          exportTaskId: record.exportTaskId,
          revision: record.revision,
          objectKey: record.object.key,
          sha256: await sha256Of(join(this.path, record.object.key)),
          recordedSha256: record.object.sha256,
          archivedAtMs: Math.max(mtimeMs, Date.parse(record.archivedAt)),
        };
      }),
    );
  }

  async firstRecordedAtMs(): Promise<ReadonlyMap<string, number>> {
    const lastToFirst = (await this.archived()).toSorted((a, b) => b.archivedAtMs - a.archivedAtMs);
    return new Map(lastToFirst.map(({ exportTaskId, archivedAtMs }) => [exportTaskId, archivedAtMs]));
  }
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) {
    hash.update(chunk);
  }
  return hash.digest("hex");
}
