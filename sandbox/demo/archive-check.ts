import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import * as v from "valibot";
import type { RequestLogEntry, StateView } from "../start.ts";

const archivedSchema = v.object({
  object: v.object({ key: v.string(), sha256: v.string() }),
  archivedAt: v.string(),
});

/** What lies in the store for one export, compared with what the sandbox had. */
export interface ArchivedCopy {
  readonly exportTaskId: string;
  readonly file: string;
  readonly sizeBytes: number;
  /** Whether the file's own bytes hash to those the sandbox made. */
  readonly isIdentical: boolean;
  readonly archivedAtMs: number;
}

/** Reads every `archived` record below the store's folder and hashes the file it names. */
export async function archivedCopies(
  storeFolder: string,
  state: StateView,
): Promise<readonly ArchivedCopy[]> {
  const copies: ArchivedCopy[] = [];
  const recordsFolder = join(storeFolder, "records");
  for (const name of await readdir(recordsFolder, { recursive: true })) {
    const [exportTaskId, , fileName] = name.split("/").slice(2);
    if (exportTaskId === undefined || fileName !== "archived.json") {
      continue;
    }
    const record = v.parse(archivedSchema, JSON.parse(await readFile(join(recordsFolder, name), "utf8")));
    const file = join(storeFolder, record.object.key);
    const { sha256, sizeBytes } = await hashOf(file);
    const made = state.files.filter((one) => one.exportTaskId === exportTaskId);
    copies.push({
      exportTaskId,
      file,
      sizeBytes,
      isIdentical: made.some((one) => one.sha256 === sha256 && one.sizeBytes === sizeBytes),
      archivedAtMs: Date.parse(record.archivedAt),
    });
  }
  return copies;
}

async function hashOf(file: string): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  await pipeline(createReadStream(file), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      hash.update(chunk);
      sizeBytes += chunk.length;
    }
  });
  return { sha256: hash.digest("hex"), sizeBytes };
}

/** The shortest time between two download starts in the sandbox's log; `undefined` with fewer than two. */
export function closestDownloadsMs(requests: readonly RequestLogEntry[]): number | undefined {
  const starts = requests.filter(({ operation }) => operation === "showExportTask").map(({ atMs }) => atMs);
  const gaps = starts.slice(1).map((atMs, index) => atMs - (starts[index] ?? atMs));
  return gaps.length === 0 ? undefined : Math.min(...gaps);
}

/** Tasks whose delete reached the sandbox before their `archived` record was written. */
export function deletedTooEarly(
  copies: readonly ArchivedCopy[],
  requests: readonly RequestLogEntry[],
): readonly string[] {
  return requests
    .filter(({ operation }) => operation === "deleteExportTask")
    .filter(({ exportTaskId, atMs }) => {
      const copy = copies.find((one) => one.exportTaskId === exportTaskId);
      return copy === undefined || copy.archivedAtMs > atMs;
    })
    .map(({ exportTaskId }) => exportTaskId ?? "?");
}
