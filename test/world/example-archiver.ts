import { type ExportTask, revisionOf } from "../../lib/domain/export-task.ts";
import { exportFolder, exportObjectKey, recordKey } from "../../lib/domain/key-layout.ts";
import { sha256Hex } from "./export-file.ts";
import type { Runner, World } from "./world.ts";

/** A signal that is never aborted. */
export const ALWAYS: { readonly signal: AbortSignal } = { signal: new AbortController().signal };

/** Reads a body to its end. */
export async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function archive(world: World, { platform, random, store }: Runner, task: ExportTask): Promise<void> {
  const { exportTaskId } = task;
  const revision = revisionOf(task);
  const download = await platform.showExportTask(exportTaskId, ALWAYS);
  const bytes = await collect(download.body);
  const key = exportObjectKey(exportFolder(world.scope, task), revision, random.hex(3));
  const upload = await store.openUpload(key, { ...ALWAYS, metadata: {}, expectedSizeBytes: undefined });
  await upload.write(bytes);
  const sha256 = sha256Hex(bytes);
  await upload.complete({ sizeBytes: bytes.length, sha256 });
  const record = JSON.stringify({ object: { key, sha256 } });
  const archivedKey = recordKey(world.scope, exportTaskId, revision, "archived", 1);
  await store.putDocument(archivedKey, record, { kind: "if-absent" }, ALWAYS);
}

/**
 * The happy path of architecture §4 and nothing else, enough to try the world on: no gate, no retries, no pacing
 * but a fixed wait. The real policy lives in lib/archive.
 */
export async function drainCarelessly(world: World, runner: Runner, spacingMs = 31_000): Promise<number> {
  const { clock, platform, queue } = runner;
  let done = 0;
  for (;;) {
    const received = await queue.receive(ALWAYS);
    if (received === undefined) {
      return done;
    }
    const id = received.parsed.kind === "task" ? received.parsed.message.exportTaskId : "";
    const { tasks } = await platform.listExportTasks(ALWAYS);
    const task = tasks.find(({ exportTaskId }) => exportTaskId === id);
    if (task !== undefined) {
      await archive(world, runner, task);
      await platform.listExportTasks(ALWAYS);
      await platform.deleteExportTask(id, ALWAYS);
    }
    await queue.acknowledge(received, ALWAYS);
    done += 1;
    await clock.sleep(spacingMs);
  }
}
