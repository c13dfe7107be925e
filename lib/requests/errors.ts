import { ArchiverError } from "../domain/errors.ts";
import { REQUESTS_FOLDER } from "../domain/request-layout.ts";

/** More files below `requests/`, or claims of one batch task, than this program works through. */
export function tooManyRequestFiles(limit: number, prefix: string): ArchiverError {
  return new ArchiverError("requests-overflow", `more than ${limit} files in ${prefix}`, {
    scope: prefix === REQUESTS_FOLDER ? "system" : "task",
    retry: "never",
    hint: "Move ended requests away, each with its outcome and claims: an event about one of them counts as new again.",
  });
}

/** A file in a request's place that is not such a document. */
export function unreadableRequestFile(key: string): ArchiverError {
  return new ArchiverError("request-file-unreadable", `${key} is not a document of this program`, {
    scope: "task",
    retry: "never",
    hint: "Look at the file: something else wrote it, or a newer version. Move it away if it is not the archiver's.",
  });
}

/** Whether an error is about one request alone: it waits then, and the others go on. */
export function isOfOneRequest(error: unknown): error is ArchiverError {
  return error instanceof ArchiverError && error.scope === "task";
}
