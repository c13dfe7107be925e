import { createHash, timingSafeEqual } from "node:crypto";
import type { HttpEvent } from "./envelopes.ts";
import { MAX_EVENT_BYTES, type Refusal, type RefusalReason, refused } from "./refusal.ts";

/** The header that carries the shared secret. */
const SECRET_HEADER = "x-archiver-secret";

/** Base64 makes four characters of three bytes. */
const MAX_BASE64_CHARACTERS = Math.ceil(MAX_EVENT_BYTES / 3) * 4 + 4;

/** What a caller is answered. The platform takes nothing but 200 for a yes. */
export const STATUS_OF_REFUSAL: Readonly<Record<RefusalReason, number>> = {
  "method-not-allowed": 405,
  "too-large": 413,
  "http-events-off": 403,
  unsigned: 401,
  malformed: 400,
  "unknown-event": 400,
};

/**
 * Lets the body of an HTTP request in, or says why not: by its method, then its size, then the secret; nothing
 * of the body is parsed before that.
 *
 * @param secret what the header has to be; `undefined`: no HTTP event is taken at all.
 */
export function admitHttp(
  request: HttpEvent,
  secret: string | undefined,
): { readonly kind: "body"; readonly text: string } | Refusal {
  if (request.method !== "POST") {
    return refused("method-not-allowed", "Send the event with POST.");
  }
  const { body, isBase64Encoded } = request;
  const maxCharacters = isBase64Encoded ? MAX_BASE64_CHARACTERS : MAX_EVENT_BYTES;
  if (declaredBytes(request) > MAX_EVENT_BYTES || body.length > maxCharacters) {
    return refused("too-large", "The event is larger than 256 KiB.");
  }
  if (secret === undefined) {
    return refused(
      "http-events-off",
      "The function accepts no event over HTTP, because no secret is configured.",
    );
  }
  if (!isSameText(headerOf(request, SECRET_HEADER) ?? "", secret)) {
    return refused("unsigned", `The header ${SECRET_HEADER} does not carry the secret.`);
  }
  return { kind: "body", text: isBase64Encoded ? Buffer.from(body, "base64").toString("utf8") : body };
}

function declaredBytes(request: HttpEvent): number {
  const declared = headerOf(request, "content-length") ?? "0";
  // Whatever is not a number does not claim that the body is small.
  return /^\d{1,15}$/.test(declared) ? Number(declared) : Number.POSITIVE_INFINITY;
}

/** One that comes twice, in two spellings, counts as missing: which one a proxy let through is unknown. */
function headerOf({ headers }: HttpEvent, name: string): string | undefined {
  const [only, ...more] = Object.entries(headers).filter(([given]) => given.toLowerCase() === name);
  return more.length === 0 ? only?.[1] : undefined;
}

/** In a time that tells nothing of either, their lengths included. */
function isSameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text, "utf8").digest();
  return timingSafeEqual(digest(a), digest(b));
}
