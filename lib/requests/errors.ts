import { ArchiverError } from "../domain/errors.ts";

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
