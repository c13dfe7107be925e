import type { QueueConfiguration } from "./configuration.ts";
import type { PartReader } from "./part-reader.ts";

/** Reads the queue's part; `undefined` when the problems noted leave none. */
export function readQueue(reader: PartReader): QueueConfiguration | undefined {
  const location = reader.required("ARCHIVER_QUEUE");
  const visibilityMs = reader.values.ARCHIVER_VISIBILITY_MS;
  if (location === undefined || visibilityMs === undefined) {
    return undefined;
  }
  if (location.kind === "sqlite") {
    if (reader.isSet.has("ARCHIVER_DEAD_LETTER_QUEUE")) {
      reader.note(
        "ARCHIVER_DEAD_LETTER_QUEUE",
        "is set, but the sqlite queue keeps its own dead letters",
        "Remove it.",
      );
    }
    return { ...location, visibilityMs };
  }
  const deadLetterQueueUrl = reader.required("ARCHIVER_DEAD_LETTER_QUEUE");
  if (deadLetterQueueUrl === undefined) {
    return undefined;
  }
  if (deadLetterQueueUrl.href === location.queueUrl.href) {
    reader.note("ARCHIVER_DEAD_LETTER_QUEUE", "is the same queue as ARCHIVER_QUEUE");
  }
  return {
    ...location,
    deadLetterQueueUrl,
    visibilityMs,
    endpoint: reader.values.AWS_ENDPOINT_URL_SQS,
    region: reader.values.AWS_REGION,
  };
}
