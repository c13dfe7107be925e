const HOUR_MS = 3_600_000;

/** `5 h`, `3 d`: how long something has been so. */
export function inHours(ms: number): string {
  const hours = Math.round(ms / HOUR_MS);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}
