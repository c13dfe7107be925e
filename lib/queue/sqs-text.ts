/**
 * What SQS does not take in a body or attribute: control characters, lone surrogates, U+FFFE and U+FFFF. It
 * refuses the message or stores U+FFFD instead (SQS API reference, SendMessage, old and new text), which the
 * SDK's digest check then calls a failure. JSON may hold the last two unescaped.
 */
const REFUSED_CHARACTERS = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/**
 * The text with refused characters as `\uXXXX`. In JSON that changes nothing but the spelling: there they occur
 * within strings only.
 */
export function escapeRefused(text: string): string {
  return text.replace(
    REFUSED_CHARACTERS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A value for an attribute: never empty, at most `maxBytes` of UTF-8, refused characters replaced. */
export function attributeText(text: string, maxBytes: number): string {
  const value = cutUtf8(text.replace(REFUSED_CHARACTERS, "\uFFFD"), maxBytes);
  return value === "" ? "-" : value;
}

/** The longest beginning of a text that has at most `maxBytes` of UTF-8; no character is cut in two. */
export function cutUtf8(text: string, maxBytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(Math.max(0, maxBytes)));
  return text.slice(0, read);
}
