/** The longest wait a `Retry-After` may ask for; pacing bounds it further. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * Reads a `Retry-After` header: whole seconds or an HTTP date. The platform does not document it
 * (iotda-api §2.2), so anything else counts as absent.
 *
 * @returns milliseconds from now, at least 0 and at most an hour.
 */
export function parseRetryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) {
    return undefined;
  }
  const waitMs = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : parseHttpDateMs(header, -nowMs);
  return waitMs === undefined ? undefined : Math.min(Math.max(waitMs, 0), MAX_RETRY_AFTER_MS);
}

/** An IMF-fixdate, the form in which every current server writes dates. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Epoch milliseconds of an HTTP date plus `shiftMs`; `undefined` when it is none. */
export function parseHttpDateMs(text: string | undefined, shiftMs = 0): number | undefined {
  if (text === undefined || !HTTP_DATE.test(text)) {
    return undefined;
  }
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : epochMs + shiftMs;
}
