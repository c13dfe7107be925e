import { type ExportTask, isExportTaskId } from "../domain/export-task.ts";
import type {
  CallOptions,
  CreateExportTaskRequest,
  ExportDownload,
  ExportTaskListing,
  Platform,
  TimedCallOptions,
} from "../ports/platform.ts";
import { type Answer, Caller, type OperationSpec } from "./caller.ts";
import { OpenDownload, peekBody } from "./download.ts";
import { htmlInsteadOfFile, malformedAnswer, notAnId, parseHttpDateMs } from "./errors.ts";
import { joinPages, PAGE_LIMIT } from "./list.ts";
import type { IotdaClientOptions } from "./options.ts";
import { parseCreateAnswer, parseErrorBody, parseListAnswer } from "./schemas.ts";

const JSON_CALL = { totalTimeLimited: true, repeatWhenRefused: false } as const;
const LIST: OperationSpec = {
  ...JSON_CALL,
  name: "ListExportTasks",
  aboutTask: false,
  // The only operation that changes nothing and spends nothing, so the only one that may be sent twice.
  repeatWhenRefused: true,
};
const SHOW: OperationSpec = {
  name: "ShowExportTask",
  aboutTask: true,
  repeatWhenRefused: false,
  // A file may take as long as its caller lets it.
  totalTimeLimited: false,
};
const DELETE: OperationSpec = { ...JSON_CALL, name: "DeleteExportTask", aboutTask: true };
const CREATE: OperationSpec = { ...JSON_CALL, name: "CreateExportTask", aboutTask: false };

/** The IoTDA platform over HTTP. Made by {@link createIotdaClient}. */
export class IotdaClient implements Platform {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /**
   * Throws {@link PlatformError} as every method here does; when its credentials or its time are refused, they
   * are looked up again and the list is sent once more.
   */
  async listExportTasks({ signal }: CallOptions): Promise<ExportTaskListing> {
    return await this.#caller.run(LIST, signal, async (operation) => {
      let platformDateMs: number | undefined;
      const { tasks, oddItems } = await joinPages(
        LIST.name,
        async (marker) => {
          const query = [
            ["limit", String(PAGE_LIMIT)],
            ["resource_type", "BatchTask"],
            ...(marker === undefined ? [] : [["marker", marker] as const]),
          ] as const;
          const answer = await operation.send({ method: "GET", subPath: "", query, body: "" });
          platformDateMs ??= parseHttpDateMs(answer.header("date"));
          const text = await operation.readJson(answer, 200);
          const page = parseListAnswer(text);
          if (page === undefined) {
            throw malformedAnswer(LIST.name, "the answer is not a list of export tasks");
          }
          return page;
        },
        this.#caller.limits.maxPages,
      );
      await operation.connection.end();
      return { tasks, oddItems, platformDateMs };
    });
  }

  async showExportTask(exportTaskId: string, options: TimedCallOptions): Promise<ExportDownload> {
    const subPath = `/${checkedId(SHOW.name, exportTaskId)}/file`;
    return await this.#caller.run(SHOW, options.signal, async (operation) => {
      const call = { method: "GET", subPath, query: [], body: "" } as const;
      const answer = await operation.send(call, options.beforeRequest);
      await operation.refuseUnless(answer, 200);
      checkNotEncoded(SHOW.name, answer);
      const bytes: AsyncIterator<Uint8Array> = answer.body[Symbol.asyncIterator]();
      const peeked = await operation.connection.guard(() => peekBody(bytes));
      switch (peeked.kind) {
        case "html":
          throw htmlInsteadOfFile(SHOW.name);
        case "json": {
          const error = parseErrorBody(peeked.text);
          if (error !== undefined) {
            throw operation.disguised(answer, error);
          }
          break;
        }
        case "bytes":
          break;
      }
      operation.succeeded();
      return new OpenDownload(operation.connection, contentLengthOf(answer), peeked.first, bytes);
    });
  }

  async deleteExportTask(exportTaskId: string, options: TimedCallOptions): Promise<void> {
    const subPath = `/${checkedId(DELETE.name, exportTaskId)}`;
    await this.#caller.run(DELETE, options.signal, async (operation) => {
      const call = { method: "DELETE", subPath, query: [], body: "" } as const;
      const answer = await operation.send(call, options.beforeRequest);
      await operation.refuseUnless(answer, 204);
      operation.succeeded();
      await operation.connection.end();
    });
  }

  async createExportTask(request: CreateExportTaskRequest, options: TimedCallOptions): Promise<ExportTask> {
    const body = JSON.stringify({
      resource_type: "BatchTask",
      resource_condition: request.resourceCondition,
      export_format: "xls",
      app_type: request.appType,
      app_id: request.appId,
    });
    return await this.#caller.run(CREATE, options.signal, async (operation) => {
      const call = { method: "POST", subPath: "", query: [], body } as const;
      const answer = await operation.send(call, options.beforeRequest);
      const task = parseCreateAnswer(await operation.readJson(answer, 201));
      if (task === undefined) {
        throw malformedAnswer(CREATE.name, "the answer is not an export task");
      }
      await operation.connection.end();
      return task;
    });
  }

  /** Ends every call and download under way; resolves when their sockets are closed. */
  async close(): Promise<void> {
    await this.#caller.close();
  }
}

/**
 * A client for one endpoint, project and instance.
 *
 * @throws PlatformError `platform-misconfigured` for settings that can never work.
 */
export function createIotdaClient(options: IotdaClientOptions): IotdaClient {
  return new IotdaClient(new Caller(options));
}

/** Nothing but an id may reach the path (iotda-api §4.3, hazard 12). */
function checkedId(operation: string, exportTaskId: string): string {
  if (!isExportTaskId(exportTaskId)) {
    throw notAnId(operation);
  }
  return exportTaskId;
}

function checkNotEncoded(operation: string, answer: Answer): void {
  const encodings = answer.headerValues("content-encoding");
  if (encodings.some((encoding) => encoding.trim().toLowerCase() !== "identity")) {
    throw malformedAnswer(operation, "the file came with a content encoding nobody asked for");
  }
}

function contentLengthOf(answer: Answer): number | undefined {
  const header = answer.header("content-length") ?? "";
  return /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}
