import type { Operation } from "./faults.ts";

/** Where a request goes. */
export interface Route {
  readonly operation: Operation;
  readonly projectId: string;
  /** As in the path, decoded; for the file and delete operations. */
  readonly exportTaskId: string | undefined;
}

const TASKS_PATH = /^\/v5\/iot\/([^/]+)\/export-tasks(?:\/([^/]+)(\/file)?)?$/;

/** The operation behind a method and path (iotda-api §1), or `undefined` for an unknown API. */
export function routeOf(method: string, path: string): Route | undefined {
  const match = TASKS_PATH.exec(path);
  if (match === null) {
    return undefined;
  }
  const [, projectId = "", exportTaskId, file] = match;
  const operation = operationOf(method, exportTaskId !== undefined, file !== undefined);
  return operation === undefined ? undefined : { operation, projectId, exportTaskId };
}

function operationOf(method: string, hasId: boolean, hasFile: boolean): Operation | undefined {
  switch (method) {
    case "GET":
      return hasFile ? "showExportTask" : hasId ? undefined : "listExportTasks";
    case "POST":
      return hasId ? undefined : "createExportTask";
    case "DELETE":
      return hasId && !hasFile ? "deleteExportTask" : undefined;
    default:
      return undefined;
  }
}
