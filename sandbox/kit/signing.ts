import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** The head of a request as it came over the wire. */
export interface RequestHead {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  /** Lowercase names; a repeated header's values joined as its stand-in signs them. */
  readonly headers: ReadonlyMap<string, string>;
}

/** How far the clocks of client and server may differ. */
export const MAX_SKEW_MS = 15 * 60 * 1000;

/** Epoch milliseconds of `YYYYMMDDTHHMMSSZ`, `NaN` of any other text. */
export function compactTimeMs(text: string): number {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  const [year, month, day, hour, minute, second] = parts;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** Whether a list of signed headers is lowercase, sorted and without repeats. */
export function isCanonicalList(signedHeaders: string): boolean {
  const sorted = [...new Set(signedHeaders.split(";"))].sort().join(";");
  return sorted === signedHeaders && signedHeaders.toLowerCase() === signedHeaders;
}

/** Compares two signatures in lowercase hex of the same length. */
export function isSameSignature(expected: string, sent: string): boolean {
  return timingSafeEqual(Buffer.from(expected, "hex"), Buffer.from(sent, "hex"));
}

/** What came over the wire decoded, then encoded by the rules. A stray % is signed as it stands. */
export function encodeAgain(text: string): string {
  let decoded = text;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    // The text has a stray %.
  }
  return encodeStrictly(decoded);
}

/** Percent-encodes everything outside `A-Za-z0-9-_.~`. */
export function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

export function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text, "utf8").digest();
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
