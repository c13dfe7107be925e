import { isUtf8 } from "node:buffer";
import { MAX_DOCUMENT_BYTES, StoreError } from "../ports/object-store.ts";

/** The text of a document as it is, a byte order mark included; `undefined` when it is not UTF-8. */
export function documentText(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString("utf8") : undefined;
}

/** What was to be written is larger than any document may be, so nobody could read it. */
export function documentTooLargeError(key: string): StoreError {
  return new StoreError(
    "store-too-large",
    `the document would have more than ${MAX_DOCUMENT_BYTES} bytes (${key})`,
    {
      scope: "task",
      retry: "never",
      hint: "The platform says more about this task than can be kept; report this with the task's id.",
    },
  );
}
