import { type FileHandle, open } from "node:fs/promises";
import * as v from "valibot";
import { errorAnswer } from "./errors.ts";
import type { ResultFiles } from "./files.ts";
import { type Answer, type Bytes, emptyAnswer, jsonAnswer, jsonTextAnswer } from "./kit/answer.ts";
import type { TaskModel } from "./model.ts";
import type { SandboxState } from "./state.ts";
import { canonical, listItemOf, type StoredTask, statusAt, taskIdSchema } from "./task.ts";

/** What the four operations work on. */
export interface PlatformParts {
  readonly state: SandboxState;
  readonly model: TaskModel;
  readonly files: ResultFiles;
}

const READ_CHUNK_BYTES = 256 * 1024;

const wholeNumber = v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number));
const jsonObject = v.pipe(v.string(), v.parseJson(), v.record(v.string(), v.unknown()));

const listQuerySchema = v.object({
  resource_type: v.literal("BatchTask"),
  limit: v.optional(v.pipe(wholeNumber, v.minValue(1), v.maxValue(50)), "10"),
  marker: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{24}$/)), "f".repeat(24)),
  offset: v.optional(v.pipe(wholeNumber, v.maxValue(500)), "0"),
  resource_condition: v.optional(jsonObject),
  app_type: v.optional(v.picklist(["GLOBAL", "APP"])),
  app_id: v.optional(taskIdSchema),
});

/** Newest first; with a marker only records below it; count and marker in `page` (iotda-api §1.3, §1.4). */
export function listExportTasks(parts: PlatformParts, query: URLSearchParams): Answer {
  const parsed = v.safeParse(listQuerySchema, Object.fromEntries(query));
  if (!parsed.success) {
    const name = v.getDotPath(parsed.issues[0]) ?? "query";
    const code = name === "limit" ? "IOTDA.000017" : name === "offset" ? "IOTDA.000018" : "IOTDA.000006";
    return errorAnswer(400, code, `Invalid input. Parameter: ${name}`);
  }
  const asked = parsed.output;
  const condition = asked.resource_condition;
  const matching = parts.state
    .newestFirst()
    .filter((task) => condition === undefined || sameJson(task.condition, condition))
    .filter((task) => asked.app_type === undefined || task.appType === asked.app_type)
    .filter((task) => asked.app_id === undefined || task.appId === asked.app_id);
  const below = matching.filter((task) => task.recordId < asked.marker);
  const page = below.slice(asked.offset, asked.offset + asked.limit);
  const now = parts.model.platformMs();
  const marker = page.at(-1)?.recordId;
  const items = page.map((task) => JSON.stringify(listItemOf(task, now)));
  const { oddItems } = parts.state.settings;
  // As texts: an item may be nested deeper than anything that writes JSON can go.
  const isLast = page.length < asked.limit;
  const exportTasks = [...items, ...(isLast ? oddItems : [])].join(",");
  const count = matching.length + oddItems.length;
  const pageText = JSON.stringify({ count, ...(marker === undefined ? {} : { marker }) });
  return jsonTextAnswer(200, `{"export_tasks":[${exportTasks}],"page":${pageText}}`);
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));
}

/** The download. */
export async function showExportTask(parts: PlatformParts, exportTaskId: string): Promise<Answer> {
  const { settings } = parts.state;
  const task = parts.state.tasks.get(exportTaskId);
  if (task === undefined) {
    return notFound(parts);
  }
  if (statusAt(task, parts.model.platformMs()) !== "Success") {
    const { status, code } = settings.notFinished;
    return errorAnswer(status, code, "The export task has no result file.");
  }
  // Opened before answering: the file then stays readable whatever happens to the task.
  const handle = await openIfThere(parts.files.pathOf(task));
  if (handle === undefined) {
    return notFound(parts);
  }
  const { size } = await handle.stat();
  return {
    status: 200,
    headers: {
      "Content-Type": settings.fileContentType,
      "Content-Disposition": `attachment; filename=${exportTaskId}.zip`,
    },
    body: bytesOf(handle),
    sizeBytes: size,
    generation: task.generation,
    release: async () => await handle.close(),
    framing: settings.fileContentLength ? "length" : "chunked",
    ending: "whole",
  };
}

export async function deleteExportTask(parts: PlatformParts, exportTaskId: string): Promise<Answer> {
  const existed = await parts.model.remove(exportTaskId, "deleted");
  return existed ? emptyAnswer(204) : notFound(parts);
}

const createBodySchema = v.object({
  resource_type: v.literal("BatchTask"),
  resource_condition: v.record(v.string(), v.unknown()),
  export_format: v.optional(v.literal("xls")),
  app_type: v.optional(v.picklist(["GLOBAL", "APP"]), "GLOBAL"),
  app_id: v.optional(taskIdSchema),
});

export async function createExportTask(parts: PlatformParts, body: Buffer): Promise<Answer> {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), createBodySchema), body.toString("utf8"));
  if (!parsed.success) {
    return errorAnswer(400, "IOTDA.000006", "Invalid input.");
  }
  const wanted = parsed.output;
  const created = await parts.model.create({
    condition: wanted.resource_condition,
    appType: wanted.app_type,
    appId: wanted.app_id,
  });
  if (created === undefined) {
    const { status, code } = parts.state.settings.tooManyUnfinished;
    return errorAnswer(status, code, "Too many unfinished export tasks.");
  }
  return createdAnswer(created, parts.model.platformMs());
}

function createdAnswer(task: StoredTask, platformMs: number): Answer {
  return { ...jsonAnswer(201, listItemOf(task, platformMs)), exportTaskId: task.exportTaskId };
}

function notFound(parts: PlatformParts): Answer {
  return errorAnswer(404, parts.state.settings.taskNotFoundCode, "The export task does not exist.");
}

/** @returns `undefined` when the task was removed in this very moment. */
async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") {
      return undefined;
    }
    throw thrown;
  }
}

async function* bytesOf(handle: FileHandle): Bytes {
  for (;;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(READ_CHUNK_BYTES));
    if (bytesRead === 0) {
      return;
    }
    yield buffer.subarray(0, bytesRead);
  }
}
