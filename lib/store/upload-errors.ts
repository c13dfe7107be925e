import { type BodyProof, StoreError } from "../ports/object-store.ts";

/** Bytes written and proof differ, or the proof is none: nothing was completed. */
export function proofMismatchError(key: string, proof: BodyProof, writtenBytes: number): StoreError {
  const problem =
    proof.sizeBytes === writtenBytes
      ? "the proof has no SHA-256"
      : `${writtenBytes} bytes were written where ${proof.sizeBytes} were proved`;
  return new StoreError("store-proof-mismatch", `${problem} (${key})`, {
    scope: "task",
    retry: "later",
    hint: "Nothing was completed; the task is downloaded again. If it happens again, report it as a bug.",
  });
}

/** The upload was taken away: by this program's own `abort`, a sweep, another runner or a lifecycle rule. */
export function uploadGoneError(key: string, cause?: unknown): StoreError {
  return new StoreError("store-upload-gone", `the upload was aborted or taken away (${key})`, {
    scope: "task",
    retry: "later",
    hint: "Another run settled this task meanwhile; nothing has to be done.",
    cause,
  });
}

/** The key is taken, which a random nonce should make impossible. */
export function keyTakenError(key: string, cause?: unknown): StoreError {
  return new StoreError("store-key-taken", `another object has this key (${key})`, {
    scope: "task",
    retry: "now",
    hint: "Nothing was replaced; the task is archived under a new key.",
    cause,
  });
}

/** The stored copy is not what was sent. */
export function copyDiffersError(key: string, difference: string): StoreError {
  return new StoreError(
    "store-copy-differs",
    `the stored copy is not what was sent: ${difference} (${key})`,
    {
      scope: "task",
      retry: "later",
      hint: "The copy is not recorded and the task is archived again; if it happens again, look at the store's health.",
    },
  );
}

/** Somebody asked for the digest of a store that keeps none. */
export function noDigestError(key: string): StoreError {
  return new StoreError("store-misconfigured", `the store keeps no digest of its own (${key})`, {
    scope: "system",
    retry: "never",
    hint: "Set ARCHIVER_VERIFY to auto or read-back.",
  });
}
