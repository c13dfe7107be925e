import { type BodyProof, StoreError } from "../../ports/object-store.ts";
import { MAX_PARTS } from "./profiles.ts";

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

/** Somebody aborted the upload: this program's own `abort`, a sweep, another runner, a lifecycle rule. */
export function uploadGoneError(key: string): StoreError {
  return new StoreError("store-upload-gone", `the upload was aborted (${key})`, {
    scope: "task",
    retry: "later",
    hint: "Another run settled this task meanwhile; nothing has to be done.",
  });
}

/** The key is taken, which a random nonce should make impossible. */
export function keyTakenError(key: string): StoreError {
  return new StoreError("store-key-taken", `another object has this key (${key})`, {
    scope: "task",
    retry: "now",
    hint: "Nothing was replaced; the task is archived under a new key.",
  });
}

/** More parts than the store takes. */
export function tooLargeError(key: string, partSizeBytes: number): StoreError {
  return new StoreError(
    "store-too-large",
    `the body does not fit in ${MAX_PARTS} parts of ${partSizeBytes} bytes (${key})`,
    {
      scope: "task",
      retry: "never",
      hint: `Raise ARCHIVER_PART_SIZE_BYTES: one object holds at most ${MAX_PARTS} times as much.`,
    },
  );
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
