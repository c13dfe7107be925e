import { MAX_DOCUMENT_BYTES, type ObjectStore, type StoreAbilities } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";

/**
 * Writes a record unless its key is taken.
 *
 * @returns whether the key was free and now holds `document`. Throws what the store throws.
 */
export async function createOnce(
  store: Pick<ObjectStore, "getDocument" | "putDocument">,
  abilities: Pick<StoreAbilities, "createOnce">,
  key: string,
  document: object,
  options: CallOptions,
): Promise<boolean> {
  const text = jsonText(document);
  if (abilities.createOnce) {
    return (await store.putDocument(key, text, { kind: "if-absent" }, options)) !== "conflict";
  }
  // Without conditional writes two runners may both get here; both records are true, the last one stands.
  if ((await store.getDocument(key, options)) !== undefined) {
    return false;
  }
  return (await store.putDocument(key, text, { kind: "always" }, options)) !== "conflict";
}

/** A document as it is stored: people read it too, unless its indentation alone makes it larger than any may be. */
export function jsonText(document: object): string {
  const text = `${JSON.stringify(document, null, 2)}\n`;
  return Buffer.byteLength(text, "utf8") <= MAX_DOCUMENT_BYTES ? text : `${JSON.stringify(document)}\n`;
}
