import type { Fault } from "../domain/errors.ts";
import { formatOtherSize } from "../domain/format-bytes.ts";
import { StoreError, type StoreErrorCode } from "../ports/object-store.ts";

export type StoreFault = Fault<StoreErrorCode>;

/** What most faults of a store are, whatever their words. */
export const FORBIDDEN = { code: "store-forbidden", scope: "system", retry: "never" } as const;
export const UNAUTHENTICATED = { code: "store-unauthenticated", scope: "system", retry: "never" } as const;
export const MISCONFIGURED = { code: "store-misconfigured", scope: "system", retry: "never" } as const;
export const FULL = { code: "store-full", scope: "system", retry: "later" } as const;
export const UNAVAILABLE = { code: "store-unavailable", scope: "task", retry: "later" } as const;

/** By this program's own `abort`, a sweep, another runner or a lifecycle rule. */
export const UPLOAD_GONE: StoreFault = {
  code: "store-upload-gone",
  scope: "task",
  retry: "later",
  problem: "the upload no longer exists in the store",
  hint: "Another run settled this task meanwhile. You need to do nothing.",
};
/** A random nonce in the key should make this impossible. */
export const KEY_TAKEN: StoreFault = {
  code: "store-key-taken",
  scope: "task",
  retry: "now",
  problem: "another object has this key",
  hint: "The store replaced nothing. The next attempt archives the task under a new key.",
};
export const OBJECT_GONE: StoreFault = {
  code: "store-copy-differs",
  scope: "task",
  retry: "later",
  problem: "the object no longer exists",
  hint: "Another program removed an archived object. Look for a cleanup job, or a lifecycle rule on the bucket. The archiver archives it again while the platform has it.",
};
/** Somebody asked for the digest of a store that keeps none. */
export const NO_DIGEST: StoreFault = {
  ...MISCONFIGURED,
  problem: "the store keeps no digest of its own",
  hint: "Set ARCHIVER_VERIFY to auto or read-back.",
};
/** No reader takes a document that is larger than the limit. */
export const DOCUMENT_TOO_LARGE: StoreFault = {
  code: "store-too-large",
  scope: "task",
  retry: "never",
  problem: "the document exceeds the size limit of documents",
  hint: "The platform says more about this task than a document can hold. Report this with the task's id.",
};

/** A fault of a call that the store's own answers rule out. */
export function misuse(problem: string): StoreFault {
  const hint = "Report this as a bug: the archiver asked the store for something that it cannot do.";
  return { ...MISCONFIGURED, problem, hint };
}

/** Bytes written and proof differ, or the proof is none: nothing was completed. */
export function proofMismatch(provedBytes: number, writtenBytes: number): StoreFault {
  return {
    code: "store-proof-mismatch",
    scope: "task",
    retry: "later",
    problem:
      provedBytes === writtenBytes
        ? "the proof has no SHA-256"
        : `the proof covers ${formatOtherSize(provedBytes, writtenBytes)}, which the writer got`,
    hint: "The archiver completed nothing and downloads the task again. If it repeats, report it as a bug.",
  };
}

/** The stored copy is not what was sent. */
export function copyDiffers(difference: string): StoreFault {
  return {
    ...OBJECT_GONE,
    problem: `the stored copy differs from the bytes that were sent: ${difference}`,
    hint: "The archiver does not record the copy and archives the task again. If it repeats, check the store's health.",
  };
}

/** Retention removes archived exports and nothing else, whatever a record says. @throws StoreError */
export function requireExport(key: string): void {
  if (!key.startsWith("exports/")) {
    const problem = "retention refuses to remove a key outside exports/";
    const hint = "Check the record that names this object: no archive run writes such a record.";
    throw new StoreError({ ...MISCONFIGURED, scope: "task", problem, hint }, key);
  }
}
