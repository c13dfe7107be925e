import { isUtf8 } from "node:buffer";
import { MAX_WRITTEN_BYTES, StoreError } from "../ports/object-store.ts";
import { DOCUMENT_TOO_LARGE } from "./store-errors.ts";

/** The text of a document as it is, a byte order mark included; `undefined` when it is not UTF-8. */
export function documentText(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString("utf8") : undefined;
}

/** What is written of a document. @throws StoreError `store-too-large`. */
export function documentBytes(key: string, text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length > MAX_WRITTEN_BYTES) {
    throw new StoreError(DOCUMENT_TOO_LARGE, key);
  }
  return bytes;
}
