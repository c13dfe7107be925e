const ISO_TIME = /^(?<day>\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;
const YEAR_0_MS = Date.parse("0000-01-01T00:00:00.000Z");
const END_OF_YEAR_9999_MS = Date.parse("9999-12-31T23:59:59.999Z");

/**
 * Reads a time of a message: ISO 8601 in the extended format with a zone, as every language's library
 * writes it. Digits beyond milliseconds are dropped.
 *
 * @returns epoch milliseconds, or `undefined` when the text names no real moment.
 */
export function parseMessageTime(text: string): number | undefined {
  const day = ISO_TIME.exec(text)?.groups?.day;
  if (day === undefined) {
    return undefined;
  }
  const midnightMs = Date.parse(`${day}T00:00:00Z`);
  // Date.parse rolls 30 February over into March; such a time is not a time.
  if (Number.isNaN(midnightMs) || !new Date(midnightMs).toISOString().startsWith(day)) {
    return undefined;
  }
  const epochMs = Date.parse(text.replace(",", "."));
  return isWritableTime(epochMs) ? epochMs : undefined;
}

/** Whether a moment lies in the years 0 to 9999, which ISO text has four digits for. False for NaN. */
export function isWritableTime(epochMs: number): boolean {
  return epochMs >= YEAR_0_MS && epochMs <= END_OF_YEAR_9999_MS;
}
