import type { Fault } from "../domain/errors.ts";
import { StoreError, type StoreErrorCode } from "../ports/object-store.ts";

export type StoreFault = Fault<StoreErrorCode>;

/** What most faults of a store are, whatever their words. */
export const FORBIDDEN = { code: "store-forbidden", scope: "system", retry: "never" } as const;
export const MISCONFIGURED = { code: "store-misconfigured", scope: "system", retry: "never" } as const;
export const FULL = { code: "store-full", scope: "system", retry: "later" } as const;
export const UNAVAILABLE = { code: "store-unavailable", scope: "task", retry: "later" } as const;

/** By this program's own `abort`, a sweep, another runner or a lifecycle rule. */
export const UPLOAD_GONE: StoreFault = {
  code: "store-upload-gone",
  scope: "task",
  retry: "later",
  problem: "the upload was aborted or taken away",
  hint: "Another run settled this task meanwhile; nothing has to be done.",
};
/** A random nonce in the key should make this impossible. */
export const KEY_TAKEN: StoreFault = {
  code: "store-key-taken",
  scope: "task",
  retry: "now",
  problem: "another object has this key",
  hint: "Nothing was replaced; the task is archived under a new key.",
};
export const OBJECT_GONE: StoreFault = {
  code: "store-copy-differs",
  scope: "task",
  retry: "later",
  problem: "the object is not there any more",
  hint: "Somebody removed an archived object: look for a cleaning job, or a lifecycle rule on the bucket. It is archived again while the platform has it.",
};
/** Somebody asked for the digest of a store that keeps none. */
export const NO_DIGEST: StoreFault = {
  ...MISCONFIGURED,
  problem: "the store keeps no digest of its own",
  hint: "Set ARCHIVER_VERIFY to auto or read-back.",
};
/** Nobody could read a document that is larger than any may be. */
export const DOCUMENT_TOO_LARGE: StoreFault = {
  code: "store-too-large",
  scope: "task",
  retry: "never",
  problem: "the document is larger than any may be",
  hint: "The platform says more about this task than can be kept; report this with the task's id.",
};

/** A fault of a call that the store's own answers rule out. */
export function misuse(problem: string): StoreFault {
  const hint = "This is a bug in the archiver: it asked for what the store said it cannot do. Report it.";
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
        : `${writtenBytes} bytes were written where ${provedBytes} were proved`,
    hint: "Nothing was completed; the task is downloaded again. If it happens again, report it as a bug.",
  };
}

/** The stored copy is not what was sent. */
export function copyDiffers(difference: string): StoreFault {
  return {
    ...OBJECT_GONE,
    problem: `the stored copy is not what was sent: ${difference}`,
    hint: "The copy is not recorded and the task is archived again; if it happens again, look at the store's health.",
  };
}

/** Retention removes archived exports and nothing else, whatever a record says. @throws StoreError */
export function requireExport(key: string): void {
  if (!key.startsWith("exports/")) {
    const problem = "retention may not remove what is not an export";
    const hint = "Look at the record that names this object: no archive run wrote it like that.";
    throw new StoreError({ ...MISCONFIGURED, scope: "task", problem, hint }, key);
  }
}
