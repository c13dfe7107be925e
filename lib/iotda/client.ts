import { type ExportTask, isExportTaskId } from "../domain/export-task.ts";
import type {
  CallOptions,
  CreateExportTaskRequest,
  ExportDownload,
  ExportTaskListing,
  Platform,
  TimedCallOptions,
} from "../ports/platform.ts";
import { type CallSpec, Calls } from "./calls.ts";
import { openDownload, peekBody } from "./download.ts";
import { htmlInsteadOfFile, malformedAnswer, notAnId, parseHttpDateMs } from "./errors.ts";
import { type Answer, headerOf } from "./exchange.ts";
import { joinPages, PAGE_LIMIT } from "./list.ts";
import type { IotdaClientOptions } from "./options.ts";
import { parseCreateAnswer, parseListAnswer } from "./schemas.ts";

const JSON_CALL = { totalTimeLimited: true, repeatWhenRefused: false } as const;
const LIST: CallSpec = {
  ...JSON_CALL,
  name: "ListExportTasks",
  aboutTask: false,
  // The only operation that changes nothing and spends nothing, so the only one that may be sent twice.
  repeatWhenRefused: true,
};
const SHOW: CallSpec = {
  ...JSON_CALL,
  name: "ShowExportTask",
  aboutTask: true,
  // A file may take as long as its caller lets it.
  totalTimeLimited: false,
};
const DELETE: CallSpec = { ...JSON_CALL, name: "DeleteExportTask", aboutTask: true };
const CREATE: CallSpec = { ...JSON_CALL, name: "CreateExportTask", aboutTask: false };

/** The IoTDA platform over HTTP: one endpoint, project and instance. Every method throws {@link PlatformError}. */
export class IotdaClient implements Platform {
  readonly #calls: Calls;

  /** @throws PlatformError `platform-misconfigured` for settings that can never work. */
  constructor(options: IotdaClientOptions) {
    this.#calls = new Calls(options);
  }

  /** When the client's credentials or its time are refused, they are looked up again and the list is sent once more. */
  async listExportTasks({ signal }: CallOptions): Promise<ExportTaskListing> {
    return await this.#calls.run(LIST, signal, async (call) => {
      let platformDateMs: number | undefined;
      const { tasks, oddItems } = await joinPages(LIST.name, async (marker) => {
        const query: [string, string][] = [
          ["limit", String(PAGE_LIMIT)],
          ["resource_type", "BatchTask"],
        ];
        if (marker !== undefined) {
          query.push(["marker", marker]);
        }
        const answer = await call.send({ method: "GET", query }, 200);
        platformDateMs ??= parseHttpDateMs(headerOf(answer, "date"));
        const page = parseListAnswer(await call.readJson(answer));
        if (page === undefined) {
          throw malformedAnswer(LIST.name, "the answer is not a list of export tasks");
        }
        return page;
      });
      return { tasks, oddItems, platformDateMs };
    });
  }

  async showExportTask(exportTaskId: string, options: TimedCallOptions): Promise<ExportDownload> {
    const subPath = `/${checkedId(SHOW.name, exportTaskId)}/file`;
    return await this.#calls.run(SHOW, options.signal, async (call) => {
      const answer = await call.send({ method: "GET", subPath }, 200, options.beforeRequest);
      checkNotEncoded(answer);
      const peeked = await call.exchange.guard(() => peekBody(answer.body));
      if (peeked.kind === "html") {
        throw htmlInsteadOfFile(SHOW.name);
      }
      if (peeked.kind === "json") {
        call.refuseDisguised(answer, peeked.text);
      }
      call.succeeded();
      return openDownload(call.exchange, contentLengthOf(answer), peeked.first, answer.body);
    });
  }

  async deleteExportTask(exportTaskId: string, options: TimedCallOptions): Promise<void> {
    const subPath = `/${checkedId(DELETE.name, exportTaskId)}`;
    await this.#calls.run(DELETE, options.signal, async (call) => {
      await call.send({ method: "DELETE", subPath }, 204, options.beforeRequest);
      call.succeeded();
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
    return await this.#calls.run(CREATE, options.signal, async (call) => {
      const answer = await call.send({ method: "POST", body }, 201, options.beforeRequest);
      const task = parseCreateAnswer(await call.readJson(answer));
      if (task === undefined) {
        throw malformedAnswer(CREATE.name, "the answer is not an export task");
      }
      return task;
    });
  }

  /** Ends every call and download under way; resolves when their sockets are closed. */
  async close(): Promise<void> {
    await this.#calls.close();
  }
}

/** Nothing but an id may reach the path (iotda-api §4.3, hazard 12). */
export function checkedId(operation: string, exportTaskId: string): string {
  if (!isExportTaskId(exportTaskId)) {
    throw notAnId(operation);
  }
  return exportTaskId;
}

function checkNotEncoded({ headers }: Answer): void {
  const encodings = headers["content-encoding"] ?? [];
  if (encodings.some((encoding) => encoding.trim().toLowerCase() !== "identity")) {
    throw malformedAnswer(
      SHOW.name,
      "the platform sent the file with a content encoding that the archiver did not ask for",
    );
  }
}

function contentLengthOf(answer: Answer): number | undefined {
  const header = headerOf(answer, "content-length") ?? "";
  return /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}
