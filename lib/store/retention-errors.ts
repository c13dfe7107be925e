import { StoreError } from "../ports/object-store.ts";
import type { ObjectVersion } from "../ports/retention-store.ts";

/** Retention removes archived exports and nothing else, whatever a record says. @throws StoreError */
export function requireExport({ key }: ObjectVersion): void {
  if (!key.startsWith("exports/")) {
    throw new StoreError("store-misconfigured", `retention may not remove what is not an export (${key})`, {
      scope: "task",
      retry: "never",
      hint: "Look at the record that names this object: no archive run wrote it like that.",
    });
  }
}

/** The store was asked for what {@link RetentionAbilities} say it cannot do. */
export function unableError(what: string): StoreError {
  return new StoreError("store-misconfigured", `this store cannot ${what}`, {
    scope: "system",
    retry: "never",
    hint: "This is a bug in the archiver: it asked for what the store said it cannot do. Report it.",
  });
}
