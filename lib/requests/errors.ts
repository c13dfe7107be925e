import { ArchiverError } from "../domain/errors.ts";

/** A file in a request's place that is not such a document. */
export function unreadableRequestFile(key: string): ArchiverError {
  return new ArchiverError("request-file-unreadable", `${key} is not a document of this program`, {
    scope: "task",
    retry: "never",
    hint: "Another program or a newer version of this one wrote the file. If the archiver did not write it, move it away.",
  });
}

/** Whether an error is about one request alone: it waits then, and the others go on. */
export function isOfOneRequest(error: unknown): error is ArchiverError {
  return error instanceof ArchiverError && error.scope === "task";
}
