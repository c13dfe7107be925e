import {
  parseQueueEntryTime,
  QUEUE_FOLDER,
  QUEUED_LETTERS_FOLDER,
  QUEUED_MESSAGES_FOLDER,
} from "../domain/queue-layout.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { CallOptions } from "../ports/platform.ts";

/** What a list shows of a queue in the store. */
export interface StoreQueueLook {
  readonly isMade: true;
  /** Whether the store can be written to is not told by a list. */
  readonly isWritable: true;
  readonly messages: number;
  readonly deadLetters: number;
  /** Since when the oldest ready message is ready; those changed within a visibility timeout count as in flight. */
  readonly readySinceMs: number | undefined;
}

/** Looks at a queue in the store by one list, and changes nothing. @throws what the store throws. */
export async function lookAtStoreQueue(
  store: Pick<ObjectStore, "list">,
  { visibilityMs, nowMs }: { readonly visibilityMs: number; readonly nowMs: number },
  options: CallOptions,
): Promise<StoreQueueLook> {
  let messages = 0;
  let deadLetters = 0;
  let readySinceMs = Number.POSITIVE_INFINITY;
  for await (const { key, modifiedAtMs, oddity } of store.list(QUEUE_FOLDER, options)) {
    if (oddity === undefined && key.startsWith(QUEUED_LETTERS_FOLDER)) {
      deadLetters += 1;
    } else if (oddity === undefined && key.startsWith(QUEUED_MESSAGES_FOLDER)) {
      messages += 1;
      const isUntouched = modifiedAtMs <= nowMs - visibilityMs;
      readySinceMs = isUntouched
        ? Math.min(readySinceMs, parseQueueEntryTime(key) ?? modifiedAtMs)
        : readySinceMs;
    }
  }
  return {
    ...{ isMade: true, isWritable: true, messages, deadLetters },
    readySinceMs: readySinceMs <= nowMs ? readySinceMs : undefined,
  };
}
