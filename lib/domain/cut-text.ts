/** The beginning of a text that takes at most this many bytes in UTF-8, with `…` for what was left out. */
export function cutToBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length <= maxBytes) {
    return text;
  }
  // A character that is cut in two is left out.
  const decoder = new TextDecoder();
  const kept = bytes.subarray(0, maxBytes - Buffer.byteLength("…"));
  return `${decoder.decode(kept, { stream: true })}…`;
}
