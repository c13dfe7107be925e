import { ArchiverError } from "../domain/errors.ts";
import { type Digest, digestOf, isSameContent } from "../integrity/digest.ts";
import type { CallOptions } from "../ports/platform.ts";
import type { RetentionStore } from "../ports/retention-store.ts";
import type { ArchivedRecord } from "./schemas.ts";

/** What reading a recorded copy whole showed. */
export type CopyCheck =
  | { readonly result: "intact" | "changed"; readonly found: Digest }
  | { readonly result: "missing" }
  /** In a storage class that has to be restored before it can be read: neither intact nor damaged. */
  | { readonly result: "cold" };

/** Reads a recorded copy whole and compares it with its record. Throws what the store throws otherwise. */
export async function checkCopy(
  store: Pick<RetentionStore, "readVersion">,
  object: ArchivedRecord["object"],
  options: CallOptions,
): Promise<CopyCheck> {
  try {
    const found = await digestOf(store.readVersion(object, options));
    return { result: isSameContent(found, object) ? "intact" : "changed", found };
  } catch (error) {
    const code = error instanceof ArchiverError ? error.code : undefined;
    if (code === "store-copy-differs") {
      return { result: "missing" };
    }
    if (code === "store-object-cold") {
      return { result: "cold" };
    }
    throw error;
  }
}
