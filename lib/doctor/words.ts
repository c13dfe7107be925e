const HOUR_MS = 3_600_000;

/** `less than 1 h`, `5 h`, `3 d`: how long something has been so. */
export function inHours(ms: number): string {
  const hours = Math.round(ms / HOUR_MS);
  if (ms < HOUR_MS) {
    return "less than 1 h";
  }
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}
