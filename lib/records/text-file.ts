import { unless } from "../domain/promises.ts";
import type { ObjectStore, StoreAbilities, StoredDocument, WriteCondition } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";
import { isOnlyThisTask } from "./records.ts";

/** A text that lies in the store, of any size. */
export interface TextFile extends StoredDocument {
  readonly text: string;
}

/**
 * Reads a text; one that is larger than a document is read like an object. What stands at the key and is not a file has
 * no text. Throws what the store throws.
 */
export async function readTextFile(
  store: Pick<ObjectStore, "getDocument" | "read">,
  key: string,
  options: CallOptions,
): Promise<TextFile | undefined> {
  const found = await store.getDocument(key, options);
  return (
    found && {
      etag: found.etag,
      text: found.text ?? (await unless(isOnlyThisTask, readLarge(store, key, options), "")),
    }
  );
}

async function readLarge(
  store: Pick<ObjectStore, "read">,
  key: string,
  { signal }: CallOptions,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of store.read(key, { signal })) {
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** What a file that was read may be replaced on, as far as the store can hold to it. */
export function conditionAfter(
  found: Pick<StoredDocument, "etag"> | undefined,
  { createOnce, compareAndSwap }: Pick<StoreAbilities, "createOnce" | "compareAndSwap">,
): WriteCondition {
  if (found === undefined) {
    return createOnce ? { kind: "if-absent" } : { kind: "always" };
  }
  return compareAndSwap ? { kind: "if-match", etag: found.etag } : { kind: "always" };
}

/** The lines of a text that are not empty, one after the other: an array of them would be as large as the text. */
export function* linesIn(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf("\n", start);
    const end = found === -1 ? text.length : found;
    if (end > start) {
      yield text.slice(start, end);
    }
    start = end + 1;
  }
}
