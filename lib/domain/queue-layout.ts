/** Everything of a queue that lies in the archive's own store. */
export const QUEUE_FOLDER = "queue/";
/** One document for each message. */
export const QUEUED_MESSAGES_FOLDER = `${QUEUE_FOLDER}messages/`;
/** One document for each dead letter. */
export const QUEUED_LETTERS_FOLDER = `${QUEUE_FOLDER}dead-letters/`;
/** Which runner may receive, where the store has no compare-and-swap. */
export const RUN_LEASE_KEY = `${QUEUE_FOLDER}run-lease.json`;

const MAX_SEQUENCE = 999_999;
const END_OF_YEAR_9999_MS = Date.parse("9999-12-31T23:59:59.999Z");

/**
 * The name of a message or letter, without folder and suffix: `yyyyMMddTHHmmssSSSZ-{6 digits}-{nonce}`. Names sort by
 * time, then by the order in which one sender made them.
 *
 * @param atMs when a message is due, or a letter was written; on the store's clock.
 * @param sequence tells the order of names of one sender and one millisecond.
 */
export function queueEntryName(atMs: number, sequence: number, nonceHex: string): string {
  const time = new Date(Math.min(Math.max(0, Math.ceil(atMs)), END_OF_YEAR_9999_MS)).toISOString();
  const order = String(sequence % (MAX_SEQUENCE + 1)).padStart(6, "0");
  return `${time.replaceAll(/[-:.]/g, "")}-${order}-${nonceHex}`;
}

/** The key of a message. */
export function queuedMessageKey(name: string): string {
  return `${QUEUED_MESSAGES_FOLDER}${name}.json`;
}

/** The key of a dead letter in the queue. */
export function queuedLetterKey(name: string): string {
  return `${QUEUED_LETTERS_FOLDER}${name}.json`;
}

const ENTRY_NAME = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(\d{3})Z-\d{6}-[0-9a-f]{16}\.json$/;

/**
 * The time in the name of a message or letter, epoch milliseconds. `undefined` for a name that no program of ours
 * made: such a message is due at once.
 */
export function parseQueueEntryTime(key: string): number | undefined {
  const name = key.slice(key.lastIndexOf("/") + 1);
  const [, year, month, day, hour, minute, second, ms] = ENTRY_NAME.exec(name) ?? [];
  const atMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
  return Number.isNaN(atMs) ? undefined : atMs;
}
